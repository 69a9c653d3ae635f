/** What stands on top of points: jumps, crosses where runs diverged, the star of the optimum. */

import { css } from "../colours";
import { divergedAfter } from "../scene";
import type { Pen } from "./pen";
import { pointRadius, rimColour, strength, type Picture } from "./picture";

function polygon(pen: Pen, x: number, y: number, radii: readonly number[], corners: number): void {
  pen.beginPath();
  for (let corner = 0; corner < corners; corner++) {
    const angle = (2 * Math.PI * corner) / corners - Math.PI / 2;
    const radius = radii[corner % radii.length] as number;
    pen.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  pen.closePath();
}

/** The jump points, larger than the points, on top of them. */
export function drawJumps(pen: Pen, picture: Picture): void {
  const { map, shown, ages, colouring, theme, projection: { at } } = picture;
  const radius = pointRadius(map.time.length) + 3.6;
  map.runs.forEach((run, index) => {
    const fill = colouring.marks[index];
    if (run.kind !== "retraining" || !fill || !shown[run.start] || run.start === run.stop) return;
    pen.globalAlpha = ages ? Math.max(0.45, strength(ages[run.start] as number)) : 1;
    polygon(pen, at[2 * run.start] as number, at[2 * run.start + 1] as number, [radius], 4);
    pen.lineWidth = 3.4;
    pen.strokeStyle = css(theme.ground);
    pen.stroke();
    pen.fillStyle = fill;
    pen.fill();
    pen.lineWidth = 1.1;
    pen.strokeStyle = rimColour(theme, 0.75);
    pen.stroke();
  });
}

/** A cross on the last point of each run that diverged: what came after has no place, but is a finding. */
export function drawCrosses(pen: Pen, picture: Picture): void {
  const { map, shown, theme, projection: { at } } = picture;
  const arm = pointRadius(map.time.length) + 2.4;
  pen.globalAlpha = 1;
  pen.lineCap = "round";
  for (const run of map.runs) {
    const row = divergedAfter(run);
    if (row === null || !shown[row]) continue;
    const [x, y] = [at[2 * row] as number, at[2 * row + 1] as number];
    for (const [width, colour] of [[4.8, theme.ground], [2, theme.ink]] as const) {
      pen.beginPath();
      for (const side of [-1, 1]) {
        pen.moveTo(x - arm, y - side * arm);
        pen.lineTo(x + arm, y + side * arm);
      }
      pen.lineWidth = width;
      pen.strokeStyle = css(colour);
      pen.stroke();
    }
  }
}

export function drawOptimum(pen: Pen, picture: Picture): void {
  const { map, shown, colouring, theme, projection: { at } } = picture;
  if (map.optimum === null || !shown[map.optimum]) return;
  pen.globalAlpha = 1;
  polygon(pen, at[2 * map.optimum] as number, at[2 * map.optimum + 1] as number, [10.5, 4.4], 10);
  pen.lineJoin = "round";
  pen.lineWidth = 4.5;
  pen.strokeStyle = css(theme.ground);
  pen.stroke();
  pen.fillStyle = colouring.star;
  pen.fill();
  pen.lineWidth = 1.2;
  pen.strokeStyle = css(theme.ink);
  pen.stroke();
}
