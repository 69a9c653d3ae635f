import { expect, test } from "vitest";
import { colouring } from "../src/colouring";
import { HUES } from "../src/colours";
import { groupsOf } from "../src/groups";
import { CIRCLE, outline, REACH, shapeOf } from "../src/shapes";
import type { Theme } from "../src/theme";
import { draw } from "../src/view/draw";
import { SvgPen } from "../src/view/svg";
import { line, run, scene } from "./scenes";

const THEME: Theme = { ground: [255, 255, 255], ink: [0, 0, 0], paper: [255, 255, 255], muted: [90, 90, 90], line: [230, 230, 230], missing: [1, 2, 3], pale: [200, 200, 200], isDark: false };

test("groups that share a hue differ in the shape of their points, which are about as large", () => {
  const shapes = [0, 1, 2, 3].map((round) => shapeOf(round * HUES.length));
  expect(shapes[0]).toBe(CIRCLE);
  expect(shapeOf(HUES.length - 1)).toBe(CIRCLE);
  expect(new Set(shapes).size).toBe(4);
  for (const corners of shapes.slice(1)) {
    const twice = corners.reduce((sum, [x, y], i) => {
      const [nextX, nextY] = corners[(i + 1) % corners.length]!;
      return sum + x * nextY - y * nextX;
    }, 0);
    expect(Math.abs(twice) / 2 / Math.PI).toBeGreaterThan(0.8);
    expect(Math.abs(twice) / 2 / Math.PI).toBeLessThan(1.1);
    expect(Math.max(...corners.map(([x, y]) => Math.hypot(x, y)))).toBeLessThanOrEqual(REACH);
  }
});

test("an outline goes round its corners", () => {
  const pen = new SvgPen();
  outline(pen, [[0, -1], [1, 0], [-1, 0]], 10, 20, 2);
  pen.fill();
  expect(pen.document(30, 30, "t")).toContain('d="M10 18L12 20L8 20Z"');
});

/** So many runs of three points each, a run a line; the last row is that of the last run's last point. */
function drawn(count: number) {
  const map = line(3 * count, { runs: Array.from({ length: count }, (_, i) => run({ name: `r${i}`, start: 3 * i, stop: 3 * i + 3 })) });
  const groups = groupsOf(scene(map));
  const at = Float32Array.from({ length: 6 * count }, (_, i) => (i % 2 === 0 ? 5 * (i / 2) : 7));
  const pen = new SvgPen();
  draw(pen, {
    map, shown: new Uint8Array(3 * count).fill(1), picked: null, ages: null, scale: 1, size: { width: 200, height: 100 }, ratio: 1, theme: THEME,
    colouring: colouring(map, { colour: "run", layout: null }, null, groups, [], THEME), projection: { at, depth: null },
  });
  return pen.document(200, 100, "t");
}

const CIRCLES = /d="M[^"]*a[^"]*" fill="rgb/g;

test("the ninth run has dashes that go on from one short piece to the next, and points of another shape", () => {
  const eight = drawn(8);
  expect(eight).not.toMatch(/stroke-dasharray/);
  expect(eight.match(CIRCLES)!.length).toBe(24);
  const nine = drawn(9);
  // Pieces are 5 long: the second goes on where the first ended.
  expect([...nine.matchAll(/stroke-dasharray="7 3"( stroke-dashoffset="5")?/g)].map(([, offset]) => offset ?? "").sort()).toEqual(["", ' stroke-dashoffset="5"']);
  expect(nine.match(CIRCLES)!.length).toBe(24);
  expect(nine.match(/d="M[\d.]+ [\d.]+L[\d.]+ [\d.]+L[\d.]+ [\d.]+Z" fill="rgb/g)!.length).toBe(3);
});
