/** What the colours mean: one choice of a few, so radio buttons, which the arrow keys already understand. */

import { useId } from "preact/hooks";
import type { ColourMode } from "../colours";
import type { Act } from "../state";

export interface ColourChoiceProps {
  readonly modes: readonly ColourMode[];
  readonly chosen: string;
  readonly act: (act: Act) => void;
}

export function ColourChoice({ modes, chosen, act }: ColourChoiceProps) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>Colour by</legend>
      <div class="options">
        {modes.map((mode) => (
          <label key={mode.id} class="option">
            <input
              type="radio"
              name={name}
              value={mode.id}
              checked={mode.id === chosen}
              onChange={() => act({ kind: "colour", colour: mode.id })}
            />
            <span>{mode.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
