/** The bundle: draws the scene that the page carries, and lets other hosts draw theirs. */

import { render } from "preact";
import { App } from "./components/App";
import type { Host } from "./host";
import { bytes, decoded, SceneError, type Scene } from "./scene";
import "./style.css";

/**
 * Draw a scene into an element; called again, it draws the new scene and keeps what the reader has chosen. A host is told what
 * is selected; without one the page has its address to itself.
 */
export function mount(root: Element, scene: Scene, host?: Host): void {
  root.classList.add("lossatlas");
  render(<App scene={scene} root={root} host={host ?? null} />, root);
}

export { bytes, decoded };

function text(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}

const root = document.getElementById("lossatlas");
if (root && document.getElementById("scene-header")) {
  try {
    mount(root, decoded(text("scene-header"), bytes(text("scene-data"))));
  } catch (error) {
    if (!(error instanceof SceneError)) throw error;
    root.textContent = `This page cannot be drawn: ${error.message}.`;
  }
}
