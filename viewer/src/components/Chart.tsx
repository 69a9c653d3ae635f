/** A canvas for a chart: its size, its drawing, and the pointer's place on it. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Size } from "../view/camera";
import { isResting, usePainting, useSize } from "./canvas";

export interface ChartProps {
  readonly label: string; // for those who do not see it
  readonly class?: string;
  readonly paint: (context: CanvasRenderingContext2D, size: Size) => void;
  readonly also: readonly unknown[]; // what the drawing depends on
  readonly data?: Readonly<Record<`data-${string}`, string | number>>;
  readonly onPoint?: (at: readonly [number, number] | null, size: Size) => void;
  readonly onPick?: (at: readonly [number, number], size: Size, event: PointerEvent) => void;
  readonly onDrag?: (from: readonly [number, number], to: readonly [number, number], size: Size, isOver: boolean, event: PointerEvent) => void;
  readonly onCancel?: () => void; // a drag that has no end
  readonly onKey?: (event: KeyboardEvent) => boolean; // whether it was for the chart
  readonly children?: ComponentChildren;
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pressed = useRef<{ readonly at: readonly [number, number]; isMoved: boolean } | null>(null);
  const size = useSize(box);
  usePainting(canvas, size, (context) => size && props.paint(context, size), props.also);
  const place = (event: PointerEvent): readonly [number, number] => [event.offsetX, event.offsetY];
  const handlers = size && {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      pressed.current = { at: place(event), isMoved: false };
      if (props.onDrag) (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      if (isResting(event)) return;
      if (pressed.current && event.buttons === 0) {
        pressed.current = null;
        props.onCancel?.();
      }
      const began = pressed.current;
      if (began && props.onDrag && (began.isMoved || Math.hypot(event.offsetX - began.at[0], event.offsetY - began.at[1]) > 4)) {
        began.isMoved = true;
        props.onDrag(began.at, place(event), size, false, event);
      } else props.onPoint?.(place(event), size);
    },
    onPointerUp: (event: PointerEvent) => {
      const began = pressed.current;
      pressed.current = null;
      if (began?.isMoved) props.onDrag?.(began.at, place(event), size, true, event);
      else if (began) props.onPick?.(place(event), size, event);
    },
    onPointerCancel: () => {
      pressed.current = null;
      props.onCancel?.();
    },
    onPointerLeave: (event: PointerEvent) => {
      if (event.pointerType === "mouse" && !pressed.current && !isResting(event)) props.onPoint?.(null, size);
    },
  };
  return (
    <div class={`chart ${props.class ?? ""}`} ref={box}>
      <canvas
        ref={canvas}
        role={props.onKey ? "application" : "img"}
        tabIndex={props.onKey ? 0 : -1}
        aria-label={props.label}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          if (props.onKey?.(event)) event.preventDefault();
        }}
        onBlur={() => size && props.onPoint?.(null, size)}
        {...props.data}
        {...handlers}
      />
      {props.children}
    </div>
  );
}
