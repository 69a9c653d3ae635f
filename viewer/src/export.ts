/** What a reader takes away: the map as it is seen, as pixels or shapes, and the points as a table. */

import { css, dash, position, viridis, type ColourScale } from "./colours";
import { labelOf, type Group } from "./groups";
import { formatted, ticks } from "./numbers";
import { metricsOf, runOfRow, type Layout, type Numbers, type SceneMap } from "./scene";
import { CIRCLE, outline, shapeOf } from "./shapes";
import type { State } from "./state";
import type { Theme } from "./theme";
import { draw } from "./view/draw";
import type { Picture } from "./view/picture";
import { groupColour } from "./colouring";
import type { Pen } from "./view/pen";
import { SvgPen } from "./view/svg";

export interface Exported {
  readonly picture: Picture;
  readonly title: string;
  readonly subtitle: string;
  readonly groups: readonly Group[]; // that are seen
  readonly names: State["names"];
  readonly scale: ColourScale | null;
}

const LEFT = 18;
const LINE = 20;
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif";

/** About how wide a text is: enough to break lines of names. */
function width(text: string, size: number): number {
  const wide = text.match(/[A-Zmw@%]/g)?.length ?? 0;
  return (0.58 * text.length + 0.2 * wide) * size;
}

function keyHeight({ groups, names, scale, picture }: Exported): number {
  return scale ? 54 : LINE * flowed(groups, names, picture.size.width).length;
}

/** Names in lines that fit. */
function flowed(groups: readonly Group[], names: State["names"], room: number): Group[][] {
  const lines: Group[][] = [];
  let left = 0;
  for (const group of groups) {
    const wide = width(labelOf(group, names), 12) + 40;
    if (lines.length === 0 || left + wide > room - 2 * LEFT) {
      lines.push([]);
      left = 0;
    }
    (lines[lines.length - 1] as Group[]).push(group);
    left += wide;
  }
  return lines;
}

function drawBar(pen: Pen, scale: ColourScale, theme: Theme, room: number, top: number): void {
  const wide = Math.min(420, room - 2 * LEFT);
  const steps = 128;
  pen.font = `550 12px ${FONT}`;
  pen.fillStyle = css(theme.ink);
  pen.fillText(`${scale.label}${scale.unit ? ` (${scale.unit})` : ""}${scale.scale === "log" ? ", log scale" : ""}`, LEFT, top + 10);
  for (let i = 0; i < steps; i++) {
    pen.fillStyle = css(viridis(i / (steps - 1)));
    pen.fillRect(LEFT + (wide * i) / steps, top + 18, wide / steps + 0.5, 10);
  }
  if (scale.low > scale.high) return;
  pen.font = `11px ${FONT}`;
  pen.fillStyle = css(theme.muted);
  pen.textAlign = "center";
  for (const tick of ticks(scale.low, scale.high, scale.scale, 6)) pen.fillText(formatted(tick), LEFT + wide * position(scale, tick), top + 42);
  pen.textAlign = "left";
}

function drawNames(pen: Pen, { groups, names, picture }: Exported, top: number): void {
  const { theme, size } = picture;
  pen.font = `12px ${FONT}`;
  flowed(groups, names, size.width).forEach((line, index) => {
    let left = LEFT;
    for (const group of line) {
      const label = labelOf(group, names);
      pen.strokeStyle = css(groupColour(group, theme));
      pen.lineWidth = 3;
      pen.setLineDash(group.form === "line" ? [...dash(group.number)] : []);
      pen.beginPath();
      pen.moveTo(left, top + LINE * index + 6);
      pen.lineTo(left + 18, top + LINE * index + 6);
      pen.stroke();
      pen.setLineDash([]);
      const shape = shapeOf(group.number);
      if (shape !== CIRCLE) {
        pen.fillStyle = css(groupColour(group, theme));
        outline(pen, shape, left + 14, top + LINE * index + 6, 4);
        pen.fill();
      }
      pen.fillStyle = css(theme.ink);
      pen.fillText(label, left + 24, top + LINE * index + 10);
      left += width(label, 12) + 40;
    }
  });
}

