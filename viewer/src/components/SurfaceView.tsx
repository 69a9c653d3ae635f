/** A surface of the loss with the run on it: what the plane shows, and how far from the plane the run was. */

import { useMemo, useRef, useState } from "preact/hooks";
import { css, viridis } from "../colours";
import { formatted, ticks } from "../numbers";
import { nearest } from "../pick";
import type { Surface, SurfacePath } from "../scene";
import type { Theme } from "../theme";
import type { Size } from "../view/camera";
import { axisOf, drawFrame, frameOf, xOf, yOf } from "../view/chart";
import { drawFlat, drawSolid, flat, heightsOf, solid, type Heights } from "../view/surface";
import { Chart } from "./Chart";
import { Segments } from "./Segments";

const STOPS = Array.from({ length: 17 }, (_, i) => css(viridis(i / 16))).join(", ");
const TURN = 0.12;

function pathPlaces(surface: Surface, heights: Heights, size: Size, turn: readonly [number, number] | null): Float32Array {
  const path = surface.path as SurfacePath;
  const places = new Float32Array(2 * path.steps.length);
  const onFlat = flat(surface, size);
  const onSolid = turn && solid(surface, size, ...turn);
  for (let i = 0; i < path.steps.length; i++) {
    const [x, y] = [path.coordinates[2 * i] as number, path.coordinates[2 * i + 1] as number];
    if (onSolid) {
      const share = heights.share(path.drawn_loss[i] as number);
      places.set(onSolid(x, y, Number.isNaN(share) ? 0 : share + 0.01).slice(0, 2) as [number, number], 2 * i);
    } else places.set([onFlat.x(x), onFlat.y(y)], 2 * i);
  }
  return places;
}

