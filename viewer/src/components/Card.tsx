/** What is known of one point, beside it. A live region, so that a screen reader follows the arrow keys. */

import { formatted, pointsOf, withUnit } from "../numbers";
import { divergedAfter, isTimed, type SceneMap, type SceneRun } from "../scene";
import type { Size } from "../view/camera";

interface Line {
  readonly name: string; // for tests and style, not for people
  readonly label: string;
  readonly value: number;
  readonly unit: string;
}

function runAt(map: SceneMap, row: number): SceneRun | undefined {
  return map.runs.find((candidate) => candidate.start <= row && row < candidate.stop);
}

function lines(map: SceneMap, row: number): Line[] {
  const run = runAt(map, row);
  const label = run && !isTimed(run) ? "point" : map.time_label;
  const result: Line[] = [{ name: "time", label, value: map.time[row] as number, unit: "" }];
  if (run && run.jump !== null) result.push({ name: "jump", label: "jump size", value: run.jump, unit: "" });
  for (const metric of map.metrics) {
    result.push({ name: `metric:${metric.name}`, label: metric.label, value: metric.values[row] as number, unit: metric.unit });
  }
  return result;
}

function heading(map: SceneMap, row: number): string {
  const run = runAt(map, row);
  if (row === map.optimum) return run ? `optimum of ${run.name}` : "optimum";
  return run?.name ?? "point of no run";
}

/** What there is to say of a point besides numbers. */
function remark(map: SceneMap, row: number): string | null {
  const run = runAt(map, row);
  if (!run || divergedAfter(run) !== row) return null;
  return `diverged after this point (${pointsOf(run.n_diverged)} not drawn)`;
}

export interface CardProps {
  readonly map: SceneMap;
  readonly row: number | null;
  readonly at: readonly [number, number] | null; // where the point is on the canvas
  readonly size: Size;
}

export function Card({ map, row, at, size }: CardProps) {
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
          <p class="card-title">{heading(map, row)}</p>
          <dl>
            {lines(map, row).map(({ name, label, value, unit }) => (
              <div key={name} data-name={name} data-value={String(value)}>
                <dt>{label}</dt>
                <dd>{withUnit(formatted(value), unit)}</dd>
              </div>
            ))}
          </dl>
          {remark(map, row) && <p class="card-remark">{remark(map, row)}</p>}
        </>
      )}
    </div>
  );
}
