/** The camera of a map: which place is in the middle, and how many pixels a unit is. Both axes have one scale, always. */

import type { SceneMap } from "../scene";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const MARGIN = 30;
const FARTHEST = 0.5;
const NEAREST = 500;

/** The camera that shows every point of the map. */
export function fitted(map: SceneMap, size: Size): Camera {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i + 1 < map.layouts[0]!.coordinates.length; i += 2) {
    const [x, y] = [map.layouts[0]!.coordinates[i] as number, map.layouts[0]!.coordinates[i + 1] as number];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    [left, right, bottom, top] = [Math.min(left, x), Math.max(right, x), Math.min(bottom, y), Math.max(top, y)];
  }
  if (left > right) return { x: 0, y: 0, scale: 1 };
  const room = { width: Math.max(1, size.width - 2 * MARGIN), height: Math.max(1, size.height - 2 * MARGIN) };
  const scale = Math.min(room.width / (right - left), room.height / (top - bottom));
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Number.isFinite(scale) ? scale : Math.min(room.width, room.height) };
}

/** Where on the canvas a place lies; y grows upwards on the map and downwards on the canvas. */
export function projected(camera: Camera, size: Size, x: number, y: number): readonly [number, number] {
  return [size.width / 2 + (x - camera.x) * camera.scale, size.height / 2 - (y - camera.y) * camera.scale];
}

/** The camera after `factor` times magnification that leaves the place under the pointer where it is. */
export function zoomed(camera: Camera, size: Size, at: readonly [number, number], factor: number, whole: Camera): Camera {
  const scale = Math.min(NEAREST * whole.scale, Math.max(FARTHEST * whole.scale, camera.scale * factor));
  const [right, up] = [at[0] - size.width / 2, size.height / 2 - at[1]];
  const shift = 1 / camera.scale - 1 / scale;
  return { x: camera.x + right * shift, y: camera.y + up * shift, scale };
}

/** The camera after the map was dragged by so many pixels. */
export function panned(camera: Camera, right: number, down: number): Camera {
  return { ...camera, x: camera.x - right / camera.scale, y: camera.y + down / camera.scale };
}
