/** Lines and points of a map with many thousand rows, straight into the canvas' pixels. */

import type { Colour } from "../colours";
import { isOrdered } from "../scene";
import { inOrder, isPath, opacity, pathRows, pointRadius, strength, THIN, type Picture } from "./picture";
import { dotMask, Raster } from "./raster";

const palettes = new WeakMap<readonly string[], readonly Colour[]>();

function coloursOf(palette: readonly string[]): readonly Colour[] {
  let colours = palettes.get(palette);
  if (!colours) {
    colours = palette.map((name) => (name.match(/\d+/g) ?? []).slice(0, 3).map(Number) as unknown as Colour);
    palettes.set(palette, colours);
  }
  return colours;
}

let held: Raster | null = null;

/** All but paths and new points, over the whole canvas. */
export function drawDense(context: CanvasRenderingContext2D, picture: Picture): void {
  const { map, shown, ages, picked, colouring, theme, size, ratio, projection: { at } } = picture;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (!held || held.width !== width || held.height !== height) held = new Raster(width, height);
  const raster = held;
  raster.clear(theme.ground);
  const colours = coloursOf(colouring.palette);
  const colourOf = (row: number) => colours[colouring.index[row] as number] as Colour;
  for (const run of map.runs) {
    if (isPath(run) || !isOrdered(run)) continue;
    for (let row = run.start + 1; row < run.stop; row++) {
      if (!shown[row] || !shown[row - 1]) continue;
      const alpha = 0.7 * (ages ? strength(ages[row] as number) : 1) * (picked && !picked[row] ? 0.35 : 1);
      const i = 2 * row;
      raster.line(at[i - 2]! * ratio, at[i - 1]! * ratio, at[i]! * ratio, at[i + 1]! * ratio, THIN * ratio, colourOf(row), alpha);
    }
  }
  const mask = dotMask(pointRadius(map.time.length) * ratio);
  const paths = pathRows(map);
  inOrder(picture, (row) => {
    if (row === map.optimum || paths[row] || map.provisional?.[row]) return;
    raster.dot(at[2 * row]! * ratio, at[2 * row + 1]! * ratio, mask, colourOf(row), opacity(picture, row));
  });
  context.putImageData(new ImageData(raster.pixels as Uint8ClampedArray<ArrayBuffer>, width, height), 0, 0);
}
