import { expect, test } from "vitest";
import { addressOf, stateOf } from "../src/address";
import { START, type State } from "../src/state";
import { WHOLE } from "../src/view/camera";

const near = { ...WHOLE, zoom: 2.5, right: 0.125, up: -0.25, yaw: 0.5, pitch: 0.75 };
const COUNTS = [10, 20];

function there(state: State): State {
  return stateOf(`#${addressOf(state)}`, COUNTS);
}

test("a page as it opens needs no address, and no address means a page as it opens", () => {
  expect(addressOf(START)).toBe("");
  expect(stateOf("", COUNTS)).toEqual(START);
});

test.each<[string, Partial<State>]>([
  ["the colour", { colour: "metric:test_loss" }],
  ["the layout", { layout: "t-SNE & co = ?" }],
  ["depth", { is3d: true }],
  ["the moment", { step: 7 }],
  ["what is hidden", { hidden: new Set(["seed 0", "run a b/c#&\n"]) }],
  ["the reader's names", { names: new Map([["seed 0", "the <good> one"], ["run x", "y=z&"]]) }],
  ["linked views", { views: new Map([[0, near], [1, near]]) }],
  ["views apart", { isLinked: false, views: new Map([[1, near]]) }],
  ["open panels", { open: new Set(["valleys", "runs"] as const) }],
  ["no open panel", { open: new Set<never>() }],
  ["the curves' metric", { curve: "accuracy" }],
  ["the scheme", { scheme: "dark" }],
  ["a selection", { selection: { map: 1, rows: [0, 1, 2, 5, 7, 8] } }],
])("%s comes back", (_, fields) => {
  const state = { ...START, ...fields };
  expect(there(state)).toEqual(state);
});

test("what is of the moment alone is left out", () => {
  expect(addressOf({ ...START, playing: true, place: { map: 0, row: 1 }, tool: "lasso" })).toBe("");
});

test("what cannot be read, or is not of this scene, is passed over", () => {
  const address = "#step=-2&view=1 2 x 0 0&select=1: 3 99-200 a-b 4&scheme=pink&open=valleys nonsense&name=alone&select=7: 1";
  expect(stateOf(address, COUNTS)).toEqual({ ...START, open: new Set(["valleys"]), selection: { map: 1, rows: [3, 4] } });
  expect(stateOf("#select=9: 1&view=0 0 0 0 0&%%%", COUNTS)).toEqual(START);
});

test("an address of any length is read at once, and rows of no map are none", () => {
  const ranges = Array.from({ length: 5000 }, () => "0-999999999").join(" ");
  expect(stateOf(`#select=1: ${ranges}`, COUNTS).selection?.rows).toHaveLength(20);
  expect(stateOf("#select=0: ", COUNTS).selection).toBeNull();
});
