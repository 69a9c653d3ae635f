/** Colours: which there are, and how a number becomes one. */

import { isTimed, layoutOf, metricsOf, type Metric, type Numbers, type Scale, type Scene, type SceneMap } from "./scene";

export type Colour = readonly [number, number, number];

const rgb = (hex: number): Colour => [hex >> 16, (hex >> 8) & 255, hex & 255];

// Those of the figures, in the same order. Okabe and Ito's stay apart for colour-blind readers; black and yellow are left
// out, for they are ink and paper in one scheme or the other. A wine and a grey come last.
export const HUES: readonly Colour[] = [
  0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x993366, 0x7f7f7f,
].map(rgb);

// More than eight runs share hues and are told apart by their dashes, and by the shapes of their points.
const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

/** The hue and the dash pattern of the group with this number. */
export function hue(group: number): Colour {
  return HUES[group % HUES.length] as Colour;
}
export function dash(group: number): readonly number[] {
  return DASHES[Math.floor(group / HUES.length) % DASHES.length] as readonly number[];
}

// Viridis of matplotlib at 17 even steps; between them it is straight to within one level in 255.
const VIRIDIS: readonly Colour[] = [
  0x440154, 0x48186a, 0x472d7b, 0x424086, 0x3b528b, 0x33638d, 0x2c728e, 0x26828e, 0x21918c,
  0x1fa088, 0x28ae80, 0x3fbc73, 0x5ec962, 0x84d44b, 0xaddc30, 0xd8e219, 0xfde725,
].map(rgb);

/** The colour that lies `share` of the way from one to the other. */
export function mixed(from: Colour, to: Colour, share: number): Colour {
  return [0, 1, 2].map((i) => Math.round((from[i] as number) + ((to[i] as number) - (from[i] as number)) * share)) as unknown as Colour;
}

/** Viridis at `position`, 0 to 1. */
export function viridis(position: number): Colour {
  const place = Math.min(1, Math.max(0, position)) * (VIRIDIS.length - 1);
  const below = Math.min(VIRIDIS.length - 2, Math.floor(place));
  return mixed(VIRIDIS[below] as Colour, VIRIDIS[below + 1] as Colour, place - below);
}

export function css(colour: Colour): string {
  return `rgb(${colour.join(" ")})`;
}

/** How one number a point is spread over viridis, the same on every map. */
export interface ColourScale {
  readonly label: string;
  readonly unit: string;
  readonly meaning: string;
  readonly scale: Scale;
  readonly low: number;
  readonly high: number;
  readonly missing: number; // points without a value
  readonly clipped: number; // points at or below 0, which a log scale cannot place
}

/** What colours may mean: an id that the address of a choice, its name for people. */
export interface ColourMode {
  readonly id: string; // "run", "time", "jump", or "metric:" and its name
  readonly label: string;
}

export const METRIC = "metric:";

/** The name of time that all maps share, or a neutral one. */
export function timeLabel(scene: Scene): string {
  const labels = new Set(scene.maps.map((map) => map.time_label));
  return labels.size === 1 ? ([...labels][0] as string) : "time";
}

/** Every way to colour this scene, in the order of the choice. */
export function colourModes(scene: Scene, layout: string | null): ColourMode[] {
  const modes = [{ id: "run", label: "run" }];
  if (scene.maps.some((map) => map.runs.some(isTimed))) modes.push({ id: "time", label: timeLabel(scene) });
  if (scene.maps.some((map) => map.runs.some((run) => run.jump !== null))) modes.push({ id: "jump", label: "jump size" });
  const seen = new Set<string>();
  for (const metric of allMetrics(scene, layout)) {
    if (!seen.has(metric.name)) modes.push({ id: METRIC + metric.name, label: metric.label });
    seen.add(metric.name);
  }
  return modes;
}

/** The metrics of all maps as they are drawn, map after map. */
export function allMetrics(scene: Scene, layout: string | null): Metric[] {
  return scene.maps.flatMap((map) => metricsOf(map, layoutOf(map, layout)));
}

/** The number of each row that `mode` colours by; null where this map has none. */
export function valuesOf(map: SceneMap, layout: string | null, mode: string): Numbers | null {
  if (mode === "jump") {
    const result = new Float32Array(map.time.length).fill(NaN);
    for (const run of map.runs) result.fill(run.jump ?? NaN, run.start, run.stop);
    return result;
  }
  if (mode === "time") {
    // The optimum's time is that of the training that found it, not of the runs that are drawn.
    const result = new Float64Array(map.time.length).fill(NaN);
    for (const run of map.runs.filter(isTimed)) result.set(map.time.subarray(run.start, run.stop), run.start);
    return result;
  }
  return metricsOf(map, layoutOf(map, layout)).find((metric) => METRIC + metric.name === mode)?.values ?? null;
}

/** The scale that all maps share in this mode; null when colours mean runs. */
export function colourScale(scene: Scene, layout: string | null, mode: string): ColourScale | null {
  if (mode === "run") return null;
  const metric = allMetrics(scene, layout).find((candidate) => METRIC + candidate.name === mode);
  const label = metric?.label ?? (mode === "time" ? timeLabel(scene) : "jump size");
  const scale = metric?.scale ?? "linear";
  let [low, high, missing, clipped] = [Infinity, -Infinity, 0, 0];
  for (const map of scene.maps) {
    const values = valuesOf(map, layout, mode);
    if (!values) missing += map.time.length;
    values?.forEach((value, row) => {
      if (!Number.isFinite(value)) missing += metric || row !== map.optimum ? 1 : 0;
      else if (scale === "log" && value <= 0) clipped += 1;
      else [low, high] = [Math.min(low, value), Math.max(high, value)];
    });
  }
  const meaning = metric
    ? metric.meaning && `${metric.label}: ${metric.meaning}`
    : mode === "jump" ? "jump size: length of the jump as a fraction of the weights' norm" : `${label} of each point in its own run`;
  return { label, unit: metric?.unit ?? "", meaning, scale, low, high, missing, clipped };
}

/** Where on the scale, 0 to 1, a value lies; NaN where it has none. */
export function position(scale: ColourScale, value: number): number {
  if (!Number.isFinite(value) || scale.low > scale.high) return NaN;
  if (scale.low === scale.high) return 0.5;
  if (scale.scale === "log") {
    if (value <= 0) return 0;
    return Math.log(value / scale.low) / Math.log(scale.high / scale.low);
  }
  return (value - scale.low) / (scale.high - scale.low);
}
