/** The map in words and numbers: one line a run, with the metrics at its last point. */

import { groupNameOf, nameOf } from "../groups";
import { formatted, pointsOf, withUnit } from "../numbers";
import { isTimed, type SceneMap } from "../scene";
import type { State } from "../state";

export function RunTable({ map, names }: { readonly map: SceneMap; readonly names: State["names"] }) {
  const hasGroup = map.runs.some((run) => groupNameOf(run, names) !== null);
  const hasSeed = map.runs.some((run) => run.seed !== null);
  const hasJump = map.runs.some((run) => run.jump !== null);
  const hasKinds = new Set(map.runs.map((run) => run.kind)).size > 1;
  const hasDiverged = map.runs.some((run) => run.n_diverged > 0);
  // Focusable, so that a wide table can be scrolled by keyboard.
  return (
      <div class="scroll" tabIndex={0} role="region" aria-label={`Runs of ${map.name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">run</th>
              {hasGroup && <th scope="col">group</th>}
              {hasKinds && <th scope="col">kind</th>}
              {hasSeed && <th scope="col">seed</th>}
              {hasJump && <th scope="col">jump size</th>}
              <th scope="col">points</th>
              <th scope="col">{map.time_label}</th>
              {hasDiverged && <th scope="col">diverged</th>}
              {map.metrics.map((metric) => <th scope="col" key={metric.name}>{metric.label}, last</th>)}
            </tr>
          </thead>
          <tbody>
            {map.runs.map((run, index) => {
              const last = run.stop - 1;
              const isEmpty = run.stop === run.start;
              return (
                <tr key={index}>
                  <th scope="row">{nameOf(run, names)}</th>
                  {hasGroup && <td>{groupNameOf(run, names) ?? ""}</td>}
                  {hasKinds && <td>{run.kind}</td>}
                  {hasSeed && <td>{run.seed ?? ""}</td>}
                  {hasJump && <td>{run.jump === null ? "" : formatted(run.jump)}</td>}
                  <td>{run.stop - run.start}</td>
                  <td>{isEmpty || !isTimed(run) ? "" : `${formatted(map.time[run.start] as number)} to ${formatted(map.time[last] as number)}`}</td>
                  {hasDiverged && <td>{run.n_diverged > 0 ? `${pointsOf(run.n_diverged)} not drawn` : ""}</td>}
                  {map.metrics.map((metric) => (
                    <td key={metric.name}>{isEmpty ? "" : withUnit(formatted(metric.values[last] as number), metric.unit)}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
  );
}
