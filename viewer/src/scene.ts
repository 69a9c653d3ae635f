/**
 * The scene: the contract with Python (`lossatlas.draw.scene`). Python decides what is shown and computes every number;
 * the viewer computes nothing but pixels. Names are spelled as they travel.
 */

export const FORMAT = "lossatlas-scene";
export const VERSION = 2;

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
  readonly n_diverged: number; // points with NaN or infinite weights, which have no row
}

export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly meaning: string;
}

export interface SceneMap {
  readonly name: string;
  readonly caption: string;
  readonly coordinates: Numbers; // (n, axes), row after row
  readonly axes: number;
  readonly time: Numbers; // (n,)
  readonly time_label: string;
  readonly runs: readonly SceneRun[];
  readonly metrics: readonly Metric[];
  readonly facts: readonly Fact[];
  readonly optimum: number | null;
  readonly landscape: string | null; // name of the metric that is the landscape's height
}

export interface Scene {
  readonly title: string;
  readonly summary: string;
  readonly maps: readonly SceneMap[];
}

interface Reference {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
}

type Encoded<T, K extends keyof T> = Omit<T, K> & Record<K, Reference>;
type EncodedMap = Omit<Encoded<SceneMap, "coordinates" | "time">, "metrics" | "axes"> & {
  readonly metrics: readonly Encoded<Metric, "values">[];
};

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

/** The scene that `lossatlas.draw.scene.encoded` wrote. */
export function decoded(header: string, data: ArrayBuffer): Scene {
  const fields = JSON.parse(header) as { format?: string; version?: number; maps: EncodedMap[] } & Scene;
  if (fields.format !== FORMAT) throw new SceneError("this is not a scene of lossatlas");
  if (fields.version !== VERSION) {
    const wayOut = Number(fields.version) < VERSION ? "write the page again" : "update lossatlas";
    throw new SceneError(`this scene has version ${fields.version}, and this page reads version ${VERSION}; ${wayOut}`);
  }
  const maps = (fields.maps as EncodedMap[]).map((map) => ({
    ...map,
    coordinates: array(map.coordinates, data),
    axes: map.coordinates.shape[1] ?? 2,
    time: array(map.time, data),
    metrics: map.metrics.map((metric) => ({ ...metric, values: array(metric.values, data) })),
  }));
  return { title: fields.title, summary: fields.summary, maps };
}

/** The bytes that a page carries as base64. */
export function bytes(base64: string): ArrayBuffer {
  const text = atob(base64.trim());
  const result = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) result[i] = text.charCodeAt(i);
  return result.buffer;
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