export function exportedSize(exported: Exported): { readonly width: number; readonly height: number } {
  const { size } = exported.picture;
  return { width: size.width, height: size.height + 62 + keyHeight(exported) };
}

/** The map above, its name and the key to its colours below. */
export function drawExported(pen: Pen, exported: Exported): void {
  const { picture, title, subtitle, scale } = exported;
  const { width: wide, height } = exportedSize(exported);
  pen.globalAlpha = 1;
  pen.fillStyle = css(picture.theme.paper);
  pen.fillRect(0, 0, wide, height);
  pen.fillStyle = css(picture.theme.ground);
  pen.fillRect(0, 0, picture.size.width, picture.size.height);
  draw(pen, picture);
  pen.globalAlpha = 1;
  // What lies below the frame is not part of the map.
  pen.fillStyle = css(picture.theme.paper);
  pen.fillRect(0, picture.size.height, wide, height - picture.size.height);
  pen.textAlign = "left";
  pen.setLineDash([]);
  pen.lineCap = "butt";
  const top = picture.size.height;
  pen.fillStyle = css(picture.theme.ink);
  pen.font = `620 15px ${FONT}`;
  pen.fillText(title, LEFT, top + 24);
  pen.fillStyle = css(picture.theme.muted);
  pen.font = `11px ${FONT}`;
  const most = Math.floor((wide - 2 * LEFT) / (11 * 0.5));
  pen.fillText(subtitle.length > most ? `${subtitle.slice(0, most - 1)}…` : subtitle, LEFT, top + 41);
  if (scale) drawBar(pen, scale, picture.theme, wide, top + 54);
  else drawNames(pen, exported, top + 54);
}

export function svg(exported: Exported): string {
  const pen = new SvgPen();
  drawExported(pen, exported);
  const { width: wide, height } = exportedSize(exported);
  return pen.document(wide, height, exported.title);
}

/** The shortest digits that are this number, in the precision in which it came. */
function digits(value: number, values: Numbers): string {
  if (Number.isNaN(value)) return "";
  if (!(values instanceof Float32Array) || !Number.isFinite(value)) return String(value);
  for (let precision = 6; precision < 9; precision++) {
    const text = value.toPrecision(precision);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A name as it stands in a table: one that a spreadsheet would take for a formula stays a text. */
function word(name: string | null | undefined): string {
  return (name ?? "").replace(/^(?=[=+@\t\r-])/, "'");
}

/** Rows of a map as a table with a line of names; a cell is empty where there is no number. */
export function csv(map: SceneMap, layout: Layout, rows: readonly number[]): string {
  const runs = runOfRow(map);
  const metrics = metricsOf(map, layout);
  const head = ["row", "run", "kind", "seed", "jump", "group", map.time_label, ...metrics.map((metric) => metric.name), "x", "y"];
  const solid = layout.coordinates_3d;
  if (solid) head.push("x_3d", "y_3d", "z_3d");
  const lines = rows.map((row) => {
    const run = map.runs[runs[row] as number];
    return [
      String(row), word(run?.name), run?.kind ?? "", String(run?.seed ?? ""), String(run?.jump ?? ""), word(run?.group),
      digits(map.time[row] as number, map.time),
      ...metrics.map((metric) => digits(metric.values[row] as number, metric.values)),
      digits(layout.coordinates[2 * row] as number, layout.coordinates),
      digits(layout.coordinates[2 * row + 1] as number, layout.coordinates),
      ...(solid ? [0, 1, 2].map((axis) => digits(solid[3 * row + axis] as number, solid)) : []),
    ];
  });
  return [head, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
}

/** A name that every system takes for a file. */
export function fileName(title: string, ending: string): string {
  const plain = title.normalize("NFKD").replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 60);
  return `${plain || "map"}.${ending}`;
}

/** Hand a file to the reader. */
export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // Not at once: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
