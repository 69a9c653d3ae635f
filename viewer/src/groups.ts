/** Groups: what the legend lists, hides and gives a hue. Retrainings group by seed, other runs by what they say, or stand alone. */

import { isOrdered, type Scene, type SceneMap, type SceneRun } from "./scene";

/** How a run looks on the map: a trajectory's line, a path's thick one, points alone, or the star of an optimum. */
export type Form = "line" | "path" | "points" | "star";

export interface Group {
  readonly key: string;
  readonly kind: "seed" | "group" | "run";
  readonly label: string;
  readonly form: Form;
  readonly number: number; // decides hue and dash
  readonly count: number; // of its runs, on all maps
}

// What a group of runs of several kinds looks like is the first of these that it has.
const FORMS: readonly Form[] = ["line", "path", "points", "star"];

function ownGroup(run: SceneRun): Pick<Group, "kind" | "label"> {
  if (run.kind === "retraining" && run.seed !== null) return { kind: "seed", label: String(run.seed) };
  return run.group === null ? { kind: "run", label: run.name } : { kind: "group", label: run.group };
}

export function groupKey(run: SceneRun): string {
  const { kind, label } = ownGroup(run);
  return `${kind} ${label}`;
}

/** What a group is called: as the reader named it, else as it came. */
export function labelOf(group: Group, names: ReadonlyMap<string, string>): string {
  return names.get(group.key) ?? (group.kind === "seed" ? `seed ${group.label}` : group.label);
}

/** What a run is called; one of a seed keeps its own name behind the seed's, and beside one of a group stands the group. */
export function nameOf(run: SceneRun, names: ReadonlyMap<string, string>): string {
  const { kind } = ownGroup(run);
  const name = names.get(groupKey(run));
  if (name === undefined || kind === "group") return run.name;
  return kind === "seed" ? `${name}: ${run.name}` : name;
}

/** What the group is called that a run says it is of; null where it says none. */
export function groupNameOf(run: SceneRun, names: ReadonlyMap<string, string>): string | null {
  const { kind, label } = ownGroup(run);
  return kind === "group" ? (names.get(groupKey(run)) ?? label) : null;
}

export function runsOf(count: number): string {
  return count === 1 ? "1 run" : `${count} runs`;
}

export function formOf(run: SceneRun, map: SceneMap): Form {
  if (run.start === map.optimum && run.stop - run.start === 1) return "star";
  if (run.kind === "path") return "path";
  return isOrdered(run) ? "line" : "points";
}

/** The groups of all maps; the same run, or group, on two maps is one. A star has no hue, so that it takes none from the others. */
export function groupsOf(scene: Scene): Group[] {
  const found = new Map<string, { run: SceneRun; forms: Set<Form>; names: Set<string> }>();
  for (const map of scene.maps) {
    for (const run of map.runs) {
      const key = groupKey(run);
      const group = found.get(key) ?? { run, forms: new Set(), names: new Set() };
      group.forms.add(formOf(run, map));
      group.names.add(run.name);
      found.set(key, group);
    }
  }
  const list = [...found].map(([key, { run, forms, names }]) => ({
    key,
    ...ownGroup(run),
    form: FORMS.find((form) => forms.has(form)) as Form,
    count: names.size,
  }));
  const seeds = list.filter(({ kind }) => kind === "seed").sort((a, b) => Number(a.label) - Number(b.label));
  const ordered = [...seeds, ...list.filter(({ kind }) => kind !== "seed")];
  const inHues = [...ordered.filter(({ form }) => form !== "star"), ...ordered.filter(({ form }) => form === "star")];
  return ordered.map((group) => ({ ...group, number: inHues.indexOf(group) }));
}

/** The group number of each run of a map, in their order. */
export function groupNumbers(map: SceneMap, groups: readonly Group[]): number[] {
  const numbers = new Map(groups.map((group) => [group.key, group.number]));
  return map.runs.map((run) => numbers.get(groupKey(run)) as number);
}

/** The jump sizes that occur, ascending. */
export function jumpSizes(scene: Scene): number[] {
  const sizes = scene.maps.flatMap((map) => map.runs).map((run) => run.jump);
  return [...new Set(sizes.filter((size) => size !== null))].sort((a, b) => a - b);
}
