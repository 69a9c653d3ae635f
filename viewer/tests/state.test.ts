import { expect, test } from "vitest";
import { changed, shownRows, START, timesOf, type State } from "../src/state";
import { pace } from "../src/play";
import { kinds, line, scene, star } from "./scenes";

const KEYS = ["a", "b", "c"];

test("the slider stops at every time that occurs, without the optimum's", () => {
  expect(timesOf(scene(star(), line(4)))).toEqual([0, 1, 2, 3]);
});

test("seeking stops the play, and the last stop means everything", () => {
  const playing: State = { ...START, playing: true, step: 1 };
  expect(changed(playing, { kind: "seek", step: 2, count: 5 })).toMatchObject({ playing: false, step: 2 });
  expect(changed(START, { kind: "seek", step: 4, count: 5 }).step).toBeNull();
  expect(changed(START, { kind: "seek", step: -3, count: 5 }).step).toBe(0);
});

test("play starts again from the beginning at the end, runs to the end and stops there", () => {
  let state = changed(START, { kind: "play", count: 3 });
  expect(state).toMatchObject({ playing: true, step: 0 });
  state = changed(state, { kind: "advance", stride: 1, count: 3 });
  expect(state).toMatchObject({ playing: true, step: 1 });
  state = changed(state, { kind: "advance", stride: 1, count: 3 });
  expect(state).toMatchObject({ playing: false, step: null });
});

test("play goes on from where the slider stands, pauses, and does nothing where there is one moment", () => {
  const middle: State = { ...START, step: 1 };
  const playing = changed(middle, { kind: "play", count: 4 });
  expect(playing).toMatchObject({ playing: true, step: 1 });
  expect(changed(playing, { kind: "play", count: 4 })).toMatchObject({ playing: false, step: 1 });
  expect(changed(START, { kind: "play", count: 1 }).playing).toBe(false);
});

test("a late tick after a pause moves nothing", () => {
  const paused: State = { ...START, step: 1 };
  expect(changed(paused, { kind: "advance", stride: 1, count: 9 }).step).toBe(1);
});

test("a click isolates a group and a second click shows all again", () => {
  const alone = changed(START, { kind: "isolate", key: "b", keys: KEYS });
  expect([...alone.hidden]).toEqual(["a", "c"]);
  expect(changed(alone, { kind: "isolate", key: "b", keys: KEYS }).hidden.size).toBe(0);
});

test("a shift-click hides and shows, and hiding the last group shows all again", () => {
  let state = changed(START, { kind: "toggle", key: "a", keys: KEYS });
  expect([...state.hidden]).toEqual(["a"]);
  state = changed(changed(state, { kind: "toggle", key: "b", keys: KEYS }), { kind: "toggle", key: "c", keys: KEYS });
  expect(state.hidden.size).toBe(0);
});

test("points appear when their time has come, and the optimum is always there", () => {
  expect([...shownRows(star(), new Set(), 1)]).toEqual([1, 1, 0, 1, 1, 0, 1]);
});

test("a hidden seed hides its runs alone", () => {
  expect([...shownRows(star(), new Set(["seed 1"]), Infinity)]).toEqual([0, 0, 0, 1, 1, 1, 1]);
});

test("a point that could not be placed is not drawn", () => {
  const map = line(2);
  map.layouts[0]!.coordinates[2] = NaN;
  expect([...shownRows(map, new Set(), Infinity)]).toEqual([1, 0]);
});

test.each([[2], [41], [1000], [20000]])("%d moments play in eight seconds or less, never more than 20 steps a second", (count) => {
  const { interval, stride } = pace(count, false);
  expect(interval).toBeGreaterThanOrEqual(50);
  expect((count / stride) * interval).toBeLessThanOrEqual(8001);
});

test("less motion means a few still pictures, a second or more apart", () => {
  const { interval, stride } = pace(1000, true);
  expect(interval).toBeGreaterThanOrEqual(1000);
  expect(1000 / stride).toBeLessThanOrEqual(8);
});

test("what has no moment is there from the beginning and makes no stop", () => {
  expect(timesOf(scene(kinds()))).toEqual([0, 1, 2]);
  expect([...shownRows(kinds(), new Set(), 0)]).toEqual([1, 1, 0, 0, 1, 1, 1, 1]);
  expect([...shownRows(kinds(), new Set(["run naive"]), 0)]).toEqual([1, 1, 0, 0, 0, 0, 1, 1]);
});
