/** One map: its canvas, what the pointer and the keys do on it, and the words below. */

import type { RefObject } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ages, colouring } from "../colouring";
import type { ColourScale } from "../colours";
import { groupsOf, jumpSizes } from "../groups";
import { pointsOf } from "../numbers";
import { counterpart, nearest, stepped } from "../pick";
import { divergedAfter, type Scene } from "../scene";
import { shownRows, type Act, type State } from "../state";
import type { Theme } from "../theme";
import { fitted, panned, projected, zoomed, type Camera, type Size } from "../view/camera";
import { draw, drawMark, type Picture } from "../view/draw";
import { Card } from "./Card";
import { Facts } from "./Facts";
import { RunTable } from "./RunTable";

export interface MapViewProps {
  readonly scene: Scene;
  readonly index: number;
  readonly state: State;
  readonly times: readonly number[];
  readonly scale: ColourScale | null;
  readonly theme: Theme;
  readonly act: (act: Act) => void;
}

const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);
const ZOOM_KEYS: Record<string, number> = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 };

function useSize(element: RefObject<HTMLElement | null>): Size | null {
  const [size, setSize] = useState<Size | null>(null);
  useLayoutEffect(() => {
    const box = element.current as HTMLElement;
    const measure = () => setSize((old) => {
      const { clientWidth: width, clientHeight: height } = box;
      return old && old.width === width && old.height === height ? old : { width, height };
    });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** Sizes the canvas for the screen and runs `paint` once in the next frame after anything it shows has changed. */
function usePainting(canvas: RefObject<HTMLCanvasElement | null>, picture: Picture | null, paint: (context: CanvasRenderingContext2D) => void, also: unknown): void {
  useLayoutEffect(() => {
    if (!picture) return undefined;
    const frame = requestAnimationFrame(() => {
      const element = canvas.current as HTMLCanvasElement;
      const [width, height] = [Math.round(picture.size.width * picture.ratio), Math.round(picture.size.height * picture.ratio)];
      if (element.width !== width || element.height !== height) [element.width, element.height] = [width, height];
      // Without a GPU a canvas that is read often is rastered by the CPU itself, 25 times faster than through an emulated GPU.
      paint(element.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D);
    });
    return () => cancelAnimationFrame(frame);
  }, [picture, also]);
}

/** The wheel zooms, but a scroll of the page that merely passes over the map goes on, and so does scrolling down at full view. */
function useWheel(canvas: RefObject<HTMLCanvasElement | null>, turn: (at: [number, number], factor: number) => boolean): void {
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

let lastScroll = -Infinity;
if (typeof addEventListener === "function") addEventListener("scroll", () => (lastScroll = performance.now()), { passive: true });

export function MapView({ scene, index, state, times, scale, theme, act }: MapViewProps) {
  const map = scene.maps[index] as Scene["maps"][number];
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const dragged = useRef<{ x: number; y: number; isMoved: boolean } | null>(null);
  const [moved, setMoved] = useState<Camera | null>(null); // null: the whole map, also after a resize
  const size = useSize(frame);
  const help = useId();

  const groups = useMemo(() => groupsOf(scene), [scene]);
  const sizes = useMemo(() => jumpSizes(scene), [scene]);
  const time = times[state.step ?? times.length - 1] ?? Infinity;
  const shown = useMemo(() => shownRows(map, state.hidden, state.step === null ? Infinity : time), [map, state.hidden, state.step, time]);
  const colours = useMemo(() => colouring(map, state.colour, scale, groups, sizes, theme), [map, state.colour, scale, groups, sizes, theme]);
  const old = useMemo(() => (state.step === null ? null : ages(map, times, time)), [map, times, state.step, time]);
  const whole = useMemo(() => size && fitted(map, size), [map, size]);
  const camera = moved ?? whole;
  const picture = useMemo<Picture | null>(
    () => size && camera && { map, shown, ages: old, colouring: colours, camera, size, ratio: Math.min(3, devicePixelRatio || 1), theme },
    [map, shown, old, colours, camera, size, theme],
  );

  const row = state.place?.map === index ? state.place.row : null;
  const origin = state.place && state.place.map !== index ? scene.maps[state.place.map] : undefined;
  const marked = useMemo(() => row ?? (origin && state.place ? counterpart(origin, state.place.row, map) : null), [row, origin, state.place, map]);

  usePainting(canvas, picture, (context) => {
    const began = performance.now();
    const count = draw(context, picture as Picture);
    const { dataset } = canvas.current as HTMLCanvasElement;
    dataset["points"] = String(count);
    dataset["drawMs"] = (performance.now() - began).toFixed(1);
    dataset["firstMs"] ??= performance.now().toFixed(0); // since the page was opened
  }, null);
  usePainting(overlay, picture, (context) => drawMark(context, picture as Picture, marked), marked);

  const point = (next: number | null) => {
    if (next !== row) act({ kind: "point", place: next === null ? null : { map: index, row: next } });
  };
  const zoom = (at: [number, number], factor: number): boolean => {
    if (!size || !camera || !whole) return false;
    if (factor < 1 && camera.scale <= whole.scale * 1.0001) {
      setMoved(null);
      return false;
    }
    const next = zoomed(camera, size, at, factor, whole);
    setMoved(next.scale <= whole.scale ? null : next);
    return true;
  };
  useWheel(canvas, zoom);

  const press = (event: PointerEvent) => {
    if (event.button !== 0) return;
    dragged.current = { x: event.clientX, y: event.clientY, isMoved: false };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const drag = dragged.current;
    if (drag && camera) {
      const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!drag.isMoved && Math.hypot(right, down) < 4) return;
      dragged.current = { x: event.clientX, y: event.clientY, isMoved: true };
      setMoved(panned(camera, right, down));
    } else if (camera && size) point(nearest(map, shown, camera, size, [event.offsetX, event.offsetY]));
  };
  const release = (event: PointerEvent) => {
    // A tap has no hover before it, so it points where it ends.
    if (dragged.current && !dragged.current.isMoved && camera && size) {
      point(nearest(map, shown, camera, size, [event.offsetX, event.offsetY]));
    }
    dragged.current = null;
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const factor = ZOOM_KEYS[event.key];
    if (ARROWS.has(event.key)) point(stepped(map, shown, row, event.key));
    else if (event.key === "Escape") point(null);
    else if (event.key === "0") setMoved(null);
    else if (factor && size) zoom([size.width / 2, size.height / 2], factor);
    else return;
    event.preventDefault();
  };

  const isVisible = row !== null && shown[row] === 1;
  const at = isVisible && camera && size
    ? projected(camera, size, map.layouts[0]!.coordinates[row * 2] as number, map.layouts[0]!.coordinates[row * 2 + 1] as number)
    : null;
  const count = map.time.length;
  const diverged = map.runs.filter((run) => divergedAfter(run) !== null).length;
  const summary = count === 1
    ? "1 point"
    : `${pointsOf(count)} in ${map.runs.length === 1 ? "1 run" : `${map.runs.length} runs`}${diverged > 0 ? `, ${diverged} of them diverged` : ""}`;
  return (
    <figure class="map" data-map={map.name}>
      <h2>{map.name}</h2>
      <div class="frame" ref={frame}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-roledescription="map"
          aria-label={`${map.name}: ${summary}`}
          aria-describedby={help}
          data-zoom={camera && whole ? (camera.scale / whole.scale).toFixed(3) : "1.000"}
          data-centre={camera ? `${camera.x} ${camera.y}` : ""}
          data-scale={camera?.scale}
          onPointerDown={press}
          onPointerMove={move}
          onPointerUp={release}
          onPointerCancel={() => (dragged.current = null)}
          onPointerLeave={(event) => {
            if (event.pointerType === "mouse" && !dragged.current) point(null);
          }}
          onDblClick={() => setMoved(null)}
          onKeyDown={key}
          onBlur={() => point(null)}
        />
        <canvas ref={overlay} class="overlay" aria-hidden="true" />
        {count === 0 && <p class="empty">No points yet</p>}
        <Card map={map} row={isVisible ? row : null} at={at} size={size ?? { width: 0, height: 0 }} />
        <p id={help} class="aside">Arrow keys walk along a run and from run to run, plus and minus zoom, 0 shows the whole map.</p>
      </div>
      <div class="words">
        {map.layouts[0]!.caption && <figcaption>{map.layouts[0]!.caption}</figcaption>}
        <Facts facts={map.facts} of={map.name} />
        {map.runs.length > 0 && <RunTable map={map} />}
      </div>
    </figure>
  );
}
