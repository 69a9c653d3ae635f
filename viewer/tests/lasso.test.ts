import { expect, test } from "vitest";
import { enclosed, isInside, joined, type Point } from "../src/lasso";

// An arrowhead: its notch is outside.
const ARROW: Point[] = [[0, 0], [10, 5], [0, 10], [4, 5]];

test("a place is inside a loop, also of one that is hollow on a side", () => {
  expect(isInside(ARROW, 6, 5)).toBe(true);
  expect(isInside(ARROW, 2, 5)).toBe(false);
  expect(isInside(ARROW, 11, 5)).toBe(false);
  expect(isInside([], 0, 0)).toBe(false);
});

test("a loop catches the shown rows inside, and no others", () => {
  const at = new Float32Array([6, 5, 2, 5, 8, 5, NaN, NaN]);
  expect(enclosed(ARROW, at, new Uint8Array([1, 1, 1, 1]))).toEqual([0, 2]);
  expect(enclosed(ARROW, at, new Uint8Array([1, 1, 0, 1]))).toEqual([0]);
});

test("new rows replace, join or leave the old", () => {
  expect(joined([1, 2], [2, 3], "replace")).toEqual([2, 3]);
  expect(joined([1, 2], [2, 3], "add").sort()).toEqual([1, 2, 3]);
  expect(joined([1, 2], [2, 3], "remove")).toEqual([1]);
});
