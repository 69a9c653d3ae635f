/** Where points are while they move to where they belong. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { between, carried, eased, MOVE } from "../moving";
import type { SceneMap } from "../scene";
import type { Projection } from "../view/camera";

/**
 * The projection to draw now. When `key` (the layout, its depth) or the map changes, points go there from where they are, unless
 * the reader asked for less motion; when only the camera moves, they are there at once.
 */
export function useMoving(map: SceneMap, target: Projection | null, key: string, isReduced: boolean): Projection | null {
  const last = useRef<{ map: SceneMap; key: string; at: Float32Array } | null>(null);
  const move = useRef<{ from: Float32Array; began: number } | null>(null);
  const [, tick] = useState(0);

  const before = last.current;
  if (target && before && (before.key !== key || before.map !== map) && !isReduced) {
    move.current = { from: carried(before.map, before.at, map, target.at), began: performance.now() };
  }
  const share = move.current ? (performance.now() - move.current.began) / MOVE : 1;
  if (share >= 1) move.current = null;
  const at = target && move.current ? between(move.current.from, target.at, eased(share)) : target?.at;
  if (target && at) last.current = { map, key, at };

  const isMoving = move.current !== null;
  useLayoutEffect(() => {
    if (!isMoving) return undefined;
    const frame = requestAnimationFrame(() => tick((count) => count + 1));
    return () => cancelAnimationFrame(frame);
  });
  return target && at ? { at, depth: target.depth } : null;
}
