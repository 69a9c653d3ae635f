import { expect, test } from "vitest";
import { dotMask, Raster } from "../src/view/raster";

const BLACK = [0, 0, 0] as const;
const WHITE = [255, 255, 255] as const;

function white(width = 20, height = 16): Raster {
  const raster = new Raster(width, height);
  raster.clear(WHITE);
  return raster;
}

/** How much of the ground is covered, in pixels. */
function covered(raster: Raster): number {
  let sum = 0;
  for (let i = 0; i < raster.pixels.length; i += 4) sum += 1 - (raster.pixels[i] as number) / 255;
  return sum;
}

test("the ground is opaque and has its colour", () => {
  const raster = new Raster(2, 1);
  raster.clear([1, 2, 3]);
  expect([...raster.pixels]).toEqual([1, 2, 3, 255, 1, 2, 3, 255]);
});

test.each([
  [2.3, 4.1, 15.7, 4.1], [3, 2, 3, 14], [2.5, 3.5, 14.25, 9.75], [14.25, 9.75, 2.5, 3.5], [4, 13, 9, 2], [5, 5, 5.4, 5.2],
])("a line from %f %f to %f %f covers its length times its width", (x0, y0, x1, y1) => {
  for (const wide of [0.8, 1.6, 3]) {
    const raster = white();
    raster.line(x0, y0, x1, y1, wide, BLACK, 1);
    const area = Math.hypot(x1 - x0, y1 - y0) * wide;
    expect(Math.abs(covered(raster) - area)).toBeLessThan(0.02 * area + 0.02);
  }
});

test("a line is where it should be: its pixels' mean place is its middle", () => {
  const raster = white(40, 40);
  raster.line(5.25, 7.5, 30.75, 21.5, 1, BLACK, 1);
  let [sum, x, y] = [0, 0, 0];
  for (let i = 0; i < 1600; i++) {
    const share = 1 - (raster.pixels[4 * i] as number) / 255;
    [sum, x, y] = [sum + share, x + share * ((i % 40) + 0.5), y + share * (Math.floor(i / 40) + 0.5)];
  }
  expect(x / sum).toBeCloseTo(18, 1);
  expect(y / sum).toBeCloseTo(14.5, 1);
});

test("a dot covers its disc, and its middle is where it should be to an eighth of a pixel", () => {
  for (const radius of [1.2, 1.7, 3.4]) {
    const mask = dotMask(radius);
    for (const [px, py] of [[8, 8], [8.3, 7.6], [7.99, 8.51]] as const) {
      const raster = white();
      raster.dot(px, py, mask, BLACK, 1);
      const area = Math.PI * radius ** 2;
      expect(Math.abs(covered(raster) - area)).toBeLessThan(0.05 * area);
      let [sum, x, y] = [0, 0, 0];
      for (let i = 0; i < 320; i++) {
        const share = 1 - (raster.pixels[4 * i] as number) / 255;
        [sum, x, y] = [sum + share, x + share * ((i % 20) + 0.5), y + share * (Math.floor(i / 20) + 0.5)];
      }
      expect(Math.abs(x / sum - px)).toBeLessThan(0.15);
      expect(Math.abs(y / sum - py)).toBeLessThan(0.15);
    }
  }
});

test("what lies outside the picture is cut off, and nothing is written beyond it", () => {
  const raster = white(10, 10);
  raster.line(-50, -20, 60, 40, 2, BLACK, 1);
  raster.line(-5, 200, -4, 300, 2, BLACK, 1);
  raster.line(NaN, 0, 5, 5, 2, BLACK, 1);
  for (const [x, y] of [[-1, 5], [10.5, 5], [5, -1], [5, 10.4], [500, 500], [NaN, 1]] as const) raster.dot(x, y, dotMask(2), BLACK, 1);
  expect(raster.pixels.length).toBe(400);
  for (let i = 3; i < 400; i += 4) expect(raster.pixels[i]).toBe(255);
});

test("half a colour is half way to it", () => {
  const raster = white();
  raster.line(0, 5.5, 20, 5.5, 1, BLACK, 0.5);
  expect([127, 128]).toContain(raster.pixels[4 * (5 * 20 + 8)]);
});
