/** Groups: what the legend lists, hides and gives a hue. Retrainings group by seed, other runs stand alone. */

import { isOrdered, type Scene, type SceneMap, type SceneRun } from "./scene";

/** How a run looks on the map: a trajectory's line, a path's thick one, points alone, or the star of an optimum. */
export type Form = "line" | "path" | "points" | "star";

export interface Group {
  readonly key: string;
  readonly kind: "seed" | "run";
  readonly label: string;
  readonly form: Form;
  readonly number: number; // decides hue and dash
}

export function groupKey(run: SceneRun): string {
  return run.kind === "retraining" && run.seed !== null ? `seed ${run.seed}` : `run ${run.name}`;
}

/** What a group is called: as the reader named it, else as it came. */
export function labelOf(group: Group, names: ReadonlyMap<string, string>): string {
  return names.get(group.key) ?? (group.kind === "seed" ? `seed ${group.label}` : group.label);
}

/** What a run is called; one of several in a group keeps its own name behind the group's. */
export function nameOf(run: SceneRun, names: ReadonlyMap<string, string>): string {
  const key = groupKey(run);
  const name = names.get(key);
  if (name === undefined) return run.name;
  return key.startsWith("seed ") ? `${name}: ${run.name}` : name;
}

export function formOf(run: SceneRun, map: SceneMap): Form {
  if (run.start === map.optimum && run.stop - run.start === 1) return "star";
  if (run.kind === "path") return "path";
  return isOrdered(run) ? "line" : "points";
}

/** The groups of all maps; the same run on two maps is one group. A star has no hue, so that it takes none from the others. */
export function groupsOf(scene: Scene): Group[] {
  const groups = new Map<string, Group>();
  const runs = scene.maps.flatMap((map) => map.runs);
  const seeds = [...new Set(runs.filter((run) => groupKey(run).startsWith("seed ")).map((run) => run.seed as number))];
  for (const seed of seeds.sort((a, b) => a - b)) {
    groups.set(`seed ${seed}`, { key: `seed ${seed}`, kind: "seed", label: String(seed), form: "line", number: groups.size });
  }
  for (const map of scene.maps) {
    for (const run of map.runs) {
      const key = groupKey(run);
      if (!groups.has(key)) groups.set(key, { key, kind: "run", label: run.name, form: formOf(run, map), number: groups.size });
    }
  }
  const list = [...groups.values()];
  const inHues = [...list.filter(({ form }) => form !== "star"), ...list.filter(({ form }) => form === "star")];
  return list.map((group) => ({ ...group, number: inHues.indexOf(group) }));
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
