/** The selected points as a table: what a lasso caught, in numbers. */

import { groupNameOf, nameOf } from "../../groups";
import { formatted, pointsOf, withUnit } from "../../numbers";
import { metricsOf, runAt, type SceneMap } from "../../scene";
import type { PanelProps } from "../Panels";

const MOST = 200;

export function SelectionTable({ scene, index, state, layout, act }: PanelProps) {
  const map = scene.maps[index] as SceneMap;
  const rows = state.selection?.map === index ? state.selection.rows : [];
  if (rows.length === 0) {
    return (
      <p class="quiet">
        Nothing is selected here. Draw around points with the lasso, drag across the curves, pick a valley, or press Enter on a point.
      </p>
    );
  }
  const metrics = metricsOf(map, layout);
  const hasGroup = map.runs.some((run) => groupNameOf(run, state.names) !== null);
  return (
    <>
      <p class="selected-count">
        <strong>{pointsOf(rows.length)}</strong>
        {rows.length > MOST && <span class="quiet"> (the first {MOST} below; the CSV holds all)</span>}{" "}
        <button type="button" class="plain" onClick={() => act({ kind: "select", selection: null })}>Let go</button>
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Selected points of ${map.name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">run</th>
              {hasGroup && <th scope="col">group</th>}
              <th scope="col">{map.time_label}</th>
              {metrics.map((metric) => <th scope="col" key={metric.name}>{metric.label}</th>)}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST).map((row) => {
              const run = runAt(map, row);
              return (
                <tr
                  key={row}
                  data-row={row}
                  onMouseEnter={() => act({ kind: "point", place: { map: index, row } })}
                  onMouseLeave={() => act({ kind: "point", place: null })}
                >
                  <th scope="row">{run ? nameOf(run, state.names) : "no run"}</th>
                  {hasGroup && <td>{(run && groupNameOf(run, state.names)) ?? ""}</td>}
                  <td>{formatted(map.time[row] as number)}</td>
                  {metrics.map((metric) => <td key={metric.name}>{withUnit(formatted(metric.values[row] as number), metric.unit)}</td>)}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
