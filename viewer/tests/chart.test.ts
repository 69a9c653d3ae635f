import { expect, test } from "vitest";
import { axisOf, frameOf, valueAt, xOf, yOf } from "../src/view/chart";

const SIZE = { width: 300, height: 200 };

test("an axis holds every number that it can show", () => {
  expect(axisOf([3, NaN, 1, Infinity], "linear", "a")).toMatchObject({ low: 1, high: 3 });
  expect(axisOf([3, 0, -1, 0.1], "log", "a")).toMatchObject({ low: 0.1, high: 3 });
});

test("one number stands in the middle, and none is no trouble", () => {
  for (const scale of ["linear", "log"] as const) {
    const frame = frameOf(SIZE, axisOf([5], scale, ""), axisOf([], scale, ""));
    expect(xOf(frame, 5)).toBeCloseTo((frame.left + frame.right) / 2, 9);
    expect(frame.y.high).toBeGreaterThan(frame.y.low);
  }
});

test("places and values are each other's way back", () => {
  for (const scale of ["linear", "log"] as const) {
    const frame = frameOf(SIZE, axisOf([0.1, 10], scale, ""), axisOf([0.1, 10], scale, ""));
    expect(valueAt(frame, xOf(frame, 2.5))).toBeCloseTo(2.5, 9);
    expect(yOf(frame, 10)).toBeCloseTo(frame.top, 9);
    expect(yOf(frame, 0.1)).toBeCloseTo(frame.bottom, 9);
  }
});
