/** What a picture of a map is made of, and how strongly and how large each point of it is drawn. */

import type { Colouring } from "../colouring";
import type { Colour } from "../colours";
import type { SceneMap, SceneRun } from "../scene";
import type { Theme } from "../theme";
import type { Projection, Size } from "./camera";

export interface Picture {
  readonly map: SceneMap;
  readonly shown: Uint8Array;
  readonly picked: Uint8Array | null; // 1 for each row that is selected; null when none is, and nothing stands back
  readonly ages: Float32Array | null; // null when time is at its end and nothing fades
  readonly colouring: Colouring;
  readonly projection: Projection;
  readonly scale: number; // pixels a unit of the map
  readonly size: Size;
  readonly ratio: number; // device pixels a pixel
  readonly theme: Theme;
}

const FAINTEST = 0.16;
const DEPTHS = 1024;

/** How wide a line of a map with very many points is. */
export const THIN = 0.8;

export function strength(age: number): number {
  return 1 - (1 - FAINTEST) * age;
}

export function pointRadius(n: number): number {
  return Math.max(1.2, 4.1 - 0.62 * Math.log10(Math.max(10, n)));
}

export function isPath(run: SceneRun): boolean {
  return run.kind === "path";
}

/** A hairline around marks, so that neither end of viridis is lost against the ground. */
export function rimColour(theme: Theme, opacity: number): string {
  return `rgb(${(theme.ink as Colour).join(" ")} / ${opacity})`;
}

/** 1 for each row of a path. */
export function pathRows(map: SceneMap): Uint8Array {
  const result = new Uint8Array(map.time.length);
  for (const run of map.runs.filter(isPath)) result.fill(1, run.start, run.stop);
  return result;
}

/** Call `put` for each shown row, from the farthest to the nearest, so that what is near is drawn last; on the plane in their order. */
export function inOrder(picture: Picture, put: (row: number) => void): void {
  const order = inDepth(picture);
  if (order) order.forEach(put);
  else picture.shown.forEach((isShown, row) => isShown && put(row));
}

function inDepth({ projection: { depth }, shown }: Picture): Uint32Array | null {
  if (!depth) return null;
  const buckets = new Uint32Array(DEPTHS + 1);
  const bucket = (row: number) => Math.min(DEPTHS - 1, Math.floor((1 - (depth[row] as number)) * DEPTHS)) || 0;
  for (let row = 0; row < depth.length; row++) if (shown[row]) (buckets[bucket(row) + 1] as number)++;
  for (let i = 0; i < DEPTHS; i++) buckets[i + 1]! += buckets[i]!;
  const order = new Uint32Array(buckets[DEPTHS] as number);
  for (let row = 0; row < depth.length; row++) if (shown[row]) order[buckets[bucket(row)]!++] = row;
  return order;
}

/** How strongly a point is drawn: less when it is old, far away, or when others are selected. */
export function opacity({ ages, picked, projection: { depth } }: Picture, row: number): number {
  let result = ages ? strength(ages[row] as number) : 1;
  if (depth) result *= 1 - 0.5 * (depth[row] as number);
  return picked && !picked[row] ? 0.2 * result : result;
}
