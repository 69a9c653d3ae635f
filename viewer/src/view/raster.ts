/**
 * Lines and dots as pixels, for maps of so many points that a canvas' own strokes and pictures cost more than the reader's patience:
 * a coverage for each pixel, blended over the ground. Ten times as fast without a GPU, and the same for each browser.
 */

import type { Colour } from "../colours";

export class Raster {
  readonly pixels: Uint8ClampedArray;
  private readonly ground: Uint32Array;

  constructor(readonly width: number, readonly height: number) {
    this.pixels = new Uint8ClampedArray(4 * width * height);
    this.ground = new Uint32Array(this.pixels.buffer);
  }

  clear([red, green, blue]: Colour): void {
    // Bytes lie in the order in which they are named on every machine that browsers run on: the least first.
    this.ground.fill(((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0);
  }

  private blend(i: number, red: number, green: number, blue: number, share: number): void {
    const { pixels } = this;
    pixels[i] = (pixels[i] as number) + (red - (pixels[i] as number)) * share;
    pixels[i + 1] = (pixels[i + 1] as number) + (green - (pixels[i + 1] as number)) * share;
    pixels[i + 2] = (pixels[i + 2] as number) + (blue - (pixels[i + 2] as number)) * share;
  }

  /** A line between two places, in pixels: along its longer way, each column or row is covered as far as the line's width goes. */
  line(x0: number, y0: number, x1: number, y1: number, wide: number, [red, green, blue]: Colour, alpha: number): void {
    const isSteep = Math.abs(y1 - y0) > Math.abs(x1 - x0);
    // `a` runs along the longer way, `b` across it.
    let [a0, b0, a1, b1] = isSteep ? [y0, x0, y1, x1] : [x0, y0, x1, y1];
    if (a0 > a1) [a0, b0, a1, b1] = [a1, b1, a0, b0];
    const [longest, across] = isSteep ? [this.height, this.width] : [this.width, this.height];
    const slope = a1 > a0 ? (b1 - b0) / (a1 - a0) : 0;
    const half = (wide * Math.sqrt(1 + slope * slope)) / 2;
    const first = Math.max(0, Math.floor(a0));
    const last = Math.min(longest - 1, Math.ceil(a1) - 1);
    const [alongStep, acrossStep] = isSteep ? [4 * this.width, 4] : [4, 4 * this.width];
    for (let a = first; a <= last; a++) {
      // The part of this column that the line reaches, and where its middle is there.
      const [from, to] = [Math.max(a0, a), Math.min(a1, a + 1)];
      const middle = b0 + slope * ((from + to) / 2 - a0);
      const [low, high] = [middle - half, middle + half];
      const share = alpha * (to - from);
      const bottom = Math.max(0, Math.floor(low));
      const top = Math.min(across - 1, Math.ceil(high) - 1);
      for (let b = bottom; b <= top; b++) {
        const covered = Math.min(high, b + 1) - Math.max(low, b);
        if (covered > 0) this.blend(a * alongStep + b * acrossStep, red, green, blue, share * covered);
      }
    }
  }

  /** A dot about a place, in pixels. */
  dot(x: number, y: number, mask: DotMask, [red, green, blue]: Colour, alpha: number): void {
    const { side, phases } = mask;
    const [left, top] = [Math.floor(x - side / 2 + 0.5), Math.floor(y - side / 2 + 0.5)];
    const phase = phases[
      PHASES * Math.min(PHASES - 1, Math.floor(PHASES * (y - side / 2 + 0.5 - top))) +
      Math.min(PHASES - 1, Math.floor(PHASES * (x - side / 2 + 0.5 - left)))
    ];
    if (!phase) return; // nowhere
    for (let v = 0; v < side; v++) {
      const row = top + v;
      if (row < 0 || row >= this.height) continue;
      for (let u = 0; u < side; u++) {
        const column = left + u;
        const share = phase[v * side + u] as number;
        if (share > 0 && column >= 0 && column < this.width) this.blend(4 * (row * this.width + column), red, green, blue, alpha * share);
      }
    }
  }
}

const PHASES = 4; // of a pixel, each way: where a dot's middle may be
const PARTS = 8; // of a pixel, each way, by which coverage is counted

/** How much of each pixel a dot covers, for each phase of its middle. */
export interface DotMask {
  readonly side: number;
  readonly phases: readonly Float32Array[];
}

let lastMask: { readonly radius: number; readonly mask: DotMask } | null = null;

/** The mask of a radius; that of the last is kept, for a map asks for one and the same in each frame. */
export function dotMask(radius: number): DotMask {
  if (lastMask?.radius !== radius) lastMask = { radius, mask: maskOf(radius) };
  return lastMask.mask;
}

function maskOf(radius: number): DotMask {
  const side = 2 * Math.ceil(radius + 0.5) + 1;
  const phases: Float32Array[] = [];
  for (let phaseY = 0; phaseY < PHASES; phaseY++) {
    for (let phaseX = 0; phaseX < PHASES; phaseX++) {
      const [x, y] = [side / 2 - 0.5 + (phaseX + 0.5) / PHASES, side / 2 - 0.5 + (phaseY + 0.5) / PHASES];
      const mask = new Float32Array(side * side);
      for (let v = 0; v < side * PARTS; v++) {
        for (let u = 0; u < side * PARTS; u++) {
          const isIn = Math.hypot((u + 0.5) / PARTS - x, (v + 0.5) / PARTS - y) <= radius;
          if (isIn) mask[Math.floor(v / PARTS) * side + Math.floor(u / PARTS)]! += 1 / PARTS ** 2;
        }
      }
      phases.push(mask);
    }
  }
  return { side, phases };
}
