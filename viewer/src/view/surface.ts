/** The loss over a plane of weights: as contours seen from above, or as a surface with its depth. */

import { css, viridis, type Colour } from "../colours";
import type { Surface } from "../scene";
import type { Theme } from "../theme";
import type { Size } from "./camera";
import { contour, levels } from "./contours";

export interface Heights {
  readonly low: number;
  readonly high: number;
  readonly isLog: boolean;
  readonly missing: number; // cells without a number
  readonly share: (value: number) => number; // 0 to 1; NaN where there is no number
}

const LINES = 12;

export function heightsOf(surface: Surface): Heights {
  const values = Array.from(surface.loss as Float32Array);
  const isLog = surface.scale === "log";
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
    [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  const missing = values.filter((value) => !Number.isFinite(value)).length;
  const share = (value: number) => {
    if (!Number.isFinite(value) || low > high) return NaN;
    if (low === high) return 0.5;
    if (isLog) return value <= 0 ? 0 : Math.min(1, Math.max(0, Math.log(value / low) / Math.log(high / low)));
    return Math.min(1, Math.max(0, (value - low) / (high - low)));
  };
  return { low, high, isLog, missing, share };
}

/** From the surface's own axes to the canvas, one scale for both, as large as fits. */
export interface Flat {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

const MARGIN = 14;

export function flat(surface: Surface, size: Size): Flat {
  const [x0, x1] = [surface.x[0] as number, surface.x[surface.x.length - 1] as number];
  const [y0, y1] = [surface.y[0] as number, surface.y[surface.y.length - 1] as number];
  const scale = Math.min((size.width - 2 * MARGIN) / (x1 - x0 || 1), (size.height - 2 * MARGIN) / (y1 - y0 || 1));
  return {
    x: (value) => size.width / 2 + (value - (x0 + x1) / 2) * scale,
    y: (value) => size.height / 2 - (value - (y0 + y1) / 2) * scale,
  };
}

function image(surface: Surface, heights: Heights, theme: Theme): HTMLCanvasElement {
  const [a, b] = [surface.x.length, surface.y.length];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [a, b];
  const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const pixels = context.createImageData(a, b);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const share = heights.share(surface.loss[i * b + j] as number);
      const colour: Colour = Number.isNaN(share) ? theme.missing : viridis(share);
      pixels.data.set([...colour, 255], 4 * ((b - 1 - j) * a + i));
    }
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** The value at a place between the marks of an axis, which need not be even. */
function along(axis: ArrayLike<number>, place: number): number {
  const below = Math.min(axis.length - 2, Math.max(0, Math.floor(place)));
  return (axis[below] as number) + ((axis[below + 1] as number) - (axis[below] as number)) * (place - below);
}

function isEven(axis: ArrayLike<number>): boolean {
  const [first, range] = [axis[0] as number, (axis[axis.length - 1] as number) - (axis[0] as number)];
  return Array.from(axis).every((value, i) => Math.abs(value - first - (i * range) / (axis.length - 1)) <= 1e-3 * range);
}

/** One rectangle a point, half way to its neighbours. */
function drawCells(context: CanvasRenderingContext2D, surface: Surface, heights: Heights, to: Flat, theme: Theme): void {
  const b = surface.y.length;
  for (let i = 0; i < surface.x.length; i++) {
    for (let j = 0; j < b; j++) {
      const share = heights.share(surface.loss[i * b + j] as number);
      const [x0, x1] = [to.x(along(surface.x, i - 0.5)), to.x(along(surface.x, i + 0.5))];
      const [y0, y1] = [to.y(along(surface.y, j + 0.5)), to.y(along(surface.y, j - 0.5))];
      context.fillStyle = css(Number.isNaN(share) ? theme.missing : viridis(share));
      context.fillRect(x0, y0, x1 - x0 + 0.5, y1 - y0 + 0.5);
    }
  }
}

export function drawFlat(context: CanvasRenderingContext2D, surface: Surface, heights: Heights, size: Size, theme: Theme): void {
  const [a, b] = [surface.x.length, surface.y.length];
  if (a < 2 || b < 2) return;
  const to = flat(surface, size);
  const [left, right] = [to.x(surface.x[0] as number), to.x(surface.x[a - 1] as number)];
  const [top, bottom] = [to.y(surface.y[b - 1] as number), to.y(surface.y[0] as number)];
  // A cell's colour stands about its point, so that the picture is half a cell larger than the grid.
  const [wide, high] = [(right - left) / (a - 1), (bottom - top) / (b - 1)];
  context.imageSmoothingEnabled = heights.missing === 0;
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  if (isEven(surface.x) && isEven(surface.y)) {
    context.drawImage(image(surface, heights, theme), left - wide / 2, top - high / 2, right - left + wide, bottom - top + high);
  } else drawCells(context, surface, heights, to, theme);
  context.restore();
  context.lineWidth = 0.8;
  context.strokeStyle = "rgb(255 255 255 / 0.5)";
  for (const level of levels(heights.low, heights.high, heights.isLog, LINES)) {
    context.beginPath();
    for (const [i0, j0, i1, j1] of contour(surface.loss as Float32Array, a, b, level)) {
      context.moveTo(to.x(along(surface.x, i0)), to.y(along(surface.y, j0)));
      context.lineTo(to.x(along(surface.x, i1)), to.y(along(surface.y, j1)));
    }
    context.stroke();
  }
}

/** From the surface's axes and a height, 0 to 1, to the canvas and to how near it is. */
export type Solid = (x: number, y: number, share: number) => readonly [number, number, number];

export function solid(surface: Surface, size: Size, yaw: number, pitch: number): Solid {
  const [x0, x1] = [surface.x[0] as number, surface.x[surface.x.length - 1] as number];
  const [y0, y1] = [surface.y[0] as number, surface.y[surface.y.length - 1] as number];
  const scale = Math.min(size.width / 1.6, size.height / 1.35);
  const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return (x, y, share) => {
    const [u, v] = [(x - x0) / (x1 - x0 || 1) - 0.5, (y - y0) / (y1 - y0 || 1) - 0.5];
    const [right, away] = [u * cosYaw - v * sinYaw, u * sinYaw + v * cosYaw];
    const up = 0.7 * (share - 0.5);
    return [size.width / 2 + right * scale, size.height / 2 - (up * cosPitch + away * sinPitch) * scale, away * cosPitch - up * sinPitch];
  };
}

/** Quadrilaterals from the farthest to the nearest. */
export function drawSolid(context: CanvasRenderingContext2D, surface: Surface, heights: Heights, to: Solid): void {
  const b = surface.y.length;
  const quads: { readonly corners: readonly (readonly [number, number, number])[]; readonly depth: number; readonly share: number }[] = [];
  for (let i = 0; i + 1 < surface.x.length; i++) {
    for (let j = 0; j + 1 < b; j++) {
      const shares = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([p, q]) => heights.share(surface.loss[p! * b + q!] as number));
      if (shares.some(Number.isNaN)) continue;
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([p, q], c) =>
        to(surface.x[p!] as number, surface.y[q!] as number, shares[c] as number));
      quads.push({ corners, depth: corners.reduce((sum, corner) => sum + corner[2], 0), share: shares.reduce((sum, one) => sum + one, 0) / 4 });
    }
  }
  quads.sort((one, other) => other.depth - one.depth);
  context.lineJoin = "round";
  for (const { corners, share } of quads) {
    context.beginPath();
    for (const [x, y] of corners) context.lineTo(x, y);
    context.closePath();
    context.fillStyle = context.strokeStyle = css(viridis(share));
    context.lineWidth = 0.7;
    context.fill();
    // Over the hairline that would shine through between neighbours; lighter, so that the mesh is seen.
    context.stroke();
    context.strokeStyle = "rgb(255 255 255 / 0.16)";
    context.lineWidth = 0.5;
    context.stroke();
  }
}
