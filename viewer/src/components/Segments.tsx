/** One choice of a few, so radio buttons, which the arrow keys already understand. */

import { useId } from "preact/hooks";

export interface Segment<T extends string> {
  readonly value: T;
  readonly label: string;
}

export interface SegmentsProps<T extends string> {
  readonly legend: string;
  readonly class?: string;
  readonly segments: readonly Segment<T>[];
  readonly chosen: T;
  readonly choose: (value: T) => void;
}

export function Segments<T extends string>({ legend, class: extra, segments, chosen, choose }: SegmentsProps<T>) {
  const name = useId();
  return (
    <fieldset class={`choice ${extra ?? ""}`}>
      <legend>{legend}</legend>
      <div class="options">
        {segments.map(({ value, label }) => (
          <label key={value} class="option">
            <input type="radio" name={name} value={value} checked={value === chosen} onChange={() => choose(value)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
