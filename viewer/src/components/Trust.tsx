/** How far a map can be trusted: its scores under each way of drawing it, beside what nulls score. */

import { useId } from "preact/hooks";
import { formatted } from "../numbers";
import type { Layout, SceneMap, Score } from "../scene";
import { Term } from "./Facts";

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : formatted(value, 3);
}

/** What the first null that beats the map is called, if one does. */
function beatenBy(score: Score): string | null {
  const own = score.values[0];
  if (own === null || own === undefined) return null;
  const found = score.nulls.find(([, value]) => value !== null && (score.better === "higher" ? value >= own : value <= own));
  return found ? found[0] : null;
}

export function Trust({ map, layout }: { readonly map: SceneMap; readonly layout: Layout }) {
  const title = useId();
  if (map.scores.length === 0) return null;
  const nulls = [...new Set(map.scores.flatMap((score) => score.nulls.map(([name]) => name)))];
  const warned = map.scores.filter((score) => beatenBy(score) !== null);
  return (
    <section class="trust" aria-labelledby={title}>
      <h3 id={title}>How far to trust it</h3>
      <div class="scroll bare" tabIndex={0} role="region" aria-labelledby={title}>
        <table>
          <thead>
            <tr>
              <td />
              {map.layouts.map((one) => (
                <th scope="col" key={one.name} class={one === layout ? "current" : ""}>{one.name}</th>
              ))}
              {nulls.map((name) => <th scope="col" key={name} class="null">{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {map.scores.map((score) => (
              <tr key={score.label} data-score={score.label}>
                <th scope="row">
                  <Term label={score.label} meaning={`${score.meaning} ${score.better === "higher" ? "Higher" : "Lower"} is better.`} />
                </th>
                {map.layouts.map((one, i) => (
                  <td key={one.name} class={one === layout ? "current" : ""} data-value={String(score.values[i])}>{number(score.values[i])}</td>
                ))}
                {nulls.map((name) => (
                  <td key={name} class="null">{number(score.nulls.find(([other]) => other === name)?.[1])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {nulls.length > 0 && (
        <p class="hint">
          {warned.length > 0
            ? `A map of chance alone scores as well by ${warned.map((score) => `“${score.label}” (${beatenBy(score)})`).join(", ")}: what it shows there may be chance.`
            : "In grey, what chance alone scores on this map's terms; the map does better by every score."}
        </p>
      )}
    </section>
  );
}
