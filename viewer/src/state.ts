/** What the reader has chosen, and how each act changes it. */

import { isTimed, runOfRow, type Scene, type SceneMap } from "./scene";
import { groupKey } from "./groups";

/** A point that is pointed at: which map, which row. */
export interface Place {
  readonly map: number;
  readonly row: number;
}

export interface State {
  readonly colour: string; // the id of a colour mode
  readonly step: number | null; // place in `times`; null is the end, also when points are added
  readonly playing: boolean;
  readonly hidden: ReadonlySet<string>; // keys of groups
  readonly place: Place | null;
}

export type Act =
  | { readonly kind: "colour"; readonly colour: string }
  | { readonly kind: "seek"; readonly step: number; readonly count: number }
  | { readonly kind: "play"; readonly count: number }
  | { readonly kind: "advance"; readonly stride: number; readonly count: number }
  | { readonly kind: "isolate"; readonly key: string; readonly keys: readonly string[] }
  | { readonly kind: "toggle"; readonly key: string; readonly keys: readonly string[] }
  | { readonly kind: "show all" }
  | { readonly kind: "point"; readonly place: Place | null };

export const START: State = { colour: "run", step: null, playing: false, hidden: new Set(), place: null };

const NONE: ReadonlySet<string> = new Set();

/** One group alone; everything again when it already was alone. */
function isolated(hidden: ReadonlySet<string>, key: string, keys: readonly string[]): ReadonlySet<string> {
  const isAlone = !hidden.has(key) && hidden.size === keys.length - 1;
  return isAlone ? NONE : new Set(keys.filter((other) => other !== key));
}

/** One group more or less; a map with nothing left to see shows everything again. */
function toggled(hidden: ReadonlySet<string>, key: string, keys: readonly string[]): ReadonlySet<string> {
  const result = new Set(hidden);
  if (!result.delete(key)) result.add(key);
  return result.size === keys.length ? NONE : result;
}

export function changed(state: State, act: Act): State {
  switch (act.kind) {
    case "colour":
      return { ...state, colour: act.colour };
    case "seek":
      return { ...state, playing: false, step: act.step >= act.count - 1 ? null : Math.max(0, act.step) };
    case "play":
      if (state.playing) return { ...state, playing: false };
      if (act.count < 2) return state;
      return { ...state, playing: true, step: state.step ?? 0 };
    case "advance": {
      if (!state.playing || state.step === null) return { ...state, playing: false };
      const step = state.step + act.stride;
      return step >= act.count - 1 ? { ...state, playing: false, step: null } : { ...state, step };
    }
    case "isolate":
      return { ...state, place: null, hidden: isolated(state.hidden, act.key, act.keys) };
    case "toggle":
      return { ...state, place: null, hidden: toggled(state.hidden, act.key, act.keys) };
    case "show all":
      return { ...state, hidden: NONE };
    case "point":
      return { ...state, place: act.place };
  }
}

/** The times at which something appears, ascending: the stops of the slider. */
export function timesOf(scene: Scene): number[] {
  const times = new Set<number>();
  for (const map of scene.maps) {
    for (const run of map.runs.filter(isTimed)) {
      map.time.subarray(run.start, run.stop).forEach((time, place) => {
        if (Number.isFinite(time) && run.start + place !== map.optimum) times.add(time);
      });
    }
  }
  return [...times].sort((a, b) => a - b);
}

/** 1 for each row that is to be seen: its group is not hidden and its time, if it has one, has come. The optimum always is. */
export function shownRows(map: SceneMap, hidden: ReadonlySet<string>, time: number): Uint8Array {
  const isHidden = map.runs.map((run) => hidden.has(groupKey(run)));
  const isAlways = map.runs.map((run) => !isTimed(run));
  const runs = runOfRow(map);
  const shown = new Uint8Array(map.time.length);
  for (let row = 0; row < shown.length; row++) {
    const run = runs[row] as number;
    const isPlaced = Number.isFinite(map.layouts[0]!.coordinates[row * 2]) && Number.isFinite(map.layouts[0]!.coordinates[row * 2 + 1]);
    const isDue = run === -1 || isAlways[run] || !((map.time[row] as number) > time);
    if (isPlaced && (row === map.optimum || (isDue && !isHidden[run]))) shown[row] = 1;
  }
  return shown;
}
