import { expect, test } from "vitest";
import { contour, levels } from "../src/view/contours";

/** Heights of a function on a grid of a x b. */
function grid(a: number, b: number, height: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: a * b }, (_, k) => height(Math.floor(k / b), k % b));
}

test("the contour of a slope is a straight line where the slope has that height", () => {
  const stretches = contour(grid(5, 4, (i) => 2 * i), 5, 4, 3);
  expect(stretches).toHaveLength(3);
  for (const [i0, , i1] of stretches) expect([i0, i1]).toEqual([1.5, 1.5]);
});

test("the contour of a bowl is a closed ring at its radius", () => {
  const stretches = contour(grid(41, 41, (i, j) => (i - 20) ** 2 + (j - 20) ** 2), 41, 41, 100.5);
  const ends = new Map<string, number>();
  for (const [i0, j0, i1, j1] of stretches) {
    for (const [i, j] of [[i0, j0], [i1, j1]] as const) {
      expect(Math.hypot(i - 20, j - 20)).toBeCloseTo(Math.sqrt(100.5), 1);
      const key = `${i.toFixed(6)} ${j.toFixed(6)}`;
      ends.set(key, (ends.get(key) ?? 0) + 1);
    }
  }
  expect(new Set(ends.values())).toEqual(new Set([2]));
});

test("where a cell is crossed twice, its middle decides which corners are joined", () => {
  const cut = (heights: number[], corner: readonly [number, number]) =>
    contour(heights, 2, 2, 0.5).filter(([i0, j0, i1, j1]) => Math.hypot(i0 - corner[0], j0 - corner[1]) < 1 && Math.hypot(i1 - corner[0], j1 - corner[1]) < 1).length;
  // Row after row: (0,0), (0,1), (1,0), (1,1). High corners on one diagonal; the middle is high, so the low corners are cut off.
  expect([cut([1.2, 0, 0, 1.2], [0, 1]), cut([1.2, 0, 0, 1.2], [1, 0])]).toEqual([1, 1]);
  // A low middle cuts off the high ones.
  expect([cut([0.8, 0, 0, 0.8], [0, 0]), cut([0.8, 0, 0, 0.8], [1, 1])]).toEqual([1, 1]);
});

test("a cell with a height that is no number has no contour", () => {
  expect(contour(grid(2, 2, (i, j) => (i + j === 2 ? NaN : i)), 2, 2, 0.5)).toEqual([]);
});

test("levels are even on the scale that is drawn", () => {
  expect(levels(0, 4, false, 3)).toEqual([1, 2, 3]);
  levels(1e-4, 1, true, 3).forEach((level, i) => expect(level).toBeCloseTo(10 ** (i - 3), 9));
  expect(levels(2, 2, false, 3)).toEqual([]);
});
