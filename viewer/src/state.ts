/** What the reader has chosen, and how each act changes it. */

import { isTimed, runAt, runOfRow, type Scene, type SceneMap, type SceneRun } from "./scene";
import { groupKey } from "./groups";
import { WHOLE, type View } from "./view/camera";

/** A point that is pointed at: which map, which row. */
export interface Place {
  readonly map: number;
  readonly row: number;
}

/** Points that the reader has picked out: which map, which rows, ascending and each once. */
export interface Selection {
  readonly map: number;
  readonly rows: readonly number[];
}

export type Tool = "move" | "lasso";
export type Scheme = "auto" | "light" | "dark";

/** What can be unfolded below a map; the same on every map, so that they can be compared. */
export const PANELS = ["curves", "valleys", "distances", "selection", "runs"] as const;
export type Panel = (typeof PANELS)[number];

export interface State {
  readonly colour: string; // the id of a colour mode
  readonly layout: string | null; // name of the layout; null is the first of each map
  readonly is3d: boolean;
  readonly step: number | null; // place in `times`; null is the end, also when points are added
  readonly playing: boolean;
  readonly hidden: ReadonlySet<string>; // keys of groups
  readonly names: ReadonlyMap<string, string>; // the reader's own names of groups, by key
  readonly place: Place | null;
  readonly selection: Selection | null;
  readonly tool: Tool;
  readonly isLinked: boolean; // whether the maps' cameras move together
  readonly views: ReadonlyMap<number, View>; // one a map; none is the whole map
  readonly open: ReadonlySet<Panel>;
  readonly curve: string | null; // name of the metric whose curves are drawn; null is the landscape's
  readonly scheme: Scheme;
}

export type Act =
  | { readonly kind: "colour"; readonly colour: string }
  | { readonly kind: "layout"; readonly layout: string }
  | { readonly kind: "3d"; readonly is3d: boolean }
  | { readonly kind: "seek"; readonly step: number; readonly count: number }
  | { readonly kind: "play"; readonly count: number }
  | { readonly kind: "advance"; readonly stride: number; readonly count: number }
  | { readonly kind: "isolate"; readonly key: string; readonly keys: readonly string[] }
  | { readonly kind: "toggle"; readonly key: string; readonly keys: readonly string[] }
  | { readonly kind: "show all" }
  | { readonly kind: "rename"; readonly key: string; readonly name: string }
  | { readonly kind: "point"; readonly place: Place | null }
  | { readonly kind: "select"; readonly selection: Selection | null }
  | { readonly kind: "tool"; readonly tool: Tool }
  | { readonly kind: "link"; readonly isLinked: boolean; readonly count: number }
  | { readonly kind: "view"; readonly map: number; readonly view: View; readonly count: number }
  | { readonly kind: "open"; readonly panel: Panel; readonly isOpen: boolean }
  | { readonly kind: "curve"; readonly metric: string }
  | { readonly kind: "scheme"; readonly scheme: Scheme }
  | { readonly kind: "scene"; readonly from: Scene; readonly to: Scene };

export const START: State = {
  colour: "run",
  layout: null,
  is3d: false,
  step: null,
  playing: false,
  hidden: new Set(),
  names: new Map(),
  place: null,
  selection: null,
  tool: "move",
  isLinked: true,
  views: new Map(),
  open: new Set<Panel>(["curves"]),
  curve: null,
  scheme: "auto",
};

const NONE: ReadonlySet<string> = new Set();

/** One group alone; everything again when it already was alone. */
function isolated(hidden: ReadonlySet<string>, key: string, keys: readonly string[]): ReadonlySet<string> {
  const isAlone = keys.every((other) => hidden.has(other) !== (other === key));
  return isAlone ? NONE : new Set(keys.filter((other) => other !== key));
}

/** One group more or less; a map with nothing left to see shows everything again. */
function toggled(hidden: ReadonlySet<string>, key: string, keys: readonly string[]): ReadonlySet<string> {
  const result = new Set(keys.filter((other) => hidden.has(other)));
  if (!result.delete(key)) result.add(key);
  return result.size === keys.length ? NONE : result;
}

/** The name of a group as the reader wrote it; an empty one is its own name again. */
function renamed(names: ReadonlyMap<string, string>, key: string, name: string): ReadonlyMap<string, string> {
  const result = new Map(names);
  if (name.trim()) result.set(key, name.trim());
  else result.delete(key);
  return result;
}

