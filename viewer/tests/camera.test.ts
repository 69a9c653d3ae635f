import { expect, test } from "vitest";
import { ASLANT, fitted, isWhole, moved, panned, projected, projection, turned, WHOLE, zoomed } from "../src/view/camera";
import { layout, line } from "./scenes";

const SIZE = { width: 260, height: 160 };
const flat = (numbers: number[]) => layout({ coordinates: new Float32Array(numbers) });
const ROW = line(5).layouts[0]!;
const whole = fitted(ROW, false, SIZE);

test("the whole map fits into the frame, with one scale for both axes", () => {
  const camera = fitted(flat([0, 0, 10, 5, 10, 0]), false, SIZE);
  expect(projected(camera, SIZE, 0, 0)).toEqual([30, 130]);
  expect(projected(camera, SIZE, 10, 5)).toEqual([230, 30]);
});

test("one point lies in the middle, and no point is no trouble", () => {
  expect(projected(fitted(flat([7, -3]), false, SIZE), SIZE, 7, -3)).toEqual([130, 80]);
  expect(fitted(flat([]), false, SIZE).scale).toBe(1);
  expect(fitted(flat([NaN, NaN]), false, SIZE).scale).toBe(1);
});

test("every row lies where the camera of its view says", () => {
  const view = { ...WHOLE, zoom: 3, right: 0.1, up: -0.2 };
  const camera = moved(whole, view, SIZE);
  const { at, depth } = projection(ROW, false, whole, view, SIZE);
  expect(depth).toBeNull();
  for (let row = 0; row < 5; row++) {
    const [x, y] = projected(camera, SIZE, row, 0);
    expect(at[2 * row]).toBeCloseTo(x, 3);
    expect(at[2 * row + 1]).toBeCloseTo(y, 3);
  }
});

test("zooming leaves the place under the pointer where it is", () => {
  const place = [200, 40] as const;
  const camera = moved(whole, zoomed(WHOLE, SIZE, place, 3), SIZE);
  const under = [whole.x + (place[0] - 130) / whole.scale, whole.y + (80 - place[1]) / whole.scale] as const;
  const [x, y] = projected(camera, SIZE, ...under);
  expect(x).toBeCloseTo(200, 9);
  expect(y).toBeCloseTo(40, 9);
  expect(camera.scale).toBeCloseTo(3 * whole.scale, 9);
});

test("dragging moves the map with the pointer, however near it is", () => {
  const near = { ...WHOLE, zoom: 4 };
  const [x, y] = projected(moved(whole, near, SIZE), SIZE, 2, 0);
  const [movedX, movedY] = projected(moved(whole, panned(near, SIZE, 12, -5), SIZE), SIZE, 2, 0);
  expect(movedX - x).toBeCloseTo(12, 9);
  expect(movedY - y).toBeCloseTo(-5, 9);
  expect(isWhole(near)).toBe(false);
  expect(isWhole(ASLANT)).toBe(true);
});

const DEEP = layout({
  coordinates: new Float32Array([1, 0, -1, 0, 0, 1, 0, 0]),
  coordinates_3d: new Float32Array([1, 0, 0, -1, 0, 0, 0, 1, 0, 0, 0, 1]),
});
const ball = fitted(DEEP, true, SIZE);

test("seen from the front, the first two axes of a map in depth are those of the plane, and the third comes towards the reader", () => {
  const { at, depth } = projection(DEEP, true, ball, WHOLE, SIZE);
  expect([at[0], at[1]]).toEqual([projected(ball, SIZE, 1, 0)[0], projected(ball, SIZE, 1, 0)[1]].map(Math.fround));
  expect(at[5]).toBeLessThan(at[1] as number); // up is up
  expect(depth![3]).toBe(0); // the nearest
});

test("turning keeps every point within the frame and its distance from the middle in space", () => {
  const distances = (yaw: number, pitch: number) => {
    const { at } = projection(DEEP, true, ball, { ...WHOLE, yaw, pitch }, SIZE);
    return [0, 1, 2, 3].map((row) => Math.hypot((at[2 * row] as number) - 130, (at[2 * row + 1] as number) - 80));
  };
  const middle = [ball.x, ball.y, ball.z];
  const radii = [0, 1, 2, 3].map((row) => ball.scale * Math.hypot(...middle.map((m, axis) => (DEEP.coordinates_3d![3 * row + axis] as number) - m)));
  for (const [yaw, pitch] of [[0.3, 0.2], [2, -1], [4, 1.5]] as const) {
    distances(yaw, pitch).forEach((distance, row) => expect(distance).toBeLessThanOrEqual((radii[row] as number) + 1e-3));
  }
  expect(Math.max(...radii)).toBeLessThanOrEqual(50 + 1e-9);
});

test("a drag to the right moves what is near to the right, and one down moves it down", () => {
  const near = 3; // the point that comes towards the reader
  const place = (view: typeof WHOLE) => projection(DEEP, true, ball, view, SIZE).at.subarray(2 * near, 2 * near + 2);
  const before = place(WHOLE);
  expect(place(turned(WHOLE, SIZE, 20, 0))[0]).toBeGreaterThan(before[0] as number);
  expect(place(turned(WHOLE, SIZE, 0, 20))[1]).toBeGreaterThan(before[1] as number);
  expect(turned(WHOLE, SIZE, 0, 10_000).pitch).toBe(Math.PI / 2);
});
