/** One picture of one map on a 2-D canvas. Nothing here decides what is shown, only how. */

import type { Colouring } from "../colouring";
import { css, type Colour } from "../colours";
import { formatted, roundBelow } from "../numbers";
import { divergedAfter, isOrdered, type SceneMap, type SceneRun } from "../scene";
import type { Theme } from "../theme";
import { projected, type Camera, type Size } from "./camera";

export interface Picture {
  readonly map: SceneMap;
  readonly shown: Uint8Array;
  readonly ages: Float32Array | null; // null when time is at its end and nothing fades
  readonly colouring: Colouring;
  readonly camera: Camera;
  readonly size: Size;
  readonly ratio: number; // device pixels a pixel
  readonly theme: Theme;
}

type Context = CanvasRenderingContext2D;

const AGES = 5;
const FAINTEST = 0.16;

function strength(age: number): number {
  return 1 - (1 - FAINTEST) * age;
}

export function pointRadius(n: number): number {
  return Math.max(1.2, 4.1 - 0.62 * Math.log10(Math.max(10, n)));
}

function places(picture: Picture): Float32Array {
  const { map, camera, size } = picture;
  const result = new Float32Array(2 * map.time.length);
  for (let row = 0; row < map.time.length; row++) {
    const i = row * 2;
    result.set(projected(camera, size, map.layouts[0]!.coordinates[i] as number, map.layouts[0]!.coordinates[i + 1] as number), 2 * row);
  }
  return result;
}

function isPath(run: SceneRun): boolean {
  return run.kind === "path";
}

/** Each trajectory's line, segment by segment, gathered by colour so that 20,000 segments take some hundred strokes. */
function drawLines(context: Context, picture: Picture, at: Float32Array): void {
  const { map, shown, ages, colouring } = picture;
  const strokes = new Map<number, number[]>();
  for (const run of map.runs) {
    if (isPath(run) || !isOrdered(run)) continue;
    for (let row = run.start + 1; row < run.stop; row++) {
      if (!shown[row] || !shown[row - 1]) continue;
      const age = ages ? Math.round((ages[row] as number) * (AGES - 1)) : 0;
      const key = (colouring.index[row] as number) * AGES + age;
      const rows = strokes.get(key);
      if (rows) rows.push(row);
      else strokes.set(key, [row]);
    }
  }
  // Where lines are this many, dashes can no longer be told apart, and they cost more than all else.
  const isDense = map.time.length > 5000;
  context.lineWidth = isDense ? 0.8 : 1.3;
  context.lineJoin = context.lineCap = "round";
  for (const [key, rows] of strokes) {
    const entry = Math.floor(key / AGES);
    context.globalAlpha = 0.7 * strength((key % AGES) / (AGES - 1));
    context.strokeStyle = colouring.palette[entry] as string;
    if (!isDense) context.setLineDash(colouring.dashes[entry] as number[]);
    context.beginPath();
    for (const row of rows) {
      context.moveTo(at[2 * row - 2] as number, at[2 * row - 1] as number);
      context.lineTo(at[2 * row] as number, at[2 * row + 1] as number);
    }
    context.stroke();
  }
  context.setLineDash([]);
}

const sprites = new Map<string, HTMLCanvasElement>();

