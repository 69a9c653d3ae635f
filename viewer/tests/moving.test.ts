import { expect, test } from "vitest";
import { between, carried, eased } from "../src/moving";
import { line, run } from "./scenes";

test("a move begins and ends where it should, and is half way at half time", () => {
  expect([eased(-1), eased(0), eased(0.5), eased(1), eased(2)]).toEqual([0, 0, 0.5, 1, 1]);
  const [from, to] = [new Float32Array([0, 0]), new Float32Array([10, -4])];
  expect([...between(from, to, 0.25)]).toEqual([2.5, -1]);
  expect([...between(from, to, 1)]).toEqual([10, -4]);
});

test("a point without a place on one side is where the other has it", () => {
  expect([...between(new Float32Array([NaN, 1]), new Float32Array([5, NaN]), 0.5)]).toEqual([5, 1]);
});

test("points of a map that grew come from where they were, run by run, and new ones appear in place", () => {
  const old = line(4, { runs: [run({ name: "a", stop: 2 }), run({ name: "b", start: 2, stop: 4 })] });
  const grown = line(6, { runs: [run({ name: "a", stop: 3 }), run({ name: "b", start: 3, stop: 5 }), run({ name: "c", start: 5, stop: 6 })] });
  const places = Float32Array.from({ length: 8 }, (_, i) => i);
  const target = new Float32Array(12).fill(99);
  expect([...carried(old, places, grown, target)]).toEqual([0, 1, 2, 3, 99, 99, 4, 5, 6, 7, 99, 99]);
  expect(carried(old, places, old, target)).toBe(places);
});
