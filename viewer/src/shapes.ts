/** Shapes of points: runs whose hues are the same have others, as in the figures. */

import { HUES } from "./colours";
import type { Pen } from "./view/pen";

/** The corners around (0, 0), for a point of radius 1; none is a circle. All shapes are about as large. */
export type Shape = readonly (readonly [number, number])[];

export const CIRCLE: Shape = [];
const TRIANGLE: Shape = [[0, -1.45], [1.25, 0.75], [-1.25, 0.75]];
const SQUARE: Shape = [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]];
const TURNED: Shape = TRIANGLE.map(([x, y]) => [x, -y] as const);
const SHAPES = [CIRCLE, TRIANGLE, SQUARE, TURNED];

/** How far corners reach, in radii. */
export const REACH = 1.5;

/** The shape of the points of the group with this number. */
export function shapeOf(group: number): Shape {
  return SHAPES[Math.floor(group / HUES.length) % SHAPES.length] as Shape;
}

/** Lay the outline of a point, to be filled or stroked. */
export function outline(pen: Pick<Pen, "beginPath" | "closePath" | "lineTo" | "arc">, shape: Shape, x: number, y: number, radius: number): void {
  pen.beginPath();
  if (shape.length === 0) return pen.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [dx, dy] of shape) pen.lineTo(x + radius * dx, y + radius * dy);
  pen.closePath();
}
