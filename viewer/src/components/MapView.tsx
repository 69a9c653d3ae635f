/** One map: its canvas, what the pointer and the keys do on it, and the words below. */

import { useId, useMemo, useRef, useState } from "preact/hooks";
import { ages, colouring } from "../colouring";
import type { ColourScale } from "../colours";
import { jumpSizes, runsOf, type Group } from "../groups";
import { enclosed, joined, type Joining, type Point } from "../lasso";
import { pointsOf } from "../numbers";
import { counterpart, nearest, stepped } from "../pick";
import { divergedAfter, layoutOf, runAt, type Scene } from "../scene";
import { selectionOf, shownRows, type Act, type Selection, type State } from "../state";
import type { Theme } from "../theme";
import { ASLANT, coordinatesOf, fitted, isDeep, isWhole, moved, panned, projection, turned, WHOLE, zoomed, type View } from "../view/camera";
import { draw, drawLoop, drawMark } from "../view/draw";
import type { Picture } from "../view/picture";
import { isResting, pixelRatio, usePainting, useSize, useWheel } from "./canvas";
import { Card } from "./Card";
import { MapTools } from "./MapTools";
import { Panels } from "./Panels";
import { useMoving } from "./useMoving";

export interface MapViewProps {
  readonly scene: Scene;
  readonly index: number;
  readonly state: State;
  readonly times: readonly number[];
  readonly scale: ColourScale | null;
  readonly groups: readonly Group[];
  readonly theme: Theme;
  readonly isReduced: boolean;
  readonly act: (act: Act) => void;
}

const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);
const ZOOM_KEYS: Record<string, number> = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 };
const TURN_KEYS: Record<string, Point> = { ArrowLeft: [-40, 0], ArrowRight: [40, 0], ArrowUp: [0, -40], ArrowDown: [0, 40] };

interface Drag {
  x: number;
  y: number;
  isMoved: boolean;
  readonly isTurning: boolean;
  readonly how: Joining;
}

function joining(event: { readonly shiftKey: boolean; readonly altKey: boolean }): Joining {
  return event.altKey ? "remove" : event.shiftKey ? "add" : "replace";
}

/** 1 for each row that is selected here; null where nothing is. */
function pickedRows(selection: Selection | null, index: number, count: number): Uint8Array | null {
  if (!selection || selection.map !== index) return null;
  const result = new Uint8Array(count);
  for (const row of selection.rows) result[row] = 1;
  return result;
}

