/** Distances between the points themselves, as a table of colours: what every layout has to flatten. */

import { useMemo, useState } from "preact/hooks";
import { css, viridis, type Colour } from "../../colours";
import { formatted } from "../../numbers";
import { runAt, type DistanceTable, type SceneMap } from "../../scene";
import { selectionOf } from "../../state";
import type { Size } from "../../view/camera";
import { Chart } from "../Chart";
import { heading } from "../Card";
import type { PanelProps } from "../Panels";

const EDGE = 8;

/** The table as a picture, one pixel a pair: near is bright. */
function picture(table: DistanceTable, high: number, missing: Colour): HTMLCanvasElement {
  const k = table.rows.length;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.max(1, k);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < k * k; i++) {
    const value = table.values[i] as number;
    const colour = Number.isFinite(value) ? viridis(1 - (high > 0 ? value / high : 0)) : missing;
    image.data.set([...colour, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

export function Distances({ scene, index, state, theme, act }: PanelProps) {
  const map = scene.maps[index] as SceneMap;
  const table = map.distances as DistanceTable;
  const k = table.rows.length;
  const [chosen, setCell] = useState<readonly [number, number] | null>(null);
  const cell = chosen && Math.max(...chosen) < k ? chosen : null; // of an earlier scene there may have been more
  const high = useMemo(() => (table.values as Float32Array).reduce((most, value) => (value > most ? value : most), 0), [table]);
  const drawn = useMemo(() => picture(table, high, theme.missing), [table, high, theme]);
  const selected = state.selection?.map === index ? new Set(state.selection.rows) : null;
  const edges = useMemo(() => {
    const starts: number[] = [];
    table.rows.forEach((row, i) => {
      if (i > 0 && runAt(map, row) !== runAt(map, table.rows[i - 1] as number)) starts.push(i);
    });
    return starts;
  }, [map, table]);

  const side = (size: Size) => Math.min(size.width, size.height) - EDGE;
  const paint = (context: CanvasRenderingContext2D, size: Size) => {
    const wide = side(size);
    context.imageSmoothingEnabled = wide < k;
    context.drawImage(drawn, EDGE, EDGE, wide, wide);
    context.fillStyle = css(theme.paper);
    // Runs are told apart by hairlines, as long as there is room for them.
    if (edges.length < 40) {
      for (const i of edges) {
        context.fillRect(EDGE + (wide * i) / k, EDGE, 0.7, wide);
        context.fillRect(EDGE, EDGE + (wide * i) / k, wide, 0.7);
      }
    }
    context.fillStyle = css(theme.ink);
    table.rows.forEach((row, i) => {
      if (!selected?.has(row)) return;
      context.fillRect(EDGE + (wide * i) / k, 1, Math.max(1.5, wide / k), EDGE - 3);
      context.fillRect(1, EDGE + (wide * i) / k, EDGE - 3, Math.max(1.5, wide / k));
    });
    if (cell) {
      context.strokeStyle = css(theme.ink);
      context.lineWidth = 2;
      context.beginPath();
      context.arc(EDGE + (wide * (cell[1] + 0.5)) / k, EDGE + (wide * (cell[0] + 0.5)) / k, 6, 0, 2 * Math.PI);
      context.stroke();
    }
  };
  const cellAt = (at: readonly [number, number], size: Size): readonly [number, number] | null => {
    const wide = side(size);
    const [j, i] = at.map((place) => Math.floor((k * (place - EDGE)) / wide)) as [number, number];
    return i >= 0 && j >= 0 && i < k && j < k ? [i, j] : null;
  };
  const rows = cell && (cell.map((i) => table.rows[i] as number) as [number, number]);
  const take = () => act({ kind: "select", selection: rows && selectionOf(index, rows) });
  const key = (event: KeyboardEvent): boolean => {
    const step = ({ ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] } as Record<string, [number, number]>)[event.key];
    const clip = (value: number) => Math.min(k - 1, Math.max(0, value));
    if (step) setCell(cell ? [clip(cell[0] + step[0]), clip(cell[1] + step[1])] : [0, 0]);
    else if (event.key === "Enter") take();
    else if (event.key === "Escape") act({ kind: "select", selection: null });
    else return false;
    return true;
  };
  const value = cell && (table.values[cell[0] * k + cell[1]] as number);
  const named = (row: number) => `${heading(map, row, state.names)}, ${map.time_label} ${formatted(map.time[row] as number)}`;
  return (
    <>
      <Chart
        class="square"
        label={`${table.label} between ${k} points of ${map.name}, from 0 to ${formatted(high)}. Arrow keys go from pair to pair, Enter selects both points.`}
        paint={paint}
        also={[drawn, edges, cell, state.selection, theme]}
        data={{ "data-rows": k, "data-high": high, "data-value": value ?? "" }}
        onPoint={(at, size) => setCell(at && cellAt(at, size))}
        onPick={(at, size) => {
          const found = cellAt(at, size); // a tap has no hover before it
          setCell(found);
          act({ kind: "select", selection: found && selectionOf(index, found.map((i) => table.rows[i] as number)) });
        }}
        onKey={key}
      />
      <p class="said" role="status" aria-live="polite">
        {rows && value !== null ? `${formatted(value)}: ${named(rows[0])} and ${named(rows[1])}` : " "}
      </p>
      <p class="hint">
        The {table.label} of {k === map.time.length ? "all" : `${k} of ${map.time.length}`} points, run after run: yellow is 0, dark is {formatted(high)}.
        A bright square off the diagonal is where two stretches come near each other.
      </p>
    </>
  );
}
