/** Finding points: the nearest to the pointer, and the next by keyboard. */

import { runAt, type SceneMap } from "./scene";

const REACH = 24;

/** The shown row nearest to a place on the canvas, or null when none is within reach; `places` are the rows' own, (n, 2). */
export function nearest(
  map: Pick<SceneMap, "optimum">, shown: Uint8Array, places: Float32Array, at: readonly [number, number], reach = REACH,
): number | null {
  let [best, row] = [reach * reach, -1];
  // A plain scan: 20,000 points take a fraction of a millisecond, so an index would only be more to go wrong.
  for (let candidate = 0; candidate < shown.length; candidate++) {
    if (!shown[candidate]) continue;
    const distance = ((places[2 * candidate] as number) - at[0]) ** 2 + ((places[2 * candidate + 1] as number) - at[1]) ** 2;
    // Of points at one place the later is on top; the optimum's star is above them all.
    if (distance < best || (distance === best && row !== map.optimum)) [best, row] = [distance, candidate];
  }
  return row === -1 ? null : row;
}

/** The shown rows as one list a run; rows of no run come last, as a list of their own. */
export function tracks(map: SceneMap, shown: Uint8Array): number[][] {
  const isTaken = new Uint8Array(shown.length);
  const lists = map.runs.map((run) => {
    const rows: number[] = [];
    for (let row = run.start; row < run.stop; row++) {
      isTaken[row] = 1;
      if (shown[row]) rows.push(row);
    }
    return rows;
  });
  const rest: number[] = [];
  for (let row = 0; row < shown.length; row++) if (shown[row] && !isTaken[row]) rest.push(row);
  return [...lists, rest].filter((rows) => rows.length > 0);
}

/** The row that an arrow key leads to: left and right along a run, up and down from run to run. */
export function stepped(map: SceneMap, shown: Uint8Array, row: number | null, key: string): number | null {
  const lists = tracks(map, shown);
  if (lists.length === 0) return null;
  const list = lists.findIndex((rows) => row !== null && rows.includes(row));
  if (list === -1) return (lists[0] as number[])[0] as number;
  const rows = lists[list] as number[];
  const index = rows.indexOf(row as number);
  const within = (other: number[], place: number): number => other[Math.min(other.length - 1, Math.max(0, place))] as number;
  switch (key) {
    case "ArrowRight": return within(rows, index + 1);
    case "ArrowLeft": return within(rows, index - 1);
    case "Home": return within(rows, 0);
    case "End": return within(rows, rows.length - 1);
    case "ArrowDown": return within(lists[(list + 1) % lists.length] as number[], index);
    case "ArrowUp": return within(lists[(list + lists.length - 1) % lists.length] as number[], index);
    default: return row;
  }
}

/** The point of another map that stands for the same moment of the same run. */
export function counterpart(from: SceneMap, row: number, to: SceneMap): number | null {
  if (row === from.optimum) return to.optimum;
  const run = runAt(from, row);
  const twin = run && to.runs.find((candidate) => candidate.name === run.name && candidate.kind === run.kind);
  if (!twin) return null;
  for (let other = twin.start; other < twin.stop; other++) if (to.time[other] === from.time[row]) return other;
  return null;
}
