/**
 * The camera of a map. A layout has a whole, the picture that shows every point; a view says how the reader has moved away from
 * it, in shares of the frame, so that one view means the same on maps of any unit and size. All axes have one scale, always.
 */

import type { Layout } from "../scene";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How far the reader has moved from the whole: times nearer, shares of the frame to the right and up, turns in radians. */
export interface View {
  readonly zoom: number;
  readonly right: number;
  readonly up: number;
  readonly yaw: number;
  readonly pitch: number;
}

/** What is in the middle of the frame, and how many pixels a unit is. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly scale: number;
}

/** Where the rows of a map are on the canvas. */
export interface Projection {
  readonly at: Float32Array; // (n, 2): pixels to the right and down
  readonly depth: Float32Array | null; // (n,): 0 the nearest to 1 the farthest; null on the plane
}

export const WHOLE: View = { zoom: 1, right: 0, up: 0, yaw: 0, pitch: 0 };
/** Where a map in 3-D is seen from at first: from above and to the side, so that depth is seen at once. */
export const ASLANT: View = { ...WHOLE, yaw: 0.5, pitch: 0.45 };

const MARGIN = 30;
const FARTHEST = 0.5;
const NEAREST = 500;

export function isDeep(layout: Layout, is3d: boolean): boolean {
  return is3d && layout.coordinates_3d !== null;
}

/** The layout's numbers, and how many there are a row. */
export function coordinatesOf(layout: Layout, is3d: boolean): { readonly values: ArrayLike<number>; readonly axes: 2 | 3 } {
  return isDeep(layout, is3d) ? { values: layout.coordinates_3d as ArrayLike<number>, axes: 3 } : { values: layout.coordinates, axes: 2 };
}

/** The camera that shows every point of the layout, in 3-D from every side. */
export function fitted(layout: Layout, is3d: boolean, size: Size): Camera {
  const { values, axes } = coordinatesOf(layout, is3d);
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i + axes <= values.length; i += axes) {
    if (!Number.isFinite(values[i]) || !Number.isFinite(values[i + 1])) continue;
    for (let axis = 0; axis < axes; axis++) {
      low[axis] = Math.min(low[axis] as number, values[i + axis] as number);
      high[axis] = Math.max(high[axis] as number, values[i + axis] as number);
    }
  }
  const [x, y, z] = [0, 1, 2].map((axis) => (axis < axes && low[axis]! <= high[axis]! ? (low[axis]! + high[axis]!) / 2 : 0)) as [number, number, number];
  if (!(low[0]! <= high[0]!)) return { x, y, z, scale: 1 };
  const room = { width: Math.max(1, size.width - 2 * MARGIN), height: Math.max(1, size.height - 2 * MARGIN) };
  let scale = Math.min(room.width / (high[0]! - low[0]!), room.height / (high[1]! - low[1]!));
  if (axes === 3) {
    let radius = 0;
    for (let i = 0; i + 3 <= values.length; i += 3) {
      const far = Math.hypot((values[i] as number) - x, (values[i + 1] as number) - y, (values[i + 2] as number) - z);
      if (far > radius) radius = far;
    }
    scale = Math.min(room.width, room.height) / (2 * radius);
  }
  return { x, y, z, scale: Number.isFinite(scale) ? scale : Math.min(room.width, room.height) };
}

/** The camera on the plane after the reader has moved. */
export function moved(whole: Camera, view: View, size: Size): Camera {
  return {
    ...whole,
    x: whole.x + (view.right * size.width) / whole.scale,
    y: whole.y + (view.up * size.height) / whole.scale,
    scale: whole.scale * view.zoom,
  };
}

/** Where on the canvas a place of the plane lies; y grows upwards on the map and downwards on the canvas. */
export function projected(camera: Camera, size: Size, x: number, y: number): readonly [number, number] {
  return [size.width / 2 + (x - camera.x) * camera.scale, size.height / 2 - (y - camera.y) * camera.scale];
}

/** Where every row of a layout lies on the canvas. */
export function projection(layout: Layout, is3d: boolean, whole: Camera, view: View, size: Size): Projection {
  const { values, axes } = coordinatesOf(layout, is3d);
  const n = Math.floor(values.length / axes);
  const at = new Float32Array(2 * n);
  const camera = moved(whole, view, size);
  const [middle, centre] = [size.width / 2, size.height / 2];
  if (axes === 2) {
    for (let row = 0; row < n; row++) {
      at[2 * row] = middle + ((values[2 * row] as number) - camera.x) * camera.scale;
      at[2 * row + 1] = centre - ((values[2 * row + 1] as number) - camera.y) * camera.scale;
    }
    return { at, depth: null };
  }
  // Turned about the middle of the whole, so that what is seen stays in the frame; the shift comes after.
  const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(view.yaw), Math.sin(view.yaw), Math.cos(view.pitch), Math.sin(view.pitch)];
  const [right, up] = [view.right * size.width * view.zoom, view.up * size.height * view.zoom];
  const depth = new Float32Array(n);
  let [near, far] = [Infinity, -Infinity];
  for (let row = 0; row < n; row++) {
    const x = (values[3 * row] as number) - whole.x;
    const y = (values[3 * row + 1] as number) - whole.y;
    const z = (values[3 * row + 2] as number) - whole.z;
    const turned = x * sinYaw + z * cosYaw;
    at[2 * row] = middle + (x * cosYaw - z * sinYaw) * camera.scale - right;
    at[2 * row + 1] = centre - (y * cosPitch - turned * sinPitch) * camera.scale + up;
    const away = -(turned * cosPitch + y * sinPitch);
    depth[row] = away;
    if (away < near) near = away;
    if (away > far) far = away;
  }
  const range = far > near ? far - near : 1;
  for (let row = 0; row < n; row++) depth[row] = ((depth[row] as number) - near) / range;
  return { at, depth };
}

/** The view after `factor` times magnification that leaves the place under the pointer where it is. */
export function zoomed(view: View, size: Size, at: readonly [number, number], factor: number): View {
  const zoom = Math.min(NEAREST, Math.max(FARTHEST, view.zoom * factor));
  const shift = 1 / view.zoom - 1 / zoom;
  return {
    ...view,
    zoom,
    right: view.right + (at[0] / size.width - 0.5) * shift,
    up: view.up + (0.5 - at[1] / size.height) * shift,
  };
}

/** The view after the map was dragged by so many pixels. */
export function panned(view: View, size: Size, right: number, down: number): View {
  return { ...view, right: view.right - right / size.width / view.zoom, up: view.up + down / size.height / view.zoom };
}

/** The view after the map was turned by so many pixels: a drag across the frame is half a turn. */
export function turned(view: View, size: Size, right: number, down: number): View {
  const steep = Math.PI / 2;
  return {
    ...view,
    yaw: view.yaw - (Math.PI * right) / size.width,
    pitch: Math.min(steep, Math.max(-steep, view.pitch + (Math.PI * down) / size.height)),
  };
}

/** Whether the reader sees the whole, from wherever. */
export function isWhole(view: View): boolean {
  return view.zoom === 1 && view.right === 0 && view.up === 0;
}
