/** Points that move from where they were to where they belong: to another layout, into depth, or when a map was drawn anew. */

import type { SceneMap } from "./scene";

export const MOVE = 700; // milliseconds

/** How far along the way, 0 to 1, after a share of the time: slow, fast, slow. */
export function eased(share: number): number {
  const s = Math.min(1, Math.max(0, share));
  return s * s * (3 - 2 * s);
}

/** Places a share of the way from one to the other; a point without a place in one of them is where the other has it. */
export function between(from: Float32Array, to: Float32Array, share: number): Float32Array {
  if (from.length !== to.length) return to;
  const result = new Float32Array(to.length);
  for (let i = 0; i < to.length; i++) {
    const [a, b] = [from[i] as number, to[i] as number];
    result[i] = Number.isFinite(a) && Number.isFinite(b) ? a + (b - a) * share : Number.isFinite(b) ? b : a;
  }
  return result;
}

/** Where the rows of a new map were on the old one: the same point of the same run. New rows are where they will be. */
export function carried(old: SceneMap, places: Float32Array, map: SceneMap, target: Float32Array): Float32Array {
  if (old === map) return places;
  const result = target.slice();
  const runs = new Map(old.runs.map((run) => [run.name, run]));
  for (const run of map.runs) {
    const before = runs.get(run.name);
    if (!before) continue;
    const count = Math.min(run.stop - run.start, before.stop - before.start);
    result.set(places.subarray(2 * before.start, 2 * (before.start + count)), 2 * run.start);
  }
  return result;
}
