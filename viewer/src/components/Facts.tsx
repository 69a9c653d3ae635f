/** Numbers about a whole map. What each means appears when its name is pointed at or focused. */

import { useId } from "preact/hooks";
import type { Fact } from "../scene";

function Row({ fact }: { readonly fact: Fact }) {
  const id = useId();
  if (!fact.meaning) return <tr><th scope="row">{fact.label}</th><td>{fact.value}</td></tr>;
  const leave = (event: KeyboardEvent) => {
    if (event.key === "Escape") (event.currentTarget as HTMLElement).blur();
  };
  return (
    <tr>
      <th scope="row">
        <button type="button" class="term" aria-describedby={id} onKeyDown={leave}>{fact.label}</button>
        <span role="tooltip" id={id} class="meaning">{fact.meaning}</span>
      </th>
      <td>{fact.value}</td>
    </tr>
  );
}

export function Facts({ facts, of }: { readonly facts: readonly Fact[]; readonly of: string }) {
  if (facts.length === 0) return null;
  return (
    <table class="facts" aria-label={`Facts about ${of}`}>
      <tbody>{facts.map((fact, index) => <Row key={index} fact={fact} />)}</tbody>
    </table>
  );
}
