import { expect, test } from "vitest";
import { ages, colouring } from "../src/colouring";
import { type Colour, colourModes, colourScale, dash, hue, HUES, position, valuesOf, viridis } from "../src/colours";
import { groupsOf } from "../src/groups";
import type { Theme } from "../src/theme";
import { kinds, line, metric, run, scene, star } from "./scenes";

const THEME: Theme = { ground: [255, 255, 255], ink: [0, 0, 0], paper: [255, 255, 255], muted: [90, 90, 90], line: [230, 230, 230], missing: [1, 2, 3], pale: [200, 200, 200], isDark: false };

test("viridis runs from its purple to its yellow and stays there beyond the ends", () => {
  expect(viridis(0)).toEqual([68, 1, 84]);
  expect(viridis(0.5)).toEqual([33, 145, 140]);
  expect(viridis(1)).toEqual([253, 231, 37]);
  expect(viridis(7)).toEqual(viridis(1));
});

test("every hue is seen on light and on dark paper", () => {
  const linear = (level: number): number => (level <= 10 ? level / 255 / 12.92 : ((level / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]: Colour): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  for (const paper of [[255, 255, 255], [20, 23, 27]] as const) {
    for (const one of HUES) {
      const [low, high] = [luminance(one), luminance(paper)].sort((a, b) => a - b) as [number, number];
      expect((high + 0.05) / (low + 0.05), `${one} on ${paper}`).toBeGreaterThan(2.2); // WCAG's ratio
    }
  }
});

test("groups that share a hue differ in their dashes", () => {
  expect(hue(0)).toEqual(hue(HUES.length));
  expect(dash(0)).not.toEqual(dash(HUES.length));
});

test("the range is shared by all maps, and what has no value is counted", () => {
  const few = line(2, { metrics: [metric({ scale: "log", values: new Float32Array([0.01, NaN]) })] });
  const more = line(2, { metrics: [metric({ scale: "log", values: new Float32Array([10, 0]) })] });
  const scale = colourScale(scene(few, more, line(3)), null, "metric:loss")!;
  expect(scale.low).toBeCloseTo(0.01, 6);
  expect([scale.high, scale.missing, scale.clipped]).toEqual([10, 4, 1]);
});

test("a log scale puts equal ratios at equal distances, and 0 at its low end", () => {
  const scale = { ...colourScale(scene(line(3)), null, "time")!, scale: "log" as const, low: 0.01, high: 100 };
  expect(position(scale, 1)).toBeCloseTo(0.5, 12);
  expect(position(scale, 0)).toBe(0);
  expect(position(scale, NaN)).toBeNaN();
});

test("a single value has a place, and no value at all has none", () => {
  const scale = colourScale(scene(line(1)), null, "time")!;
  expect(position(scale, 0)).toBe(0.5);
  const none = colourScale(scene(line(1, { metrics: [metric({ values: new Float32Array([NaN]) })] })), null, "metric:loss")!;
  expect(position(none, 1)).toBeNaN();
});

test("colours can mean runs, time, jumps where there are any, and each metric once", () => {
  const values = new Float32Array(7);
  const map = { ...star(), metrics: [metric({ values })] };
  expect(colourModes(scene(map, map), null).map((mode) => mode.id)).toEqual(["run", "time", "jump", "metric:loss"]);
  expect(colourModes(scene(line(2)), null).map((mode) => mode.id)).toEqual(["run", "time"]);
});

test("the epoch at which the optimum was found does not stretch the scale of time", () => {
  const scale = colourScale(scene(star()), null, "time")!;
  expect([scale.low, scale.high, scale.missing]).toEqual([0, 2, 0]);
});

test("every point of a retraining has the size of its jump", () => {
  expect([...valuesOf(star(), null, "jump")!]).toEqual([0.5, 0.5, 0.5, 1, 1, 1, NaN]);
});

test("a point without a value is grey", () => {
  const map = line(2, { metrics: [metric({ values: new Float32Array([1, NaN]) })] });
  const scale = colourScale(scene(map), null, "metric:loss");
  const { palette, index } = colouring(map, { colour: "metric:loss", layout: null }, scale, groupsOf(scene(map)), [], THEME);
  expect(palette[index[1]!]).toBe("rgb(1 2 3)");
  expect(palette[index[0]!]).not.toBe("rgb(1 2 3)");
});

test("by run, a retraining starts in its seed's own hue and fades; a training ends in it", () => {
  const map = line(6, { runs: [run({ kind: "retraining", seed: 0, jump: 1, stop: 3 }), run({ start: 3, stop: 6 })] });
  const { palette, index } = colouring(map, { colour: "run", layout: null }, null, groupsOf(scene(map)), [1], THEME);
  expect(palette[index[0]!]).toBe(`rgb(${hue(0).join(" ")})`);
  expect(palette[index[2]!]).not.toBe(palette[index[0]!]);
  expect(palette[index[5]!]).toBe(`rgb(${hue(1).join(" ")})`);
});

test("the largest jump is drawn in ink and the smallest pale", () => {
  const map = star();
  expect(colouring(map, { colour: "run", layout: null }, null, groupsOf(scene(map)), [0.5, 1], THEME).marks).toEqual(["rgb(200 200 200)", "rgb(0 0 0)"]);
});

test("the tail fades with age, and a run that has ended keeps its end", () => {
  const map = line(20);
  const times = [...map.time];
  const old = ages(map, times, 10);
  expect(old[10]).toBe(0);
  expect(old[8]).toBeGreaterThan(0);
  expect(old[8]).toBeLessThan(old[5]!);
  const short = line(5);
  expect(ages(short, times, 19)[4]).toBe(0);
});

test("samples and paths have the hue that the legend says, and fade neither by run nor when time plays", () => {
  const map = kinds();
  const groups = groupsOf(scene(map));
  const { palette, index } = colouring(map, { colour: "run", layout: null }, null, groups, [], THEME);
  for (const [row, name] of [[4, "naive"], [5, "naive"], [6, "way"], [7, "way"], [3, "sgd"]] as const) {
    const group = groups.find(({ label }) => label === name)!;
    expect(palette[index[row]!]).toBe(`rgb(${hue(group.number).join(" ")})`);
  }
  const old = ages(map, [0, 1, 2], 2);
  expect([...old.slice(4)]).toEqual([0, 0, 0, 0]);
  expect(old[1]).toBeGreaterThan(0);
});

test("what has no moment has no colour by time, and a scene without moments no such choice", () => {
  expect([...valuesOf(kinds(), null, "time")!].slice(1)).toEqual([0, 1, 2, NaN, NaN, NaN, NaN]);
  const still = line(2, { runs: [run({ kind: "sample", stop: 2 })] });
  expect(colourModes(scene(still), null).map((mode) => mode.id)).toEqual(["run"]);
});