export function MapView({ scene, index, state, times, scale, groups, theme, isReduced, act }: MapViewProps) {
  const map = scene.maps[index] as Scene["maps"][number];
  const layout = layoutOf(map, state.layout);
  const count = map.time.length;
  const isSpatial = isDeep(layout, state.is3d);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const dragged = useRef<Drag | null>(null);
  const [loop, setLoop] = useState<readonly Point[]>([]);
  const size = useSize(frame);
  const help = useId();

  const sizes = useMemo(() => jumpSizes(scene), [scene]);
  const time = times[state.step ?? times.length - 1] ?? Infinity;
  const shown = useMemo(() => {
    const { values, axes } = coordinatesOf(layout, state.is3d);
    return shownRows(map, values, axes, state.hidden, state.step === null ? Infinity : time);
  }, [map, layout, state.is3d, state.hidden, state.step, time]);
  const colours = useMemo(
    () => colouring(map, state, scale, groups, sizes, theme), [map, state.colour, state.layout, scale, groups, sizes, theme],
  );
  const old = useMemo(() => (state.step === null ? null : ages(map, times, time)), [map, times, state.step, time]);
  const picked = useMemo(() => pickedRows(state.selection, index, count), [state.selection, index, count]);
  const whole = useMemo(() => size && fitted(layout, state.is3d, size), [layout, state.is3d, size]);
  const view = state.views.get(index) ?? (isSpatial ? ASLANT : WHOLE);
  const target = useMemo(
    () => size && whole && projection(layout, state.is3d, whole, view, size), [layout, state.is3d, whole, view, size],
  );
  const places = useMoving(map, target, `${layout.name} ${isSpatial}`, isReduced);
  const camera = whole && size && moved(whole, view, size);
  const picture = useMemo<Picture | null>(
    () => size && places && camera && {
      map, shown, picked, ages: old, colouring: colours, projection: places, scale: camera.scale, size, ratio: pixelRatio(), theme,
    },
    [map, shown, picked, old, colours, places?.at, places?.depth, camera?.scale, size, theme],
  );

  const row = state.place?.map === index ? state.place.row : null;
  const origin = state.place && state.place.map !== index ? scene.maps[state.place.map] : undefined;
  const marked = useMemo(() => row ?? (origin && state.place ? counterpart(origin, state.place.row, map) : null), [row, origin, state.place, map]);

  usePainting(canvas, size, (context) => {
    if (!picture) return;
    const began = performance.now();
    const drawn = draw(context, picture);
    const { dataset } = canvas.current as HTMLCanvasElement;
    dataset["points"] = String(drawn);
    dataset["draws"] = String(Number(dataset["draws"] ?? 0) + 1);
    dataset["drawMs"] = (performance.now() - began).toFixed(1);
    dataset["firstMs"] ??= performance.now().toFixed(0); // since the page was opened
  }, [picture]);
  usePainting(overlay, size, (context) => {
    if (!picture) return;
    drawMark(context, picture, marked);
    drawLoop(context, theme, loop);
  }, [picture, marked, loop]);

  const point = (next: number | null) => {
    if (next !== row) act({ kind: "point", place: next === null ? null : { map: index, row: next } });
  };
  const look = (next: View) => act({ kind: "view", map: index, view: next, count: scene.maps.length });
  const home = () => look(isSpatial ? ASLANT : WHOLE);
  const select = (rows: readonly number[], how: Joining) => {
    const before = state.selection?.map === index ? state.selection.rows : [];
    act({ kind: "select", selection: selectionOf(index, joined(before, rows, how)) });
  };
  const zoom = (at: readonly [number, number], factor: number): boolean => {
    if (!size) return false;
    const isFull = view.zoom <= 1.0001;
    if (factor < 1 && isFull) {
      if (!isWhole(view)) look({ ...view, zoom: 1, right: 0, up: 0 });
      return false;
    }
    const next = zoomed(view, size, at, factor);
    look(next.zoom <= 1 ? { ...next, zoom: 1, right: 0, up: 0 } : next);
    return true;
  };
  useWheel(canvas, zoom);

  const press = (event: PointerEvent) => {
    if (event.button !== 0) return;
    dragged.current = { x: event.clientX, y: event.clientY, isMoved: false, isTurning: isSpatial && !event.shiftKey, how: joining(event) };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    if (state.tool === "lasso") setLoop([[event.offsetX, event.offsetY]]);
  };
  const move = (event: PointerEvent) => {
    if (isResting(event)) return;
    if (dragged.current && event.buttons === 0) {
      // Its end went elsewhere, as to a menu of the system.
      dragged.current = null;
      setLoop([]);
    }
    const drag = dragged.current;
    if (!drag || !size) {
      if (places) point(nearest(map, shown, places.at, [event.offsetX, event.offsetY]));
      return;
    }
    const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.isMoved && Math.hypot(right, down) < 4) return;
    dragged.current = { ...drag, x: event.clientX, y: event.clientY, isMoved: true };
    if (state.tool === "lasso") setLoop((points) => [...points, [event.offsetX, event.offsetY]]);
    else look(drag.isTurning ? turned(view, size, right, down) : panned(view, size, right, down));
  };
  const release = (event: PointerEvent) => {
    const drag = dragged.current;
    dragged.current = null;
    setLoop([]);
    if (!drag || !places) return;
    if (drag.isMoved) {
      if (state.tool === "lasso") select(enclosed(loop, places.at, shown), drag.how);
      return;
    }
    // A tap has no hover before it, so it points where it ends; with the lasso it picks that point.
    const found = nearest(map, shown, places.at, [event.offsetX, event.offsetY]);
    point(found);
    if (state.tool === "lasso") select(found === null ? [] : [found], drag.how);
  };
  /** Enter picks the point that is pointed at, or lets it go; with shift its whole run. */
  const pick = (isRun: boolean) => {
    if (row === null || !shown[row]) return;
    const run = isRun ? runAt(map, row) : undefined;
    const rows = run ? Array.from({ length: run.stop - run.start }, (_, i) => run.start + i).filter((other) => shown[other]) : [row];
    select(rows, picked?.[row] ? "remove" : "add");
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const factor = ZOOM_KEYS[event.key];
    const turn = TURN_KEYS[event.key];
    if (turn && event.shiftKey && size) look(isSpatial ? turned(view, size, ...turn) : panned(view, size, -turn[0], -turn[1]));
    else if (ARROWS.has(event.key)) point(stepped(map, shown, row, event.key));
    else if (event.key === "Enter") pick(event.shiftKey);
    else if (event.key === "Escape") row === null ? select([], "replace") : point(null);
    else if (event.key === "0") home();
    else if (event.key === "l") act({ kind: "tool", tool: state.tool === "lasso" ? "move" : "lasso" });
    else if (factor && size) zoom([size.width / 2, size.height / 2], factor);
    else return;
    event.preventDefault();
  };

  // Not with each step of a drag either.
  const panels = useMemo(
    () => <Panels {...{ scene, index, state, times, groups, theme, layout, act }} />,
    [scene, index, times, groups, theme, layout, state.open, state.hidden, state.names, state.place, state.selection, state.curve, state.step],
  );

  const isVisible = row !== null && shown[row] === 1;
  const at = isVisible && places ? ([places.at[2 * row] as number, places.at[2 * row + 1] as number] as const) : null;
  const diverged = map.runs.filter((run) => divergedAfter(run) !== null).length;
  const summary = count === 1
    ? "1 point"
    : `${pointsOf(count)} in ${runsOf(map.runs.length)}${diverged > 0 ? `, ${diverged} of them diverged` : ""}`;
  return (
    <figure class="map" data-map={map.name} data-layout={layout.name}>
      <h2>{map.name}</h2>
      <div class="frame" ref={frame}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-roledescription="map"
          aria-label={`${map.name}: ${summary}`}
          aria-describedby={help}
          data-tool={state.tool}
          data-zoom={view.zoom.toFixed(3)}
          data-centre={camera ? `${camera.x} ${camera.y}` : ""}
          data-scale={camera?.scale}
          data-turn={isSpatial ? `${view.yaw.toFixed(3)} ${view.pitch.toFixed(3)}` : undefined}
          data-selected={picked ? picked.reduce((sum, one) => sum + one, 0) : 0}
          data-moving={String(places?.at !== target?.at)}
          onPointerDown={press}
          onPointerMove={move}
          onPointerUp={release}
          onPointerCancel={() => {
            dragged.current = null;
            setLoop([]);
          }}
          onPointerLeave={(event) => {
            if (event.pointerType === "mouse" && !dragged.current && !isResting(event)) point(null);
          }}
          onDblClick={home}
          onKeyDown={key}
          onBlur={() => point(null)}
        />
        <canvas ref={overlay} class="overlay" aria-hidden="true" />
        {count === 0 && <p class="empty">No points yet</p>}
        <Card {...{ map, layout, state, at }} row={isVisible ? row : null} size={size ?? { width: 0, height: 0 }} />
        <p id={help} class="aside">
          Arrow keys walk along a run and from run to run, Enter selects the point and shift-Enter its run, Escape lets go, plus and
          minus zoom, shift and an arrow move or turn the map, 0 shows the whole map.
        </p>
        <MapTools {...{ scene, index, state, scale, groups, picture }} isHome={isWhole(view) && (!isSpatial || view === ASLANT)} home={home} />
      </div>
      <div class="words">
        {layout.caption && <figcaption>{layout.caption}</figcaption>}
        {panels}
      </div>
    </figure>
  );
}
