import { expect, test } from "vitest";
import { groupNameOf, groupNumbers, groupsOf, jumpSizes, nameOf } from "../src/groups";
import { shownRows } from "../src/state";
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

test("runs of one group are one group, on whatever map, and retrainings are of their seed whatever they say", () => {
  const of = (group: string | null, name: string, start: number) => run({ name, group, start, stop: start + 1 });
  const first = line(4, { runs: [of("Adam", "a0", 0), of("SGD", "s0", 1), of("Adam", "a1", 2), of(null, "Adam", 3)] });
  const second = line(2, { runs: [of("Adam", "a1", 0), of("Adam", "a2", 1)] });
  const around = { ...star(), runs: star().runs.map((one) => ({ ...one, group: "Adam" })) };
  const found = groupsOf(scene(first, second, around));
  expect(found.map(({ key, kind, count, number }) => [key, kind, count, number])).toEqual([
    ["seed 0", "seed", 1, 0], ["seed 1", "seed", 1, 1], ["group Adam", "group", 3, 2], ["group SGD", "group", 1, 3], ["run Adam", "run", 1, 4],
  ]);
  expect(groupNumbers(first, found)).toEqual([2, 3, 2, 4]);
  expect(groupNumbers(second, found)).toEqual([2, 2]);
});

test("a group of several kinds looks as its lines do, else as its paths, else as its points", () => {
  const mixed = (...names: string[]) =>
    groupsOf(scene({ ...kinds(), runs: kinds().runs.filter((one) => names.includes(one.name)).map((one) => ({ ...one, group: "g" })) }))[0]!.form;
  expect(mixed("optimum", "naive", "way", "sgd")).toBe("line");
  expect(mixed("optimum", "naive", "way")).toBe("path");
  expect(mixed("optimum", "naive")).toBe("points");
  expect(mixed("optimum")).toBe("star");
});

test("a run of a group keeps its name, and its group is called as the reader calls it", () => {
  const names = new Map([["group g", "mine"], ["run alone", "other"], ["seed 1", "first"]]);
  const grouped = run({ name: "r", group: "g" });
  expect([nameOf(grouped, names), groupNameOf(grouped, names), groupNameOf(grouped, new Map())]).toEqual(["r", "mine", "g"]);
  const alone = run({ name: "alone" });
  expect([nameOf(alone, names), groupNameOf(alone, names)]).toEqual(["other", null]);
  expect(nameOf(star().runs[0]!, names)).toBe("first: a");
});

test("a hidden group hides all its runs", () => {
  const map = line(3, { runs: [run({ name: "a", group: "g", stop: 1 }), run({ name: "b", start: 1, stop: 2 }), run({ name: "c", group: "g", start: 2, stop: 3 })] });
  expect([...shownRows(map, map.layouts[0]!.coordinates, 2, new Set(["group g"]), Infinity)]).toEqual([0, 1, 0]);
});
