/** Which colour each point of a map has: a short palette, and each point's place in it. */

import { css, dash, hue, mixed, position, valuesOf, viridis, type Colour, type ColourScale } from "./colours";
import { groupNumbers, type Group } from "./groups";
import { isTimed, type SceneMap, type SceneRun } from "./scene";
import { CIRCLE, shapeOf, type Shape } from "./shapes";
import type { State } from "./state";
import type { Theme } from "./theme";

export interface Colouring {
  readonly palette: readonly string[];
  readonly dashes: readonly (readonly number[])[]; // one a palette entry
  readonly shapes: readonly Shape[]; // of points, one a palette entry
  readonly index: Uint16Array; // (n,) each row's palette entry
  readonly marks: readonly (string | null)[]; // the fill of each run's diamond; null where it has no jump
  readonly star: string;
}

const LEVELS = 64;
const FADES = 12;
const PALEST = 0.72;

/** The fill of a jump's diamond when colours mean runs: from pale to ink, apart from every hue. */
export function jumpColour(jump: number, sizes: readonly number[], theme: Theme): Colour {
  const [low, high] = [sizes[0] as number, sizes[sizes.length - 1] as number];
  return mixed(theme.pale, theme.ink, high > low ? (jump - low) / (high - low) : 1);
}

/** The colour of a group where colours mean runs. */
export function groupColour(group: Group, theme: Theme): Colour {
  return group.form === "star" ? theme.ink : hue(group.number);
}

/** How pale a run's point is, 0 to 1, at `age`, 0 (its first) to 1 (its last). */
function fade(run: SceneRun, age: number): number {
  if (!isTimed(run)) return 0;
  // A retraining's news is where it jumped to, so it fades with time; a training's is where it ends.
  return run.kind === "retraining" || run.stop - run.start === 1 ? age : 1 - age;
}

function byRun(map: SceneMap, groups: readonly Group[], sizes: readonly number[], theme: Theme): Colouring {
  const inHues = [...groups].sort((a, b) => a.number - b.number);
  const entries = inHues.flatMap((group) =>
    Array.from({ length: FADES }, (_, level) => css(mixed(hue(group.number), theme.ground, (PALEST * level) / (FADES - 1)))),
  );
  const numbers = groupNumbers(map, groups);
  const index = new Uint16Array(map.time.length).fill(entries.length);
  map.runs.forEach((run, r) => {
    const length = Math.max(1, run.stop - run.start - 1);
    for (let row = run.start; row < run.stop; row++) {
      index[row] = (numbers[r] as number) * FADES + Math.round(fade(run, (row - run.start) / length) * (FADES - 1));
    }
  });
  return {
    palette: [...entries, css(theme.missing)],
    dashes: [...inHues.flatMap((group) => Array.from({ length: FADES }, () => dash(group.number))), []],
    shapes: [...inHues.flatMap((group) => Array.from({ length: FADES }, () => shapeOf(group.number))), CIRCLE],
    index,
    marks: map.runs.map((run) => (run.jump === null ? null : css(jumpColour(run.jump, sizes, theme)))),
    star: css(theme.ink),
  };
}

function byNumber(map: SceneMap, layout: string | null, mode: string, scale: ColourScale, theme: Theme): Colouring {
  const palette = [...Array.from({ length: LEVELS }, (_, level) => css(viridis(level / (LEVELS - 1)))), css(theme.missing)];
  const index = new Uint16Array(map.time.length).fill(LEVELS);
  valuesOf(map, layout, mode)?.forEach((value, row) => {
    const place = position(scale, value);
    if (!Number.isNaN(place)) index[row] = Math.round(Math.min(1, Math.max(0, place)) * (LEVELS - 1));
  });
  const isOnScale = map.optimum !== null && index[map.optimum] !== LEVELS;
  return {
    palette,
    dashes: palette.map(() => []),
    shapes: palette.map(() => CIRCLE),
    index,
    marks: map.runs.map((run) => (run.jump === null || run.start === run.stop ? null : (palette[index[run.start] as number] as string))),
    star: isOnScale ? (palette[index[map.optimum as number] as number] as string) : css(theme.ink),
  };
}

/** The colours of a map; `scale` is null when colours mean runs. */
export function colouring(
  map: SceneMap,
  { colour, layout }: Pick<State, "colour" | "layout">,
  scale: ColourScale | null,
  groups: readonly Group[],
  sizes: readonly number[],
  theme: Theme,
): Colouring {
  return scale ? byNumber(map, layout, colour, scale, theme) : byRun(map, groups, sizes, theme);
}

/**
 * How old each row is at `time`, 0 (now) to 1 (long ago), counted in stops of the slider: the fading tail. A run that has
 * ended stays as it ended.
 */
export function ages(map: SceneMap, times: readonly number[], time: number): Float32Array {
  const stops = new Map(times.map((value, stop) => [value, stop]));
  const now = stops.get(time) ?? times.length - 1;
  const tail = Math.max(4, 0.3 * times.length);
  const result = new Float32Array(map.time.length);
  for (const run of map.runs.filter(isTimed)) {
    const end = Math.min(now, stops.get(map.time[run.stop - 1] as number) ?? now);
    for (let row = run.start; row < run.stop; row++) {
      const stop = stops.get(map.time[row] as number) ?? end;
      result[row] = Math.min(1, Math.max(0, (end - stop) / tail));
    }
  }
  return result;
}
