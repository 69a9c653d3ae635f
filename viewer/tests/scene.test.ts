import { expect, test } from "vitest";
import { bytes, decoded, divergedAfter, isOrdered, isTimed, runOfRow } from "../src/scene";
import { kinds, run, star } from "./scenes";

const MAP = {
  name: "m", time_label: "epoch", runs: [], facts: [], optimum: null,
  layouts: [{ name: "PHATE", coordinates: { dtype: "float32", shape: [2, 3], offset: 0 }, coordinates_3d: null }],
  time: { dtype: "int32", shape: [2], offset: 24 },
  metrics: [{ name: "loss", label: "loss", scale: "log", unit: "", meaning: "", values: { dtype: "float64", shape: [2], offset: 32 } }],
};
const HEADER = { format: "lossatlas-scene", version: 4, title: "t", summary: "s", maps: [MAP] };

function data(): ArrayBuffer {
  const buffer = new ArrayBuffer(48);
  new Float32Array(buffer, 0, 6).set([1, 2, 3, 4, 5, 6]);
  new Int32Array(buffer, 24, 2).set([7, 8]);
  new Float64Array(buffer, 32, 2).set([0.1, NaN]);
  return buffer;
}

test("numbers come back as they were written, each in its own type", () => {
  const scene = decoded(JSON.stringify(HEADER), data());
  const map = scene.maps[0]!;
  expect(scene.title).toBe("t");
  expect(map.layouts[0]!.coordinates_3d).toBeNull();
  expect([...map.layouts[0]!.coordinates]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...map.time]).toEqual([7, 8]);
  expect([...map.metrics[0]!.values]).toEqual([0.1, NaN]);
});

test.each([
  ["another format", { ...HEADER, format: "x" }, /not a scene/],
  ["a newer version", { ...HEADER, version: 5 }, /version 5.*update/],
  ["an older version", { ...HEADER, version: 1 }, /version 1.*write the page again/],
  ["an unknown type", { ...HEADER, maps: [{ ...MAP, time: { dtype: "int64", shape: [2], offset: 24 } }] }, /int64/],
  ["numbers cut short", { ...HEADER, maps: [{ ...MAP, time: { dtype: "int32", shape: [20], offset: 24 } }] }, /cut short/],
])("%s is refused in words", (_, header, message) => {
  expect(() => decoded(JSON.stringify(header), data())).toThrow(message);
});

test("base64 becomes the bytes it stands for", () => {
  expect([...new Uint8Array(bytes(" AAH/\n"))]).toEqual([0, 1, 255]);
  expect(bytes("").byteLength).toBe(0);
});

test("each row knows its run, and the optimum belongs to none", () => {
  expect([...runOfRow(star())]).toEqual([0, 0, 0, 1, 1, 1, -1]);
});

test("trainings have order and time, paths order alone, samples and slices neither", () => {
  const [, sgd, naive, way] = kinds().runs;
  expect([sgd, naive, way].map((one) => [isOrdered(one!), isTimed(one!)])).toEqual([[true, true], [false, false], [true, false]]);
  expect(isOrdered(run({ kind: "slice" }))).toBe(false);
});

test("a run diverged after its last point, unless it has none or no order", () => {
  expect(kinds().runs.map(divergedAfter)).toEqual([null, 3, null, null]);
  expect(divergedAfter(run({ start: 3, stop: 3, n_diverged: 9 }))).toBeNull();
});