/** A dot, drawn once and stamped many times. */
function dot(fill: string, rim: string, radius: number, ratio: number): HTMLCanvasElement {
  const key = `${fill} ${rim} ${radius} ${ratio}`;
  const known = sprites.get(key);
  if (known) return known;
  if (sprites.size > 1000) sprites.clear();
  const sprite = document.createElement("canvas");
  const side = Math.ceil((2 * radius + 3) * ratio);
  sprite.width = sprite.height = side;
  const context = sprite.getContext("2d", { willReadFrequently: true }) as Context;
  context.scale(ratio, ratio);
  context.beginPath();
  context.arc(side / ratio / 2, side / ratio / 2, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = Math.min(0.6, radius / 4);
  context.strokeStyle = rim;
  context.stroke();
  sprites.set(key, sprite);
  return sprite;
}

/** A hairline around marks, so that neither end of viridis is lost against the ground. */
function rimColour(theme: Theme, opacity: number): string {
  return `rgb(${(theme.ink as Colour).join(" ")} / ${opacity})`;
}

/** Paths, thick and whole, between the other runs' points and their own; with a rim as the points have. */
function drawPaths(context: Context, picture: Picture, at: Float32Array): void {
  const { map, shown, colouring, theme } = picture;
  const width = 0.55 * pointRadius(map.time.length) + 0.8;
  context.globalAlpha = 1;
  context.lineJoin = context.lineCap = "round";
  for (const run of map.runs.filter(isPath)) {
    const rows = Array.from({ length: run.stop - run.start }, (_, place) => run.start + place).filter((row) => shown[row]);
    const x = (row: number) => at[2 * row] as number;
    const y = (row: number) => at[2 * row + 1] as number;
    context.beginPath();
    for (const row of rows) context.lineTo(x(row), y(row));
    context.lineWidth = width + 1.2;
    context.strokeStyle = rimColour(theme, 0.5);
    context.stroke();
    context.lineWidth = width;
    rows.slice(1).forEach((row, place) => {
      const before = rows[place] as number;
      context.beginPath();
      context.moveTo(x(before), y(before));
      context.lineTo(x(row), y(row));
      context.strokeStyle = colouring.palette[colouring.index[row] as number] as string;
      context.stroke();
    });
  }
}

/** The points of the runs that are `ofPaths` or that are not; those of no run are with the latter. */
function drawPoints(context: Context, picture: Picture, at: Float32Array, ofPaths: boolean): void {
  const { map, shown, ages, colouring, ratio, theme } = picture;
  const radius = pointRadius(map.time.length);
  const rim = rimColour(theme, 0.28);
  const stamps = colouring.palette.map((fill) => dot(fill, rim, radius, ratio));
  const isOfPath = new Uint8Array(shown.length);
  for (const run of map.runs.filter(isPath)) isOfPath.fill(1, run.start, run.stop);
  for (let row = 0; row < shown.length; row++) {
    if (!shown[row] || row === map.optimum || Boolean(isOfPath[row]) !== ofPaths) continue;
    const stamp = stamps[colouring.index[row] as number] as HTMLCanvasElement;
    const side = stamp.width / ratio;
    context.globalAlpha = ages ? strength(ages[row] as number) : 1;
    context.drawImage(stamp, (at[2 * row] as number) - side / 2, (at[2 * row + 1] as number) - side / 2, side, side);
  }
}

function polygon(context: Context, x: number, y: number, radii: readonly number[], corners: number): void {
  context.beginPath();
  for (let corner = 0; corner < corners; corner++) {
    const angle = (2 * Math.PI * corner) / corners - Math.PI / 2;
    const radius = radii[corner % radii.length] as number;
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  context.closePath();
}

/** The jump points, larger than the points, on top of them. */
function drawJumps(context: Context, picture: Picture, at: Float32Array): void {
  const { map, shown, ages, colouring, theme } = picture;
  const radius = pointRadius(map.time.length) + 3.6;
  map.runs.forEach((run, index) => {
    const fill = colouring.marks[index];
    if (run.kind !== "retraining" || !fill || !shown[run.start] || run.start === run.stop) return;
    context.globalAlpha = ages ? Math.max(0.45, strength(ages[run.start] as number)) : 1;
    polygon(context, at[2 * run.start] as number, at[2 * run.start + 1] as number, [radius], 4);
    context.lineWidth = 3.4;
    context.strokeStyle = css(theme.ground);
    context.stroke();
    context.fillStyle = fill;
    context.fill();
    context.lineWidth = 1.1;
    context.strokeStyle = rimColour(theme, 0.75);
    context.stroke();
  });
}

/** A cross on the last point of each run that diverged: what came after has no place, but is a finding. */
function drawCrosses(context: Context, picture: Picture, at: Float32Array): void {
  const { map, shown, theme } = picture;
  const arm = pointRadius(map.time.length) + 2.4;
  context.globalAlpha = 1;
  context.lineCap = "round";
  for (const run of map.runs) {
    const row = divergedAfter(run);
    if (row === null || !shown[row]) continue;
    const [x, y] = [at[2 * row] as number, at[2 * row + 1] as number];
    for (const [width, colour] of [[4.8, theme.ground], [2, theme.ink]] as const) {
      context.beginPath();
      for (const side of [-1, 1]) {
        context.moveTo(x - arm, y - side * arm);
        context.lineTo(x + arm, y + side * arm);
      }
      context.lineWidth = width;
      context.strokeStyle = css(colour);
      context.stroke();
    }
  }
}

function drawOptimum(context: Context, picture: Picture, at: Float32Array): void {
  const { map, shown, colouring, theme } = picture;
  if (map.optimum === null || !shown[map.optimum]) return;
  context.globalAlpha = 1;
  polygon(context, at[2 * map.optimum] as number, at[2 * map.optimum + 1] as number, [10.5, 4.4], 10);
  context.lineJoin = "round";
  context.lineWidth = 4.5;
  context.strokeStyle = css(theme.ground);
  context.stroke();
  context.fillStyle = colouring.star;
  context.fill();
  context.lineWidth = 1.2;
  context.strokeStyle = css(theme.ink);
  context.stroke();
}

/** A bar of a round length: the axes have no meaning of their own, but distances do. */
function drawScaleBar(context: Context, picture: Picture): void {
  const { camera, size, theme } = picture;
  const length = roundBelow(Math.min(110, size.width / 4) / camera.scale);
  const [left, right, base] = [18.5, 18.5 + length * camera.scale, size.height - 18.5];
  context.globalAlpha = 1;
  context.strokeStyle = context.fillStyle = css(theme.muted);
  context.lineWidth = 1;
  context.lineJoin = context.lineCap = "butt" as CanvasLineCap & CanvasLineJoin;
  context.beginPath();
  for (const [x, y] of [[left, base - 4], [left, base], [right, base], [right, base - 4]] as const) context.lineTo(x, y);
  context.stroke();
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "left";
  context.fillText(formatted(length), left + 5, base - 6);
}

function cleared(context: Context, { size, ratio }: Picture): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.globalAlpha = 1;
  context.clearRect(0, 0, size.width, size.height);
}

/** Draw the whole picture; the return is the number of points on it. */
export function draw(context: Context, picture: Picture): number {
  cleared(context, picture);
  const at = places(picture);
  drawLines(context, picture, at);
  drawPoints(context, picture, at, false);
  drawPaths(context, picture, at);
  drawPoints(context, picture, at, true);
  drawJumps(context, picture, at);
  drawCrosses(context, picture, at);
  drawOptimum(context, picture, at);
  const count = picture.shown.reduce((sum, isShown) => sum + isShown, 0);
  if (count > 1 || picture.map.time.length > 1) drawScaleBar(context, picture);
  return count;
}

/** On a layer of its own: the run of the point that is pointed at, and a ring around the point. */
export function drawMark(context: Context, picture: Picture, row: number | null): void {
  cleared(context, picture);
  if (row === null || !picture.shown[row]) return;
  const { map, shown, theme } = picture;
  const at = places(picture);
  context.lineJoin = "round";
  const run = map.runs.find((candidate) => candidate.start <= row && row < candidate.stop);
  if (run && isOrdered(run)) {
    context.beginPath();
    for (let other = run.start; other < run.stop; other++) {
      if (shown[other]) context.lineTo(at[2 * other] as number, at[2 * other + 1] as number);
    }
    context.globalAlpha = 0.55;
    context.lineWidth = 1.6;
    context.strokeStyle = css(theme.ink);
    context.stroke();
  }
  context.globalAlpha = 1;
  for (const [width, colour] of [[5, theme.ground], [2, theme.ink]] as const) {
    context.beginPath();
    context.arc(at[2 * row] as number, at[2 * row + 1] as number, row === map.optimum ? 14 : 8, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = css(colour);
    context.stroke();
  }
}
