/** Numbers about a whole map. What each means appears when its name is pointed at or focused. */

import { useId } from "preact/hooks";
import type { Fact } from "../scene";

/** A name whose meaning appears when it is pointed at or focused. */
export function Term({ label, meaning }: { readonly label: string; readonly meaning: string }) {
  const id = useId();
  if (!meaning) return <>{label}</>;
  const leave = (event: KeyboardEvent) => {
    if (event.key === "Escape") (event.currentTarget as HTMLElement).blur();
  };
  return (
    <span class="has-meaning">
      <button type="button" class="term" aria-describedby={id} onKeyDown={leave}>{label}</button>
      <span role="tooltip" id={id} class="meaning">{meaning}</span>
    </span>
  );
}

export function Facts({ facts, of }: { readonly facts: readonly Fact[]; readonly of: string }) {
  if (facts.length === 0) return null;
  return (
    <table class="facts" aria-label={`Facts about ${of}`}>
      <tbody>
        {facts.map((fact, index) => (
          <tr key={index}>
            <th scope="row"><Term label={fact.label} meaning={fact.meaning} /></th>
            <td>{fact.value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
