import { expect, test } from "vitest";
import { groupNumbers, groupsOf, jumpSizes } from "../src/groups";
import { kinds, line, run, scene, star } from "./scenes";

test("retrainings group by seed in the order of seeds, other runs stand alone", () => {
  const groups = groupsOf(scene(star(), line(2, { runs: [run({ name: "sgd", stop: 2 })] })));
  expect(groups.map((group) => group.key)).toEqual(["seed 0", "seed 1", "run sgd"]);
  expect(groupNumbers(star(), groups)).toEqual([1, 0]);
});

test("the same run on two maps is one group", () => {
  expect(groupsOf(scene(line(2), line(3)))).toHaveLength(1);
});

test("jump sizes are listed once each, ascending", () => {
  expect(jumpSizes(scene(star(), star(), line(2)))).toEqual([0.5, 1]);
});

test("a group looks in the legend as its run does on the map, and a star takes no hue from the others", () => {
  const groups = groupsOf(scene(kinds()));
  expect(groups.map(({ label, form, number }) => [label, form, number])).toEqual([
    ["optimum", "star", 3], ["sgd", "line", 0], ["naive", "points", 1], ["way", "path", 2],
  ]);
});
