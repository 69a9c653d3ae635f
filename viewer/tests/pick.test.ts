import { expect, test } from "vitest";
import { counterpart, nearest, stepped, tracks } from "../src/pick";
import { shownRows } from "../src/state";
import { fitted, projection, WHOLE } from "../src/view/camera";
import { layout, line, run, star } from "./scenes";

const SIZE = { width: 260, height: 160 };
const shownAt = (map: ReturnType<typeof line>, hidden: Set<string>, time: number) => shownRows(map, map.layouts[0]!.coordinates, 2, hidden, time);
const ALL = (map: ReturnType<typeof line>) => shownAt(map, new Set(), Infinity);
const placesOf = (map: ReturnType<typeof line>) => projection(map.layouts[0]!, false, fitted(map.layouts[0]!, false, SIZE), WHOLE, SIZE).at;

test("the pointer finds the nearest shown point within reach, and nothing beyond it", () => {
  const map = line(5);
  const places = placesOf(map); // points at x = 30, 80, 130, 180, 230
  expect(nearest(map, ALL(map), places, [84, 83])).toBe(1);
  expect(nearest(map, ALL(map), places, [84, 20])).toBeNull();
  const hidden = ALL(map);
  hidden[1] = 0;
  expect(nearest(map, hidden, places, [84, 83])).toBeNull();
});

test("of points at one place the optimum is found", () => {
  const map = line(3, { layouts: [layout({ coordinates: new Float32Array([0, 0, 0, 0, 0, 0]) })], optimum: 1 });
  expect(nearest(map, ALL(map), placesOf(map), [130, 80])).toBe(1);
});

test("the arrow keys walk along a run and stop at its ends", () => {
  const map = star();
  const step = (row: number | null, key: string) => stepped(map, ALL(map), row, key);
  expect(step(null, "ArrowRight")).toBe(0);
  expect(step(0, "ArrowRight")).toBe(1);
  expect(step(2, "ArrowRight")).toBe(2);
  expect(step(1, "ArrowLeft")).toBe(0);
  expect(step(4, "Home")).toBe(3);
  expect(step(3, "End")).toBe(5);
});

test("up and down go from run to run at the same place, round and round, the optimum among them", () => {
  const map = star();
  const step = (row: number, key: string) => stepped(map, ALL(map), row, key);
  expect(step(1, "ArrowDown")).toBe(4);
  expect(step(4, "ArrowDown")).toBe(6);
  expect(step(6, "ArrowDown")).toBe(0);
  expect(step(1, "ArrowUp")).toBe(6);
});

test("keys skip what is not shown, and find nothing on an empty map", () => {
  const map = star();
  expect(stepped(map, shownAt(map, new Set(["seed 1"]), 0), null, "ArrowRight")).toBe(3);
  expect(stepped(line(0), new Uint8Array(), null, "ArrowRight")).toBeNull();
  expect(tracks(map, shownAt(map, new Set(["seed 1"]), 0))).toEqual([[3], [6]]);
});

test("a point's counterpart is the same moment of the same run on another map", () => {
  const other = line(5, { runs: [run({ name: "b", kind: "retraining", seed: 0, jump: 1, start: 1, stop: 4 })], time: new Float32Array([9, 0, 1, 2, 9]) });
  expect(counterpart(star(), 4, other)).toBe(2);
  expect(counterpart(star(), 1, other)).toBeNull();
  expect(counterpart(star(), 6, star())).toBe(6);
});
