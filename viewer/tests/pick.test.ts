import { expect, test } from "vitest";
import { counterpart, nearest, stepped, tracks } from "../src/pick";
import { shownRows } from "../src/state";
import { fitted, panned, projected, zoomed } from "../src/view/camera";
import { layout, line, run, star } from "./scenes";

const SIZE = { width: 260, height: 160 };
const ALL = (map: ReturnType<typeof line>) => shownRows(map, new Set(), Infinity);

test("the whole map fits into the frame, with one scale for both axes", () => {
  const map = line(3, { layouts: [layout({ coordinates: new Float32Array([0, 0, 10, 5, 10, 0]) })] });
  const camera = fitted(map, SIZE);
  expect(projected(camera, SIZE, 0, 0)).toEqual([30, 130]);
  expect(projected(camera, SIZE, 10, 5)).toEqual([230, 30]);
});

test("one point lies in the middle, and no point is no trouble", () => {
  const map = line(1, { layouts: [layout({ coordinates: new Float32Array([7, -3]) })] });
  expect(projected(fitted(map, SIZE), SIZE, 7, -3)).toEqual([130, 80]);
  expect(fitted(line(0), SIZE).scale).toBe(1);
});

test("zooming leaves the place under the pointer where it is", () => {
  const whole = fitted(line(5), SIZE);
  const place = [200, 40] as const;
  const camera = zoomed(whole, SIZE, place, 3, whole);
  const under = [whole.x + (place[0] - 130) / whole.scale, whole.y + (80 - place[1]) / whole.scale] as const;
  const [x, y] = projected(camera, SIZE, ...under);
  expect(x).toBeCloseTo(200, 9);
  expect(y).toBeCloseTo(40, 9);
  expect(camera.scale).toBeCloseTo(3 * whole.scale, 9);
});

test("dragging moves the map with the pointer", () => {
  const camera = fitted(line(5), SIZE);
  const [x, y] = projected(camera, SIZE, 2, 0);
  const [movedX, movedY] = projected(panned(camera, 12, -5), SIZE, 2, 0);
  expect(movedX - x).toBeCloseTo(12, 9);
  expect(movedY - y).toBeCloseTo(-5, 9);
});

test("the pointer finds the nearest shown point within reach, and nothing beyond it", () => {
  const map = line(5);
  const camera = fitted(map, SIZE); // points at x = 30, 80, 130, 180, 230
  expect(nearest(map, ALL(map), camera, SIZE, [84, 83])).toBe(1);
  expect(nearest(map, ALL(map), camera, SIZE, [84, 20])).toBeNull();
  const hidden = ALL(map);
  hidden[1] = 0;
  expect(nearest(map, hidden, camera, SIZE, [84, 83])).toBeNull();
});

test("of points at one place the optimum is found", () => {
  const map = line(3, { layouts: [layout({ coordinates: new Float32Array([0, 0, 0, 0, 0, 0]) })], optimum: 1 });
  expect(nearest(map, ALL(map), fitted(map, SIZE), SIZE, [130, 80])).toBe(1);
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
  expect(stepped(map, shownRows(map, new Set(["seed 1"]), 0), null, "ArrowRight")).toBe(3);
  expect(stepped(line(0), new Uint8Array(), null, "ArrowRight")).toBeNull();
  expect(tracks(map, shownRows(map, new Set(["seed 1"]), 0))).toEqual([[3], [6]]);
});

test("a point's counterpart is the same moment of the same run on another map", () => {
  const other = line(5, { runs: [run({ name: "b", kind: "retraining", seed: 0, jump: 1, start: 1, stop: 4 })], time: new Float32Array([9, 0, 1, 2, 9]) });
  expect(counterpart(star(), 4, other)).toBe(2);
  expect(counterpart(star(), 1, other)).toBeNull();
  expect(counterpart(star(), 6, star())).toBe(6);
});