/** The same view on all of the maps, or on one of them. */
function viewed(views: ReadonlyMap<number, View>, maps: readonly number[], view: View): ReadonlyMap<number, View> {
  const result = new Map(views);
  for (const map of maps) {
    result.delete(map); // so that the last is the one that was moved last
    result.set(map, view);
  }
  return result;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** A selection without repetitions, in order; none where it holds nothing. */
export function selectionOf(map: number, rows: Iterable<number>): Selection | null {
  const ordered = [...new Set(rows)].sort((a, b) => a - b);
  return ordered.length > 0 ? { map, rows: ordered } : null;
}

/** The rows of a map drawn anew that are the same points: of the same run at the same time. */
export function rowsIn(from: SceneMap | undefined, to: SceneMap | undefined, rows: readonly number[]): number[] {
  if (!from || !to) return [];
  const there = new Map<string, number>();
  const pointOf = (run: SceneRun, map: SceneMap, row: number) => `${run.kind}\n${run.name}\n${map.time[row]}`;
  for (const run of to.runs) {
    for (let row = run.stop - 1; row >= run.start; row--) there.set(pointOf(run, to, row), row);
  }
  return rows.flatMap((row) => {
    const run = runAt(from, row);
    return (run && there.get(pointOf(run, from, row))) ?? [];
  });
}

/** The state over another scene, as of runs that have grown: what was picked stays the same points, the moment the same time. */
function carriedOver(state: State, from: Scene, to: Scene): State {
  const at = (map: number, rows: readonly number[]) => rowsIn(from.maps[map], to.maps[map], rows);
  const row = state.place && at(state.place.map, [state.place.row])[0];
  const moment = state.step === null ? undefined : timesOf(from)[state.step];
  const step = moment === undefined ? -1 : timesOf(to).filter((time) => time <= moment).length - 1;
  return {
    ...state,
    selection: state.selection && selectionOf(state.selection.map, at(state.selection.map, state.selection.rows)),
    place: state.place && typeof row === "number" ? { map: state.place.map, row } : null,
    step: step < 0 ? null : step,
  };
}

function played(state: State, act: Extract<Act, { kind: "seek" | "play" | "advance" }>): State {
  switch (act.kind) {
    case "seek":
      return { ...state, playing: false, step: act.step >= act.count - 1 ? null : Math.max(0, act.step) };
    case "play":
      if (state.playing) return { ...state, playing: false };
      if (act.count < 2) return state;
      return { ...state, playing: true, step: state.step === null || state.step >= act.count - 1 ? 0 : state.step };
    case "advance": {
      if (!state.playing || state.step === null) return { ...state, playing: false };
      const step = state.step + act.stride;
      return step >= act.count - 1 ? { ...state, playing: false, step: null } : { ...state, step };
    }
  }
}

export function changed(state: State, act: Act): State {
  switch (act.kind) {
    case "seek":
    case "play":
    case "advance":
      return played(state, act);
    case "colour":
      return { ...state, colour: act.colour };
    case "layout":
      return { ...state, layout: act.layout };
    case "3d":
      return { ...state, is3d: act.is3d, views: new Map() };
    case "isolate":
      return { ...state, place: null, hidden: isolated(state.hidden, act.key, act.keys) };
    case "toggle":
      return { ...state, place: null, hidden: toggled(state.hidden, act.key, act.keys) };
    case "show all":
      return { ...state, hidden: NONE };
    case "rename":
      return { ...state, names: renamed(state.names, act.key, act.name) };
    case "point":
      return { ...state, place: act.place };
    case "select":
      return { ...state, selection: act.selection };
    case "tool":
      return { ...state, tool: act.tool };
    case "link":
      return {
        ...state,
        isLinked: act.isLinked,
        // Together again, they are seen as the one that was moved.
        views: act.isLinked && state.views.size > 0 ? viewed(state.views, upTo(act.count), [...state.views.values()].at(-1) ?? WHOLE) : state.views,
      };
    case "view":
      return { ...state, views: viewed(state.views, state.isLinked ? upTo(act.count) : [act.map], act.view) };
    case "open": {
      const open = new Set(state.open);
      if (act.isOpen) open.add(act.panel);
      else open.delete(act.panel);
      return { ...state, open };
    }
    case "curve":
      return { ...state, curve: act.metric };
    case "scheme":
      return { ...state, scheme: act.scheme };
    case "scene":
      return carriedOver(state, act.from, act.to);
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

/**
 * 1 for each row that is to be seen: it has a place, its group is not hidden and its time, if it has one, has come. The optimum
 * always is. `coordinates` are those of the layout, `axes` numbers a row.
 */
export function shownRows(
  map: SceneMap, coordinates: ArrayLike<number>, axes: number, hidden: ReadonlySet<string>, time: number,
): Uint8Array {
  const isHidden = map.runs.map((run) => hidden.has(groupKey(run)));
  const isAlways = map.runs.map((run) => !isTimed(run));
  const runs = runOfRow(map);
  const shown = new Uint8Array(map.time.length);
  for (let row = 0; row < shown.length; row++) {
    const run = runs[row] as number;
    const isPlaced = Number.isFinite(coordinates[row * axes]) && Number.isFinite(coordinates[row * axes + 1]);
    const isDue = run === -1 || isAlways[run] || !((map.time[row] as number) > time);
    if (isPlaced && (row === map.optimum || (isDue && !isHidden[run]))) shown[row] = 1;
  }
  return shown;
}
