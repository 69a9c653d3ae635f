/** One picture of one map on a 2-D canvas. Nothing here decides what is shown, only how. */

import { css } from "../colours";
import { formatted, roundBelow } from "../numbers";
import { isOrdered, runAt, type SceneMap } from "../scene";
import { CIRCLE, type Shape } from "../shapes";
import type { Theme } from "../theme";
import type { Size } from "./camera";
import { drawDense } from "./dense";
import { drawCrosses, drawJumps, drawOptimum } from "./marks";
import { stamper, type Pen } from "./pen";
import { inOrder, isPath, opacity, pathRows, pointRadius, rimColour, strength, THIN, type Picture } from "./picture";

const AGES = 5;
const DENSE = 5000; // points

/** Whether points are so many that neither dashes nor shapes can be told apart; they would cost more than all else. */
function isDense(map: SceneMap): boolean {
  return map.time.length > DENSE;
}

/** How long the line to each row is, in pixels, where lines are dashed: dashes go on from segment to segment. */
function lengths({ map, shown, projection: { at } }: Picture): Float32Array {
  const result = new Float32Array(map.time.length);
  for (const run of map.runs) {
    for (let row = run.start + 1; row < run.stop; row++) {
      const step = Math.hypot((at[2 * row] as number) - (at[2 * row - 2] as number), (at[2 * row + 1] as number) - (at[2 * row - 1] as number));
      result[row] = (result[row - 1] as number) + (shown[row] && shown[row - 1] ? step : 0);
    }
  }
  return result;
}

/** Each trajectory's line, segment by segment, gathered by colour so that 20,000 segments take some hundred strokes. */
function drawLines(pen: Pen, picture: Picture): void {
  const { map, shown, ages, picked, colouring, projection: { at } } = picture;
  const strokes = new Map<number, number[]>();
  for (const run of map.runs) {
    if (isPath(run) || !isOrdered(run)) continue;
    for (let row = run.start + 1; row < run.stop; row++) {
      if (!shown[row] || !shown[row - 1]) continue;
      const age = ages ? Math.round((ages[row] as number) * (AGES - 1)) : 0;
      const isBack = picked && !picked[row] ? 1 : 0;
      const key = ((colouring.index[row] as number) * AGES + age) * 2 + isBack;
      const rows = strokes.get(key);
      if (rows) rows.push(row);
      else strokes.set(key, [row]);
    }
  }
  const isMany = isDense(map);
  pen.lineWidth = isMany ? THIN : 1.3;
  pen.lineJoin = pen.lineCap = "round";
  let along: Float32Array | null = null;
  for (const [key, rows] of strokes) {
    const entry = Math.floor(key / 2 / AGES);
    const isBack = key % 2 === 1;
    pen.globalAlpha = (isBack ? 0.35 : 1) * 0.7 * strength((Math.floor(key / 2) % AGES) / (AGES - 1));
    pen.strokeStyle = colouring.palette[entry] as string;
    const dash = isMany ? [] : (colouring.dashes[entry] as number[]);
    pen.setLineDash(dash);
    pen.beginPath();
    for (const row of rows) {
      pen.moveTo(at[2 * row - 2] as number, at[2 * row - 1] as number);
      pen.lineTo(at[2 * row] as number, at[2 * row + 1] as number);
      if (dash.length === 0) continue;
      along ??= lengths(picture);
      pen.lineDashOffset = along[row - 1] as number;
      pen.stroke();
      pen.beginPath();
    }
    if (dash.length === 0) pen.stroke();
  }
  pen.setLineDash([]);
  pen.lineDashOffset = 0;
}

/** Paths, thick and whole, between the other runs' points and their own; with a rim as the points have. */
function drawPaths(pen: Pen, picture: Picture): void {
  const { map, shown, colouring, theme, projection: { at } } = picture;
  const width = 0.55 * pointRadius(map.time.length) + 0.8;
  pen.globalAlpha = 1;
  pen.lineJoin = pen.lineCap = "round";
  for (const run of map.runs.filter(isPath)) {
    const rows = Array.from({ length: run.stop - run.start }, (_, place) => run.start + place).filter((row) => shown[row]);
    const x = (row: number) => at[2 * row] as number;
    const y = (row: number) => at[2 * row + 1] as number;
    pen.beginPath();
    for (const row of rows) pen.lineTo(x(row), y(row));
    pen.lineWidth = width + 1.2;
    pen.strokeStyle = rimColour(theme, 0.5);
    pen.stroke();
    pen.lineWidth = width;
    rows.slice(1).forEach((row, place) => {
      const before = rows[place] as number;
      pen.beginPath();
      pen.moveTo(x(before), y(before));
      pen.lineTo(x(row), y(row));
      pen.strokeStyle = colouring.palette[colouring.index[row] as number] as string;
      pen.stroke();
    });
  }
}

