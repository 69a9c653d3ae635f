/** What is known of one point, beside it. A live region, so that a screen reader follows the arrow keys. */

import { groupNameOf, nameOf } from "../groups";
import { formatted, pointsOf, withUnit } from "../numbers";
import { divergedAfter, isTimed, metricsOf, runAt, type Layout, type SceneMap } from "../scene";
import type { State } from "../state";
import type { Size } from "../view/camera";

interface Line {
  readonly name: string; // for tests and style, not for people
  readonly label: string;
  readonly value: number;
  readonly unit: string;
}

function lines(map: SceneMap, layout: Layout, row: number): Line[] {
  const run = runAt(map, row);
  const label = run && !isTimed(run) ? "point" : map.time_label;
  const result: Line[] = [{ name: "time", label, value: map.time[row] as number, unit: "" }];
  if (run && run.jump !== null) result.push({ name: "jump", label: "jump size", value: run.jump, unit: "" });
  for (const metric of metricsOf(map, layout)) {
    result.push({ name: `metric:${metric.name}`, label: metric.label, value: metric.values[row] as number, unit: metric.unit });
  }
  return result;
}

export function heading(map: SceneMap, row: number, names: State["names"]): string {
  const run = runAt(map, row);
  const name = run && nameOf(run, names);
  if (row === map.optimum) return name ? `optimum of ${name}` : "optimum";
  return name ?? "point of no run";
}

/** What there is to say of a point besides numbers. */
function remarks(map: SceneMap, row: number): string[] {
  const run = runAt(map, row);
  const result: string[] = [];
  if (run && divergedAfter(run) === row) result.push(`diverged after this point (${pointsOf(run.n_diverged)} not drawn)`);
  if (map.provisional?.[row]) result.push("new: placed on the standing map, which will be drawn anew");
  return result;
}

export interface CardProps {
  readonly map: SceneMap;
  readonly layout: Layout;
  readonly state: State;
  readonly row: number | null;
  readonly at: readonly [number, number] | null; // where the point is on the canvas
  readonly size: Size;
}

export function Card({ map, layout, state, row, at, size }: CardProps) {
  const run = row === null ? undefined : runAt(map, row);
  const group = run && groupNameOf(run, state.names);
  const isOpen = row !== null && at !== null;
  const style: Record<string, string> = {};
  if (isOpen) {
    const isRight = at[0] > size.width / 2;
    const isLow = at[1] > size.height / 2;
    style[isRight ? "right" : "left"] = `${isRight ? size.width - at[0] + 16 : at[0] + 16}px`;
    style[isLow ? "bottom" : "top"] = `${isLow ? size.height - at[1] - 8 : at[1] - 8}px`;
    style["max-width"] = `${Math.max(150, (isRight ? at[0] : size.width - at[0]) - 20)}px`;
  }
  return (
    <div class="card" role="status" aria-live="polite" aria-atomic="true" data-row={isOpen ? row : undefined} style={style}>
      {isOpen && (
        <>
          <p class="card-title">{heading(map, row, state.names)}</p>
          {group && <p class="card-group">{group}</p>}
          <dl>
            {lines(map, layout, row).map(({ name, label, value, unit }) => (
              <div key={name} data-name={name} data-value={String(value)}>
                <dt>{label}</dt>
                <dd>{withUnit(formatted(value), unit)}</dd>
              </div>
            ))}
          </dl>
          {remarks(map, row).map((remark) => <p key={remark} class="card-remark">{remark}</p>)}
        </>
      )}
    </div>
  );
}
