/**
 * The scene: the contract with Python (`lossatlas.draw.scene`). Python decides what is shown and computes every number;
 * the viewer computes nothing but pixels. Names are spelled as they travel.
 */

export const FORMAT = "lossatlas-scene";
export const VERSION = 4;

export type Numbers = Float32Array | Float64Array | Int32Array;
export type Scale = "linear" | "log";
/**
 * Points of a training and a retraining follow each other in time, those of a path in space; those of a sample and of a slice,
 * a grid of a plane, in no order.
 */
export type Kind = "training" | "retraining" | "sample" | "slice" | "path";

export interface Metric {
  readonly name: string;
  readonly label: string;
  readonly values: Numbers; // (n,), NaN where there is none
  readonly scale: Scale;
  readonly unit: string;
  readonly meaning: string;
}

/** What one run recorded: rows `start` to `stop` of its map; its kind says in which order, if any. */
export interface SceneRun {
  readonly name: string;
  readonly kind: Kind;
  readonly start: number;
  readonly stop: number;
  readonly seed: number | null;
  readonly jump: number | null;
  readonly group: string | null; // name of the runs that share a colour and an entry of the legend with this one
  readonly n_diverged: number; // points with NaN or infinite weights, which have no row
}

export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly meaning: string;
}

/** One way to draw the points of a map, and what it says of each of them; the first of a map is seen first. */
export interface Layout {
  readonly name: string;
  readonly caption: string;
  readonly coordinates: Numbers; // (n, 2), row after row; NaN where a point has no place
  readonly coordinates_3d: Numbers | null; // (n, 3)
  readonly metrics: readonly Metric[]; // that depend on how the points are drawn
}

/** Valleys and cycles of a landscape: where each begins and ends as the loss rises, and the points that are in it. */
export interface Barcode {
  readonly metric: string;
  readonly births: Numbers; // (m,)
  readonly deaths: Numbers; // (m,), NaN where it never ends
  readonly dimension: Numbers; // (m,): 0 a valley, 1 a cycle
  readonly row: Numbers; // (m,): the point where it begins
  readonly offsets: Numbers; // (m + 1,): members[offsets[i]] to members[offsets[i + 1]] are the rows in the i-th
  readonly members: Numbers;
  readonly highest: number; // where what never ends is closed
}

/** Distances between some points of a map. */
export interface DistanceTable {
  readonly label: string;
  readonly rows: Numbers; // (k,), ascending
  readonly values: Numbers; // (k, k)
}

/** How far layouts can be trusted, as one number each, beside the same number of nulls. */
export interface Score {
  readonly label: string;
  readonly meaning: string;
  readonly better: "higher" | "lower";
  readonly values: readonly (number | null)[]; // one a layout
  readonly nulls: readonly (readonly [string, number | null])[];
}

export interface SceneMap {
  readonly name: string;
  readonly layouts: readonly Layout[];
  readonly time: Numbers; // (n,)
  readonly time_label: string;
  readonly runs: readonly SceneRun[];
  readonly metrics: readonly Metric[];
  readonly facts: readonly Fact[];
  readonly scores: readonly Score[];
  readonly optimum: number | null;
  readonly landscape: string | null; // name of the metric that is the landscape's height
  readonly barcode: Barcode | null;
  readonly distances: DistanceTable | null;
  readonly provisional: Numbers | null; // (n,): 1 where a refit will move the point
}

/** A run on a surface: where it lies, how far from it, and the loss that is shown there beside the true one. */
export interface SurfacePath {
  readonly name: string;
  readonly steps: Numbers; // (m,)
  readonly coordinates: Numbers; // (m, 2)
  readonly off_plane: Numbers; // (m,)
  readonly true_loss: Numbers; // (m,)
  readonly drawn_loss: Numbers; // (m,)
}

/** The loss over a plane of weights, on a grid. */
export interface Surface {
  readonly name: string;
  readonly caption: string;
  readonly x: Numbers; // (a,), ascending
  readonly y: Numbers; // (b,), ascending
  readonly loss: Numbers; // (a, b)
  readonly label: string;
  readonly x_label: string;
  readonly y_label: string;
  readonly scale: Scale;
  readonly path: SurfacePath | null;
}

