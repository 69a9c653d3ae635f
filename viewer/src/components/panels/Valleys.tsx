/** The persistence diagram: where each valley of the landscape begins and where it meets a deeper one. */

import { useState } from "preact/hooks";
import { css } from "../../colours";
import { formatted, pointsOf } from "../../numbers";
import type { Barcode, SceneMap } from "../../scene";
import { selectionOf } from "../../state";
import { axisOf, drawFrame, frameOf, xOf, yOf, type Frame } from "../../view/chart";
import type { Size } from "../../view/camera";
import { Chart } from "../Chart";
import type { PanelProps } from "../Panels";

const REACH = 18;

export function isEndless(barcode: Barcode, bar: number): boolean {
  return Number.isNaN(barcode.deaths[bar]);
}

/** Where a bar ends: what never ends is closed at the highest value. */
export function endOf(barcode: Barcode, bar: number): number {
  return isEndless(barcode, bar) ? barcode.highest : (barcode.deaths[bar] as number);
}

export function membersOf(barcode: Barcode, bar: number): number[] {
  return Array.from(barcode.members.subarray(barcode.offsets[bar], barcode.offsets[bar + 1]));
}

/** The bars from the longest to the shortest. */
export function byLength(barcode: Barcode): number[] {
  const length = (bar: number) => endOf(barcode, bar) - (barcode.births[bar] as number);
  return Array.from(barcode.births.keys()).sort((a, b) => length(b) - length(a) || a - b);
}

function spoken(barcode: Barcode, bar: number): string {
  const what = barcode.dimension[bar] === 0 ? "valley" : "cycle";
  const end = isEndless(barcode, bar) ? "never ends" : `ends at ${formatted(barcode.deaths[bar] as number)}`;
  return `${what}: begins at ${formatted(barcode.births[bar] as number)}, ${end}, ${pointsOf(membersOf(barcode, bar).length)}`;
}

function nearestBar(barcode: Barcode, frame: Frame, at: readonly [number, number]): number | null {
  let [best, found] = [REACH * REACH, -1];
  for (let bar = 0; bar < barcode.births.length; bar++) {
    const distance = (xOf(frame, barcode.births[bar] as number) - at[0]) ** 2 + (yOf(frame, endOf(barcode, bar)) - at[1]) ** 2;
    if (distance < best) [best, found] = [distance, bar];
  }
  return found === -1 ? null : found;
}

export function Valleys({ scene, index, state, theme, act }: PanelProps) {
  const map = scene.maps[index] as SceneMap;
  const barcode = map.barcode as Barcode;
  const [chosen, setBar] = useState<number | null>(null);
  const bar = chosen !== null && chosen < barcode.births.length ? chosen : null; // of an earlier scene there may have been more
  const metric = map.metrics.find((one) => one.name === barcode.metric);
  const ends = Array.from(barcode.births.keys()).map((one) => endOf(barcode, one));
  const values = [...barcode.births, ...ends, barcode.highest];
  const scale = metric?.scale === "log" && values.every((value) => value > 0) ? "log" : "linear";
  const x = axisOf(values, scale, `begins at ${metric?.label ?? barcode.metric}`);
  const y = { ...x, label: "ends at" };
  const selected = state.selection?.map === index ? new Set(state.selection.rows) : null;

  const paint = (context: CanvasRenderingContext2D, size: Size) => {
    const frame = frameOf(size, x, y);
    drawFrame(context, frame, theme);
    context.strokeStyle = css(theme.muted);
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(xOf(frame, x.low), yOf(frame, y.low));
    context.lineTo(xOf(frame, x.high), yOf(frame, y.high));
    context.stroke();
    context.setLineDash([]);
    for (let one = 0; one < barcode.births.length; one++) {
      const [left, top] = [xOf(frame, barcode.births[one] as number), yOf(frame, endOf(barcode, one))];
      const holds = selected?.has(barcode.row[one] as number) ?? false;
      context.globalAlpha = selected && !holds ? 0.35 : 0.9;
      context.fillStyle = context.strokeStyle = css(theme.ink);
      context.lineWidth = 1.6;
      context.beginPath();
      if (isEndless(barcode, one)) {
        context.moveTo(left - 6, top + 5);
        context.lineTo(left, top - 5);
        context.lineTo(left + 6, top + 5);
        context.closePath();
        context.fill();
      } else if (barcode.dimension[one] === 0) {
        context.arc(left, top, 4, 0, 2 * Math.PI);
        context.fill();
      } else {
        context.arc(left, top, 3.4, 0, 2 * Math.PI);
        context.stroke();
      }
      if (one !== bar) continue;
      context.globalAlpha = 1;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(left, top, 9, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  };
  const take = (one: number | null) => act({ kind: "select", selection: one === null ? null : selectionOf(index, membersOf(barcode, one)) });
  const key = (event: KeyboardEvent): boolean => {
    const order = byLength(barcode);
    const place = bar === null ? -1 : order.indexOf(bar);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setBar(order[Math.min(order.length - 1, Math.max(0, place + step))] ?? null);
    else if (event.key === "Enter") take(bar);
    else if (event.key === "Escape") take(null);
    else return false;
    return true;
  };
  const endless = Array.from(barcode.births.keys()).filter((one) => isEndless(barcode, one) && barcode.dimension[one] === 0).length;
  return (
    <>
      <Chart
        class="square"
        label={`Persistence diagram of ${map.name}: ${barcode.births.length} valleys and cycles. Arrow keys go through them, the longest first, Enter selects their points.`}
        paint={paint}
        also={[barcode, bar, state.selection, theme]}
        data={{ "data-bars": barcode.births.length, "data-bar": bar ?? "" }}
        onPoint={(at, size) => setBar(at && nearestBar(barcode, frameOf(size, x, y), at))}
        onPick={(at, size) => take(nearestBar(barcode, frameOf(size, x, y), at))}
        onKey={key}
      />
      <p class="said" role="status" aria-live="polite">{bar === null ? " " : spoken(barcode, bar)}</p>
      <p class="hint">
        {scale === "log" && "Log scales. "}A dot is a valley: it begins at its lowest point and ends where it meets a deeper one. The farther from the
        dashed line, the deeper. A triangle never ends ({endless === 1 ? "one, the whole map" : `${endless}, the map's separate pieces`}){barcode.dimension.includes(1 as never) ? "; a ring is a cycle, which never ends either" : ""}.
        Pick one to select its points.
      </p>
    </>
  );
}
