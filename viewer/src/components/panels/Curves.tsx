/** One metric of every run over time. Selected points are marked; dragging across selects the points of that time. */

import { useMemo, useRef, useState } from "preact/hooks";
import { css, dash, METRIC } from "../../colours";
import { groupColour } from "../../colouring";
import { groupKey } from "../../groups";
import { formatted } from "../../numbers";
import { nearest, stepped } from "../../pick";
import { joined } from "../../lasso";
import { isTimed, metricsOf, runOfRow, type Metric, type SceneMap } from "../../scene";
import { selectionOf } from "../../state";
import { axisOf, drawFrame, frameOf, valueAt, xOf, yOf, type Frame } from "../../view/chart";
import type { Size } from "../../view/camera";
import { Chart } from "../Chart";
import type { PanelProps } from "../Panels";

/** The metric that is drawn: the one that was chosen, else the landscape's, else the first. */
export function curveMetric(metrics: readonly Metric[], chosen: string | null, landscape: string | null): Metric | undefined {
  return metrics.find((metric) => metric.name === chosen) ?? metrics.find((metric) => metric.name === landscape) ?? metrics[0];
}

/** 1 for each row that has a place on the chart: of a run with time that is not hidden, with a number. */
function drawable(map: SceneMap, metric: Metric, hidden: ReadonlySet<string>): Uint8Array {
  const result = new Uint8Array(map.time.length);
  for (const run of map.runs.filter(isTimed)) {
    if (hidden.has(groupKey(run)) || run.start === map.optimum) continue;
    for (let row = run.start; row < run.stop; row++) {
      const value = metric.values[row] as number;
      if (Number.isFinite(value) && (metric.scale === "linear" || value > 0)) result[row] = 1;
    }
  }
  return result;
}

/** The x of each row: the time, on a log scale's frame as well as on a linear one. */
function placesOf(map: SceneMap, metric: Metric, frame: Frame): Float32Array {
  const places = new Float32Array(2 * map.time.length);
  for (let row = 0; row < map.time.length; row++) {
    places[2 * row] = xOf(frame, map.time[row] as number);
    places[2 * row + 1] = yOf(frame, metric.values[row] as number);
  }
  return places;
}

