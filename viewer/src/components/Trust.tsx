/** How far a map can be trusted: its scores under each way of drawing it, beside what nulls score. */

import { useId } from "preact/hooks";
import { formatted } from "../numbers";
import type { Layout, SceneMap, Score } from "../scene";
import { Term } from "./Facts";

/** Three decimals: scores are shares and the like, and what is smaller is nothing. */
function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) < 100 ? formatted(Number(value.toFixed(3))) : formatted(value);
}

/** By which scores each null does as well as the map. */
function matches(scores: readonly Score[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { label, better, values: [own], nulls } of scores) {
    if (own === null || own === undefined) continue;
    for (const [name, value] of nulls) {
      if (value === null || (better === "higher" ? value < own : value > own)) continue;
      found.set(name, [...(found.get(name) ?? []), label]);
    }
  }
  return found;
}

/** What the comparison with chance says, in a sentence. */
function verdict(scores: readonly Score[]): string {
  const found = [...matches(scores)];
  if (found.length === 0) return "In grey, what chance alone scores: the map does better by every number.";
  const parts = found.map(([name, labels]) => {
    const isAll = labels.length === scores.length && labels.length > 1;
    return `${isAll ? `all ${labels.length} numbers` : labels.join(", ")} (${name})`;
  });
  return `In grey, what chance alone scores. It does as well as the map by ${parts.join(" and by ")}: what these praise may be chance.`;
}

export function Trust({ map, layout }: { readonly map: SceneMap; readonly layout: Layout }) {
  const title = useId();
  if (map.scores.length === 0) return null;
  const nulls = [...new Set(map.scores.flatMap((score) => score.nulls.map(([name]) => name)))];
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
      {nulls.length > 0 && <p class="hint">{verdict(map.scores)}</p>}
    </section>
  );
}