function drawPath(context: CanvasRenderingContext2D, places: Float32Array, pointed: number | null): void {
  const n = places.length / 2;
  context.lineJoin = context.lineCap = "round";
  for (const [width, colour] of [[4, "#fff"], [1.8, "#d55e00"]] as const) {
    context.beginPath();
    for (let i = 0; i < n; i++) context.lineTo(places[2 * i] as number, places[2 * i + 1] as number);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  for (let i = 0; i < n; i++) {
    context.beginPath();
    context.arc(places[2 * i] as number, places[2 * i + 1] as number, i === pointed ? 6 : i === n - 1 ? 5 : 2.6, 0, 2 * Math.PI);
    context.fillStyle = "#d55e00";
    context.fill();
    context.lineWidth = i === pointed ? 2 : 0.8;
    context.strokeStyle = "#fff";
    context.stroke();
  }
}

function OffPlane({ path, theme, pointed, label, isLog }: {
  readonly path: SurfacePath;
  readonly theme: Theme;
  readonly pointed: number | null;
  readonly label: string;
  readonly isLog: boolean;
}) {
  const losses = [...path.true_loss, ...path.drawn_loss];
  const scale = isLog && losses.every((value) => !(value <= 0)) ? "log" : "linear";
  const x = axisOf(path.steps as Float32Array, "linear", "step");
  const charts = [
    { name: `${label}: the run's own and, dashed, the one drawn`, axis: axisOf(losses, scale, label), lines: [[path.true_loss, false], [path.drawn_loss, true]] },
    { name: "distance from the plane", axis: { ...axisOf([0, ...path.off_plane], "linear", "distance"), low: 0 }, lines: [[path.off_plane, false]] },
  ] as const;
  return (
    <div class="off-plane">
      {charts.map(({ name, axis, lines }) => (
        <div key={name}>
          <p class="chart-title">{name}</p>
          <Chart
            class="low"
            label={`${name} over the steps of ${path.name}, from ${formatted(axis.low)} to ${formatted(axis.high)}`}
            also={[path, theme, pointed]}
            paint={(context, size) => {
              const frame = frameOf(size, x, axis);
              drawFrame(context, frame, theme);
              for (const [values, isDashed] of lines) {
                context.beginPath();
                values.forEach((value, i) => Number.isFinite(value) && context.lineTo(xOf(frame, path.steps[i] as number), yOf(frame, value)));
                context.lineWidth = 1.6;
                context.strokeStyle = isDashed ? css(theme.ink) : "#d55e00";
                context.setLineDash(isDashed ? [4, 3] : []);
                context.stroke();
              }
              context.setLineDash([]);
              if (pointed === null) return;
              context.fillStyle = css(theme.muted);
              context.fillRect(xOf(frame, path.steps[pointed] as number), frame.top, 1, frame.bottom - frame.top);
            }}
          />
        </div>
      ))}
    </div>
  );
}

function spoken(path: SurfacePath, i: number): string {
  return `step ${formatted(path.steps[i] as number)}: loss ${formatted(path.true_loss[i] as number)}, drawn ${formatted(path.drawn_loss[i] as number)}, ${formatted(path.off_plane[i] as number)} from the plane`;
}

export function SurfaceView({ surface, theme }: { readonly surface: Surface; readonly theme: Theme }) {
  const heights = useMemo(() => heightsOf(surface), [surface]);
  const [isSolid, setSolid] = useState(false);
  const [turn, setTurn] = useState<readonly [number, number]>([0.6, 0.55]);
  const [chosen, setPointed] = useState<number | null>(null);
  const began = useRef(turn);
  const { path } = surface;
  const pointed = path && chosen !== null && chosen < path.steps.length ? chosen : null;
  const way = isSolid ? turn : null;
  const limited = (yaw: number, pitch: number) => [yaw, Math.min(1.5, Math.max(0.05, pitch))] as const;

  const paint = (context: CanvasRenderingContext2D, size: Size) => {
    if (isSolid) drawSolid(context, surface, heights, solid(surface, size, ...turn));
    else drawFlat(context, surface, heights, size, theme);
    if (path) drawPath(context, pathPlaces(surface, heights, size, way), pointed);
  };
  const point = (at: readonly [number, number] | null, size: Size) => {
    if (!path) return;
    setPointed(at && nearest({ optimum: null }, new Uint8Array(path.steps.length).fill(1), pathPlaces(surface, heights, size, way), at));
  };
  const drag = (from: readonly [number, number], to: readonly [number, number], size: Size, isOver: boolean) => {
    if (!isSolid) return;
    const start = began.current;
    const next = limited(start[0] - (Math.PI * (to[0] - from[0])) / size.width, start[1] + (Math.PI * (to[1] - from[1])) / size.height);
    setTurn(next);
    if (isOver) began.current = next;
  };
  const key = (event: KeyboardEvent): boolean => {
    const arrow = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] as [number, number] | undefined;
    if (arrow && event.shiftKey && isSolid) setTurn((began.current = limited(turn[0] - TURN * arrow[0], turn[1] + TURN * arrow[1])));
    else if (arrow && path && arrow[0] !== 0) setPointed(Math.min(path.steps.length - 1, Math.max(0, (pointed ?? -1) + arrow[0])));
    else if (event.key === "Escape") setPointed(null);
    else return false;
    return true;
  };
  const marks = heights.low <= heights.high ? ticks(heights.low, heights.high, surface.scale, 5) : [];
  return (
    <figure class="surface" data-surface={surface.name}>
      <h2>{surface.name}</h2>
      <div class="surface-body">
        <div>
          <Chart
            class="ground"
            label={`${surface.label} over the plane, from ${formatted(heights.low)} to ${formatted(heights.high)}.${path ? " Arrow keys walk along the run." : ""}`}
            paint={paint}
            also={[surface, heights, isSolid, turn, pointed, theme]}
            data={{ "data-low": heights.low, "data-high": heights.high, "data-missing": heights.missing, "data-step": pointed ?? "", "data-turn": turn.map((angle) => angle.toFixed(3)).join(" ") }}
            onPoint={point}
            onDrag={drag}
            onCancel={() => (began.current = turn)}
            onKey={key}
          />
          <p class="said" role="status" aria-live="polite">{path && pointed !== null ? spoken(path, pointed) : " "}</p>
          <div class="surface-tools">
            <Segments
              legend="Seen"
              segments={[{ value: "flat", label: "From above" }, { value: "solid", label: "As a surface" }]}
              chosen={isSolid ? "solid" : "flat"}
              choose={(value) => setSolid(value === "solid")}
            />
            <div class="bar">
              <p class="bar-title">
                <span><strong>{surface.label}</strong>{heights.isLog && <span class="quiet">, log scale</span>}</span>
                {heights.missing > 0 && <span class="note"><span class="swatch missing" />no number ({heights.missing})</span>}
              </p>
              <div class="ramp" style={{ background: `linear-gradient(to right, ${STOPS})` }} />
              <div class="ticks" aria-hidden="true">
                {marks.map((mark) => <span key={mark} style={{ left: `${100 * heights.share(mark)}%` }}>{formatted(mark)}</span>)}
              </div>
            </div>
          </div>
        </div>
        <div class="words">
          {surface.caption && <figcaption>{surface.caption}</figcaption>}
          {(surface.x_label || surface.y_label) && (
            <dl class="axes">
              <div><dt>to the right</dt><dd>{surface.x_label}</dd></div>
              <div><dt>upwards</dt><dd>{surface.y_label}</dd></div>
            </dl>
          )}
          {path && <OffPlane {...{ path, theme, pointed }} label={surface.label} isLog={heights.isLog} />}
          {path && (
            <p class="hint">
              The plane is a cut through many dimensions, and the run is drawn at its shadow on it: where the two curves part, the colours
              beneath the run are not the losses that it had.
            </p>
          )}
        </div>
      </div>
    </figure>
  );
}