export function Curves({ scene, index, state, times, groups, theme, layout, act }: PanelProps) {
  const map = scene.maps[index] as SceneMap;
  const metrics = metricsOf(map, layout);
  const metric = curveMetric(metrics, state.curve, map.landscape);
  const last = useRef<Size | null>(null);
  const [span, setSpan] = useState<readonly [number, number] | null>(null);
  const drawn = useMemo(() => (metric ? drawable(map, metric, state.hidden) : new Uint8Array()), [map, metric, state.hidden]);
  const axes = useMemo(() => {
    if (!metric) return null;
    const rows = Array.from(drawn.keys()).filter((row) => drawn[row]);
    // Every map's curves have one scale, so that they can be compared.
    const all = scene.maps.flatMap((other) => {
      const found = other.metrics.find((candidate) => candidate.name === metric.name);
      return found ? [{ map: other, metric: found }] : [];
    });
    const shared = all.length > 0 ? all : [{ map, metric }];
    const values = shared.flatMap((one) => {
      const keep = one.map === map ? drawn : drawable(one.map, one.metric, state.hidden);
      return Array.from(one.metric.values as Float32Array).filter((_, row) => keep[row]);
    });
    return { x: axisOf(rows.map((row) => map.time[row] as number), "linear", map.time_label), y: axisOf(values, metric.scale, metric.label) };
  }, [scene, map, metric, drawn, state.hidden]);
  if (!metric || !axes) return <p class="quiet">No numbers were recorded.</p>;
  const now = state.step === null ? null : times[state.step];
  const isDue = (row: number) => now === null || (map.time[row] as number) <= (now as number);
  const selected = state.selection?.map === index ? state.selection.rows : null;
  const pointed = state.place?.map === index ? state.place.row : null;
  const isBack = selected !== null;

  const paint = (context: CanvasRenderingContext2D, size: Size) => {
    last.current = size;
    const frame = frameOf(size, axes.x, axes.y);
    drawFrame(context, frame, theme);
    const places = placesOf(map, metric, frame);
    const colours = new Map(groups.map((group) => [group.key, css(groupColour(group, theme))]));
    const dashes = new Map(groups.map((group) => [group.key, dash(group.number)]));
    context.lineWidth = map.runs.length > 30 ? 0.8 : 1.3;
    context.lineJoin = "round";
    for (const run of map.runs) {
      context.beginPath();
      let count = 0;
      for (let row = run.start; row < run.stop; row++) {
        if (!drawn[row]) continue;
        if (now !== null && (map.time[row] as number) > (now as number)) break;
        context.lineTo(places[2 * row] as number, places[2 * row + 1] as number);
        count++;
      }
      context.globalAlpha = isBack ? 0.3 : 0.85;
      context.strokeStyle = context.fillStyle = colours.get(groupKey(run)) ?? css(theme.missing);
      context.setLineDash([...(dashes.get(groupKey(run)) ?? [])]);
      if (count > 1) context.stroke();
      else if (count === 1) {
        context.beginPath();
        const row = drawn.indexOf(1, run.start);
        context.arc(places[2 * row] as number, places[2 * row + 1] as number, 2.5, 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    const runs = selected && runOfRow(map);
    for (const row of selected ?? []) {
      if (!drawn[row]) continue;
      const run = map.runs[runs?.[row] as number];
      context.fillStyle = (run && colours.get(groupKey(run))) ?? css(theme.ink);
      context.beginPath();
      context.arc(places[2 * row] as number, places[2 * row + 1] as number, 2.8, 0, 2 * Math.PI);
      context.fill();
    }
    if (now !== null) {
      context.fillStyle = css(theme.muted);
      context.fillRect(xOf(frame, now as number), frame.top, 1, frame.bottom - frame.top);
    }
    if (span) {
      context.globalAlpha = 0.14;
      context.fillStyle = css(theme.ink);
      context.fillRect(Math.min(...span), frame.top, Math.abs(span[1] - span[0]), frame.bottom - frame.top);
      context.globalAlpha = 1;
    }
    if (pointed !== null && drawn[pointed]) {
      context.lineWidth = 2;
      context.strokeStyle = css(theme.ink);
      context.beginPath();
      context.arc(places[2 * pointed] as number, places[2 * pointed + 1] as number, 6, 0, 2 * Math.PI);
      context.stroke();
    }
  };
  const point = (at: readonly [number, number] | null, size: Size) => {
    const seen = now === null ? drawn : drawn.map((one, row) => (one && isDue(row) ? 1 : 0));
    const row = at && nearest(map, seen, placesOf(map, metric, frameOf(size, axes.x, axes.y)), at);
    if (row !== pointed) act({ kind: "point", place: row === null ? null : { map: index, row } });
  };
  const drag = (from: readonly [number, number], to: readonly [number, number], size: Size, isOver: boolean) => {
    setSpan(isOver ? null : [from[0], to[0]]);
    if (!isOver) return;
    const frame = frameOf(size, axes.x, axes.y);
    const [low, high] = [valueAt(frame, Math.min(from[0], to[0])), valueAt(frame, Math.max(from[0], to[0]))];
    const rows = Array.from(drawn.keys()).filter((row) => drawn[row] && isDue(row) && (map.time[row] as number) >= low && (map.time[row] as number) <= high);
    act({ kind: "select", selection: selectionOf(index, rows) });
  };
  /** As on the map; shift and Enter pick every run's point of that time. */
  const key = (event: KeyboardEvent): boolean => {
    if (/^(Arrow|Home$|End$)/.test(event.key)) {
      const row = stepped(map, drawn, pointed, event.key);
      act({ kind: "point", place: row === null ? null : { map: index, row } });
    } else if (event.key === "Enter" && pointed !== null) {
      const now = map.time[pointed];
      const rows = event.shiftKey ? Array.from(drawn.keys()).filter((row) => drawn[row] && map.time[row] === now) : [pointed];
      const isIn = selected?.includes(pointed) ?? false;
      act({ kind: "select", selection: selectionOf(index, joined(selected ?? [], rows, isIn ? "remove" : "add")) });
    } else if (event.key === "Escape") act(pointed === null ? { kind: "select", selection: null } : { kind: "point", place: null });
    else return false;
    return true;
  };
  const name = `${METRIC}${metric.name}`;
  return (
    <>
      <label class="of">
        <span class="quiet">of</span>
        <select value={metric.name} onChange={(event) => act({ kind: "curve", metric: event.currentTarget.value })}>
          {metrics.map((one) => <option key={one.name} value={one.name}>{one.label}</option>)}
        </select>
        {metric.scale === "log" && <span class="quiet">log scale</span>}
      </label>
      <Chart
        label={
          `${metric.label} of each run over the ${map.time_label}, from ${formatted(axes.y.low)} to ${formatted(axes.y.high)}. ` +
          "Arrow keys walk along a run and from run to run, Enter selects the point, shift-Enter every run's point of that time."
        }
        paint={paint}
        also={[map, metric, drawn, axes, groups, theme, now, selected, pointed, span]}
        data={{ "data-metric": name, "data-low": axes.y.low, "data-high": axes.y.high }}
        onPoint={point}
        onPick={() => state.selection && act({ kind: "select", selection: null })}
        onDrag={drag}
        onCancel={() => setSpan(null)}
        onKey={key}
      />
      <p class="hint">Point at a curve to find its point on the map; drag across to select the points of that time.</p>
    </>
  );
}
