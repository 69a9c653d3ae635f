/** What is known of one point, beside it. A live region, so that a screen reader follows the arrow keys. */

import { formatted, withUnit } from "../numbers";
import type { SceneMap } from "../scene";
import type { Size } from "../view/camera";

interface Line {
  readonly name: string; // for tests and style, not for people
  readonly label: string;
  readonly value: number;
  readonly unit: string;
}

function lines(map: SceneMap, row: number): Line[] {
  const run = map.runs.find((candidate) => candidate.start <= row && row < candidate.stop);
  const result: Line[] = [{ name: "time", label: map.time_label, value: map.time[row] as number, unit: "" }];
  if (run && run.jump !== null) result.push({ name: "jump", label: "jump size", value: run.jump, unit: "" });
  for (const metric of map.metrics) {
    result.push({ name: `metric:${metric.name}`, label: metric.label, value: metric.values[row] as number, unit: metric.unit });
  }
  return result;
}

function heading(map: SceneMap, row: number): string {
  const run = map.runs.find((candidate) => candidate.start <= row && row < candidate.stop);
  if (row === map.optimum) return run ? `optimum of ${run.name}` : "optimum";
  return run?.name ?? "point of no run";
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
        </>
      )}
    </div>
  );
}