export interface Scene {
  readonly title: string;
  readonly summary: string;
  readonly maps: readonly SceneMap[];
  readonly surfaces: readonly Surface[];
}

interface Reference {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
}

const KINDS = { float32: Float32Array, float64: Float64Array, int32: Int32Array };

/** The page cannot show what it was given; the message is for the reader. */
export class SceneError extends Error {}

function array(reference: Reference, data: ArrayBuffer): Numbers {
  const kind = KINDS[reference.dtype as keyof typeof KINDS];
  if (!kind) throw new SceneError(`this scene holds numbers of type ${reference.dtype}, which this page cannot read`);
  const count = reference.shape.reduce((product, length) => product * length, 1);
  if (reference.offset + count * kind.BYTES_PER_ELEMENT > data.byteLength) {
    throw new SceneError("this scene's numbers are cut short; write the page again");
  }
  return new kind(data, reference.offset, count);
}

function isReference(value: object): value is Reference {
  return "dtype" in value && "shape" in value && "offset" in value;
}

/** A part of the header, with each reference replaced by the numbers that it stands for. */
function revived(value: unknown, data: ArrayBuffer): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => revived(item, data));
  if (isReference(value)) return array(value, data);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revived(item, data)]));
}

/** The scene that `lossatlas.draw.scene.encoded` wrote. */
export function decoded(header: string, data: ArrayBuffer): Scene {
  const fields = JSON.parse(header) as { format?: string; version?: number };
  if (fields.format !== FORMAT) throw new SceneError("this is not a scene of lossatlas");
  if (fields.version !== VERSION) {
    const wayOut = Number(fields.version) < VERSION ? "write the page again" : "update lossatlas";
    throw new SceneError(`this scene has version ${fields.version}, and this page reads version ${VERSION}; ${wayOut}`);
  }
  return revived(fields, data) as Scene;
}

/** The bytes that a page carries as base64. */
export function bytes(base64: string): ArrayBuffer {
  const text = atob(base64.trim());
  const result = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) result[i] = text.charCodeAt(i);
  return result.buffer;
}

/** The layout of this name, or the first where a map has none of it. */
export function layoutOf(map: SceneMap, name: string | null): Layout {
  return map.layouts.find((layout) => layout.name === name) ?? (map.layouts[0] as Layout);
}

/** The names of the layouts that the maps have, in the order in which they first occur. */
export function layoutNames(scene: Scene): string[] {
  return [...new Set(scene.maps.flatMap((map) => map.layouts).map((layout) => layout.name))];
}

/** The numbers of each point: those of the points, then those of how they are drawn. */
export function metricsOf(map: SceneMap, layout: Layout): readonly Metric[] {
  return layout.metrics.length > 0 ? [...map.metrics, ...layout.metrics] : map.metrics;
}

/** The run that a row belongs to, if any. */
export function runAt(map: SceneMap, row: number): SceneRun | undefined {
  return map.runs.find((candidate) => candidate.start <= row && row < candidate.stop);
}

/** Whether a run's points follow each other, so that a line may join them. */
export function isOrdered(run: SceneRun): boolean {
  return run.kind !== "sample" && run.kind !== "slice";
}

/** Whether a run's points have moments: others are there from the beginning, and neither age nor fade. */
export function isTimed(run: SceneRun): boolean {
  return run.kind === "training" || run.kind === "retraining";
}

/** Row of the last point before a run diverged; null if it did not, or has no such point. */
export function divergedAfter(run: SceneRun): number | null {
  return run.n_diverged > 0 && isOrdered(run) && run.stop > run.start ? run.stop - 1 : null;
}

/** The run of each row; -1 where a row belongs to none. */
export function runOfRow(map: SceneMap): Int32Array {
  const result = new Int32Array(map.time.length).fill(-1);
  map.runs.forEach((run, index) => result.fill(index, run.start, run.stop));
  return result;
}
