/**
 * The page in a notebook's cell, as anywidget calls it: a model carries the scene, and the selection both ways.
 *
 * It is drawn into a shadow root, so that neither its style sheet reaches the notebook nor the notebook's reaches it.
 */

import type { Host } from "./host";
import { mount, unmount } from "./mount";
import { decoded, SceneError, type Scene } from "./scene";
import { selectionOf, type Selection } from "./state";
import sheet from "./style.css?inline";

/** What anywidget gives of the model in Python, `lossatlas.draw.widget`. */
interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, follow: () => void): void;
  off(event: string, follow: () => void): void;
}

/** The frame is low: its controls scroll away, and the map fits into it. */
const FRAME = `
:host { all: initial; display: block; contain: layout; container-type: size; }
.lossatlas { height: 100%; overflow: auto; border: 1px solid var(--line); border-radius: 8px; scroll-padding: 12px; }
.page { padding-block: 24px; }
.controls { position: static; }
.maps[data-count="1"] > .map > .frame { top: 12px; aspect-ratio: auto; height: min(100cqw - 72px, 100cqh - 32px); min-height: 0; }
`;

/** What the page asks of its window, asked of the frame: how wide and high it is. */
function framed(css: string): string {
  return css.replace(/@media(?=\s*(?:not\s*)?\((?:m..-)?(?:width|height))/g, "@container").replace(/(?<=\d)v(?=[wh]\b)/g, "cq") + FRAME;
}

/** Whether the notebook is dark where the frame stands. */
function isDarkAt(element: Element): boolean {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (alpha > 0.5) return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function sceneOf(model: Model): Scene {
  const { buffer, byteOffset, byteLength } = model.get("_data") as DataView;
  // A copy, since an array must start at a multiple of its numbers' size and the message may not.
  return decoded(model.get("_header") as string, (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength));
}

function isSame(selection: Selection | null, rows: readonly number[]): boolean {
  const own = selection?.rows ?? [];
  return own.length === rows.length && own.every((row, i) => row === rows[i]);
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const frame = document.createElement("div");
  frame.style.height = `${model.get("_height")}px`;
  // Keys that are pressed in the frame are the frame's: JupyterLab would take Enter for its cell.
  frame.dataset["lmSuppressShortcuts"] = "true";
  const style = document.createElement("style");
  style.textContent = framed(sheet);
  const root = document.createElement("div");
  frame.attachShadow({ mode: "open" }).append(style, root);
  el.append(frame);

  let scene: Scene;
  try {
    scene = sceneOf(model);
  } catch (error) {
    if (!(error instanceof SceneError)) throw error;
    root.textContent = `This map cannot be drawn: ${error.message}.`;
    return () => frame.remove();
  }

  let selection: Selection | null = null;
  const select: Host["select"] = (chosen) => {
    selection = chosen;
    model.set("selection", chosen?.rows ?? []);
    model.save_changes();
  };
  const draw = () => {
    const rows = model.get("selection") as readonly number[];
    if (!isSame(selection, rows)) selection = selectionOf(0, rows);
    mount(root, scene, { selection, isDark: isDarkAt(el), select });
  };
  // A notebook calls before it puts the element in its place, where alone it has a size and colours.
  const placed = new ResizeObserver(() => {
    placed.disconnect();
    draw();
    model.on("change:selection", draw);
  });
  placed.observe(frame);
  return () => {
    placed.disconnect();
    model.off("change:selection", draw);
    unmount(root);
    frame.remove();
  };
}

export default { render };
