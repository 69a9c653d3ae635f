/** Picking out points by a loop around them. */

export type Point = readonly [number, number];

/** Whether a place is inside a closed loop: a ray to the right crosses its sides an odd number of times. */
export function isInside(loop: readonly Point[], x: number, y: number): boolean {
  let isIn = false;
  for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
    const [xi, yi] = loop[i] as Point;
    const [xj, yj] = loop[j] as Point;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isIn = !isIn;
  }
  return isIn;
}

/** The shown rows inside a loop; `at` is where each row is on the canvas. */
export function enclosed(loop: readonly Point[], at: Float32Array, shown: Uint8Array): number[] {
  const rows: number[] = [];
  for (let row = 0; row < shown.length; row++) {
    if (shown[row] && isInside(loop, at[2 * row] as number, at[2 * row + 1] as number)) rows.push(row);
  }
  return rows;
}

export type Joining = "replace" | "add" | "remove";

/** Rows after new ones were picked: alone, besides the old, or taken from them. */
export function joined(old: readonly number[], rows: readonly number[], how: Joining): number[] {
  if (how === "replace") return [...rows];
  const result = new Set(old);
  for (const row of rows) how === "add" ? result.add(row) : result.delete(row);
  return [...result];
}
