import { expect, test } from "vitest";
import { changed, selectionOf, shownRows, START, timesOf, type State } from "../src/state";
import { pace } from "../src/play";
import type { SceneMap } from "../src/scene";
import { WHOLE } from "../src/view/camera";
import { kinds, line, run, scene, star } from "./scenes";

/** The shown rows of a map on its first layout. */
function rowsOf(map: SceneMap, hidden: ReadonlySet<string>, time: number): Uint8Array {
  return shownRows(map, map.layouts[0]!.coordinates, 2, hidden, time);
}

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
  expect([...rowsOf(star(), new Set(), 1)]).toEqual([1, 1, 0, 1, 1, 0, 1]);
});

test("a hidden seed hides its runs alone", () => {
  expect([...rowsOf(star(), new Set(["seed 1"]), Infinity)]).toEqual([0, 0, 0, 1, 1, 1, 1]);
});

test("a point that could not be placed is not drawn", () => {
  const map = line(2);
  map.layouts[0]!.coordinates[2] = NaN;
  expect([...rowsOf(map, new Set(), Infinity)]).toEqual([1, 0]);
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
  expect([...rowsOf(kinds(), new Set(), 0)]).toEqual([1, 1, 0, 0, 1, 1, 1, 1]);
  expect([...rowsOf(kinds(), new Set(["run naive"]), 0)]).toEqual([1, 1, 0, 0, 0, 0, 1, 1]);
});

test("a selection is in order, holds each row once, and none of nothing", () => {
  expect(selectionOf(1, [5, 2, 5])).toEqual({ map: 1, rows: [2, 5] });
  expect(selectionOf(0, [])).toBeNull();
});

test("linked maps move together, others alone, and linking takes over the view that is seen", () => {
  const near = { ...WHOLE, zoom: 3 };
  const both = changed(START, { kind: "view", map: 1, view: near, count: 2 });
  expect([...both.views.entries()]).toEqual([[0, near], [1, near]]);
  const apart = changed(START, { kind: "link", isLinked: false, count: 2 });
  const one = changed(apart, { kind: "view", map: 1, view: near, count: 2 });
  expect([...one.views.entries()]).toEqual([[1, near]]);
  expect(changed(one, { kind: "link", isLinked: true, count: 2 }).views).toEqual(new Map([[0, near], [1, near]]));
  // The one that was moved last, not the one of the highest number.
  const far = changed(one, { kind: "view", map: 0, view: { ...WHOLE, zoom: 9 }, count: 2 });
  const last = changed(far, { kind: "view", map: 1, view: near, count: 2 });
  expect(changed(changed(last, { kind: "view", map: 0, view: WHOLE, count: 2 }), { kind: "link", isLinked: true, count: 2 }).views.get(1)).toEqual(WHOLE);
});

test("a group has the reader's name until that is empty", () => {
  const named = changed(START, { kind: "rename", key: "run sgd", name: " baseline " });
  expect(named.names.get("run sgd")).toBe("baseline");
  expect(changed(named, { kind: "rename", key: "run sgd", name: " " }).names.size).toBe(0);
});

test("going into depth and back forgets where the camera was", () => {
  const moved = changed(START, { kind: "view", map: 0, view: { ...WHOLE, zoom: 3 }, count: 1 });
  expect(changed(moved, { kind: "3d", is3d: true })).toMatchObject({ is3d: true, views: new Map() });
});

test("panels open and close one by one", () => {
  const open = changed(START, { kind: "open", panel: "valleys", isOpen: true });
  expect([...open.open].sort()).toEqual(["curves", "valleys"]);
  expect([...changed(open, { kind: "open", panel: "curves", isOpen: false }).open]).toEqual(["valleys"]);
});

test("when runs have grown, what was picked stays the same points, and the moment the same time", () => {
  const old = scene(line(6, {
    runs: [run({ name: "a", stop: 3 }), run({ name: "b", start: 3, stop: 6 })], time: new Float32Array([0, 1, 2, 0, 1, 2]),
  }));
  const grown = scene(line(9, {
    runs: [run({ name: "a", stop: 5 }), run({ name: "b", start: 5, stop: 9 })], time: new Float32Array([0, 1, 1.5, 2, 3, 0, 1, 2, 3]),
  }));
  const state: State = { ...START, step: 1, place: { map: 0, row: 4 }, selection: { map: 0, rows: [2, 3, 5] } };
  const there = changed(state, { kind: "scene", from: old, to: grown });
  expect(there).toMatchObject({ step: 1, place: { map: 0, row: 6 }, selection: { map: 0, rows: [3, 5, 7] } });
  // And when they have gone, nothing is picked.
  const gone = changed(state, { kind: "scene", from: grown, to: scene(line(1, { runs: [] })) });
  expect(gone).toMatchObject({ place: null, selection: null });
});

test("groups that are no longer there do not count as hidden", () => {
  const state = { ...START, hidden: new Set(["gone"]) };
  expect([...changed(state, { kind: "toggle", key: "a", keys: KEYS }).hidden]).toEqual(["a"]);
  expect([...changed(state, { kind: "isolate", key: "a", keys: KEYS }).hidden]).toEqual(["b", "c"]);
});

test("playing from beyond the end begins at the beginning", () => {
  expect(changed({ ...START, step: 50 }, { kind: "play", count: 10 })).toMatchObject({ playing: true, step: 0 });
});