/** The points that `isOne` of those to draw; the optimum has a mark of its own. */
function drawPoints(pen: Pen, picture: Picture, isOne: (row: number) => boolean): void {
  const { map, colouring, ratio, theme, projection: { at } } = picture;
  const radius = pointRadius(map.time.length);
  const rim = rimColour(theme, 0.28);
  const lookOf = (entry: number, isHollow: boolean) => ({
    shape: isDense(map) ? CIRCLE : (colouring.shapes[entry] as Shape), fill: colouring.palette[entry] as string, rim, radius, isHollow,
  });
  // Made when first put down: a palette of many runs has thousands of colours, and few points may be asked for.
  const stamps = new Map<number, (x: number, y: number) => void>();
  inOrder(picture, (row) => {
    if (row === map.optimum || !isOne(row)) return;
    const isHollow = Boolean(map.provisional?.[row]);
    const entry = colouring.index[row] as number;
    const key = 2 * entry + Number(isHollow);
    let stamp = stamps.get(key);
    if (!stamp) stamps.set(key, (stamp = stamper(pen, lookOf(entry, isHollow), ratio)));
    pen.globalAlpha = opacity(picture, row);
    stamp(at[2 * row] as number, at[2 * row + 1] as number);
  });
}

/** A bar of a round length: the axes have no meaning of their own, but distances do. */
function drawScaleBar(pen: Pen, picture: Picture): void {
  const { scale, size, theme } = picture;
  const length = roundBelow(Math.min(110, size.width / 4) / scale);
  const [left, right, base] = [18.5, 18.5 + length * scale, size.height - 18.5];
  pen.globalAlpha = 1;
  pen.strokeStyle = pen.fillStyle = css(theme.muted);
  pen.lineWidth = 1;
  pen.lineJoin = pen.lineCap = "butt" as CanvasLineCap & CanvasLineJoin;
  pen.beginPath();
  for (const [x, y] of [[left, base - 4], [left, base], [right, base], [right, base - 4]] as const) pen.lineTo(x, y);
  pen.stroke();
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "left";
  pen.fillText(formatted(length), left + 5, base - 6);
}

/** An empty canvas with its unit set to a pixel. */
export function cleared(context: CanvasRenderingContext2D, size: Size, ratio: number): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.globalAlpha = 1;
  context.clearRect(0, 0, size.width, size.height);
}

/** Draw the whole picture; the return is the number of points on it. */
export function draw(pen: Pen, picture: Picture): number {
  const { map } = picture;
  const paths = pathRows(map);
  if (isDense(map) && "putImageData" in pen) {
    drawDense(pen as unknown as CanvasRenderingContext2D, picture);
    drawPoints(pen, picture, (row) => !paths[row] && Boolean(map.provisional?.[row]));
  } else {
    drawLines(pen, picture);
    drawPoints(pen, picture, (row) => !paths[row]);
  }
  drawPaths(pen, picture);
  drawPoints(pen, picture, (row) => Boolean(paths[row]));
  drawJumps(pen, picture);
  drawCrosses(pen, picture);
  drawOptimum(pen, picture);
  const count = picture.shown.reduce((sum, isShown) => sum + isShown, 0);
  if (count > 1 || map.time.length > 1) drawScaleBar(pen, picture);
  return count;
}

/** On a layer of its own: the run of the point that is pointed at, and a ring around the point. */
export function drawMark(pen: Pen, picture: Picture, row: number | null): void {
  if (row === null || !picture.shown[row]) return;
  const { map, shown, theme, projection: { at } } = picture;
  pen.lineJoin = "round";
  const run = runAt(map, row);
  if (run && isOrdered(run)) {
    pen.beginPath();
    for (let other = run.start; other < run.stop; other++) {
      if (shown[other]) pen.lineTo(at[2 * other] as number, at[2 * other + 1] as number);
    }
    pen.globalAlpha = 0.55;
    pen.lineWidth = 1.6;
    pen.strokeStyle = css(theme.ink);
    pen.stroke();
  }
  pen.globalAlpha = 1;
  for (const [width, colour] of [[5, theme.ground], [2, theme.ink]] as const) {
    pen.beginPath();
    pen.arc(at[2 * row] as number, at[2 * row + 1] as number, row === map.optimum ? 14 : 8, 0, 2 * Math.PI);
    pen.lineWidth = width;
    pen.strokeStyle = css(colour);
    pen.stroke();
  }
}

/** On the same layer: the loop that the reader is drawing around points. */
export function drawLoop(pen: Pen, theme: Theme, loop: readonly (readonly [number, number])[]): void {
  if (loop.length === 0) return;
  pen.beginPath();
  for (const [x, y] of loop) pen.lineTo(x, y);
  pen.closePath();
  pen.globalAlpha = 0.12;
  pen.fillStyle = css(theme.ink);
  pen.fill();
  pen.globalAlpha = 1;
  pen.lineWidth = 1.4;
  pen.setLineDash([5, 3]);
  pen.strokeStyle = css(theme.ink);
  pen.stroke();
  pen.setLineDash([]);
}
