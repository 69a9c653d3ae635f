/** Time: a slider over every moment at which there is a point, and a button that plays it. */

import { useEffect } from "preact/hooks";
import { formatted } from "../numbers";
import { pace } from "../play";
import type { Act, State } from "../state";

export interface PlayerProps {
  readonly times: readonly number[];
  readonly label: string;
  readonly state: State;
  readonly isReduced: boolean;
  readonly keys: Element | Document; // where the space bar is listened for
  readonly act: (act: Act) => void;
}

/** Timers run only while playing. */
function usePlaying({ times, state, isReduced, act }: PlayerProps): void {
  const count = times.length;
  useEffect(() => {
    if (!state.playing) return undefined;
    const { interval, stride } = pace(count, isReduced);
    const timer = setInterval(() => act({ kind: "advance", stride, count }), interval);
    return () => clearInterval(timer);
  }, [state.playing, count, isReduced, act]);
}

const OWN_SPACE = "button, summary, select, textarea, a[href], input:not([type=range])";

/** The space bar plays, except where it already presses something. */
function useSpaceBar(keys: Element | Document, count: number, act: (act: Act) => void): void {
  useEffect(() => {
    const press = (raised: Event) => {
      const event = raised as KeyboardEvent;
      if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as Element | null)?.closest?.(OWN_SPACE)) return;
      event.preventDefault();
      if (!event.repeat) act({ kind: "play", count });
    };
    keys.addEventListener("keydown", press);
    return () => keys.removeEventListener("keydown", press);
  }, [keys, count, act]);
}

export function Player(props: PlayerProps) {
  const { times, label, state, keys, act } = props;
  const count = times.length;
  usePlaying(props);
  useSpaceBar(keys, count, act);
  if (count < 2) return null;
  const step = Math.min(state.step ?? count - 1, count - 1);
  const text = `${label} ${formatted(times[step] as number)} of ${formatted(times[count - 1] as number)}`;
  return (
    <div class="player" role="group" aria-label="Time">
      <button type="button" class="play" aria-label={state.playing ? "Pause" : "Play"} title="Space" onClick={() => act({ kind: "play", count })}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d={state.playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4.5 2.5v11l9-5.5z"} fill="currentColor" />
        </svg>
      </button>
      <input
        type="range"
        aria-label={label}
        aria-valuetext={text}
        min={0}
        max={count - 1}
        step={1}
        value={step}
        style={{ "--done": `${(100 * step) / (count - 1)}%` }}
        onInput={(event) => act({ kind: "seek", step: event.currentTarget.valueAsNumber, count })}
      />
      <output class="now" aria-hidden="true">
        {label} <strong>{formatted(times[step] as number)}</strong> <span class="quiet">of {formatted(times[count - 1] as number)}</span>
      </output>
    </div>
  );
}
