/** A canvas that fits its box, is drawn once after each change and never otherwise. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Size } from "../view/camera";
import { cleared } from "../view/draw";

export function useSize(element: RefObject<HTMLElement | null>): Size | null {
  const [size, setSize] = useState<Size | null>(null);
  useLayoutEffect(() => {
    const box = element.current as HTMLElement;
    const measure = () => setSize((old) => {
      const { clientWidth: width, clientHeight: height } = box;
      if (width === 0 || height === 0) return old; // folded away
      return old && old.width === width && old.height === height ? old : { width, height };
    });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

export function pixelRatio(): number {
  return Math.min(3, devicePixelRatio || 1);
}

/** Sizes the canvas for the screen and runs `paint` once in the next frame after anything in `also` has changed. */
export function usePainting(
  canvas: RefObject<HTMLCanvasElement | null>, size: Size | null, paint: (context: CanvasRenderingContext2D) => void, also: readonly unknown[],
): void {
  const latest = useRef({ size, paint });
  latest.current = { size, paint };
  const frame = useRef<number | null>(null);
  useLayoutEffect(() => {
    // One frame is awaited at a time and draws what is latest then: a browser sends the pointer's moves just before each frame,
    // and a frame that each of them put off would come when the pointer rests.
    frame.current ??= requestAnimationFrame(() => {
      frame.current = null;
      const element = canvas.current;
      const now = latest.current;
      if (!element || !now.size) return;
      const ratio = pixelRatio();
      const [width, height] = [Math.round(now.size.width * ratio), Math.round(now.size.height * ratio)];
      if (element.width !== width || element.height !== height) [element.width, element.height] = [width, height];
      // Without a GPU a canvas that is read often is rastered by the CPU itself, 25 times faster than through an emulated GPU.
      const context = element.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
      cleared(context, now.size, ratio);
      now.paint(context);
    });
  }, [size, ...also]);
  useEffect(() => () => {
    if (frame.current !== null) cancelAnimationFrame(frame.current);
  }, []);
}

let lastPlace = "";
let isSame = false;

function placeOf(event: PointerEvent): string {
  return `${event.screenX} ${event.screenY} ${event.buttons}`;
}

// Before anybody else: where the pointer was before this move, wherever on the page.
if (typeof addEventListener === "function") {
  const follow = (event: PointerEvent) => {
    const place = placeOf(event);
    isSame = place === lastPlace;
    lastPlace = place;
  };
  addEventListener("pointermove", follow, { capture: true, passive: true });
}

/** Whether the pointer rests, and only what is below it has moved: a reader at the keyboard did not mean that. */
export function isResting(event: PointerEvent): boolean {
  return event.type === "pointermove" ? isSame : placeOf(event) === lastPlace;
}

let lastScroll = -Infinity;
// Captured, since what scrolls may be a part of the window, as a notebook is.
if (typeof addEventListener === "function") addEventListener("scroll", () => (lastScroll = performance.now()), { passive: true, capture: true });

/** The wheel zooms, but a scroll of the page that merely passes over the map goes on, and so does scrolling down at full view. */
export function useWheel(canvas: RefObject<HTMLCanvasElement | null>, turn: (at: [number, number], factor: number) => boolean): void {
  const latest = useRef(turn);
  latest.current = turn;
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const wheel = (event: WheelEvent) => {
      if (performance.now() - lastScroll < 250 && !event.ctrlKey) return;
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 * event.deltaY : event.deltaY;
      if (latest.current([event.offsetX, event.offsetY], Math.exp(-pixels / 400))) event.preventDefault();
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [canvas]);
}
