/** Small scenes for the tests. */

import type { Layout, Metric, Scene, SceneMap, SceneRun } from "../src/scene";

export function run(fields: Partial<SceneRun>): SceneRun {
  return { name: "sgd", kind: "training", start: 0, stop: 0, seed: null, jump: null, group: null, n_diverged: 0, ...fields };
}

export function metric(fields: Partial<Metric>): Metric {
  return { name: "loss", label: "loss", values: new Float32Array(), scale: "linear", unit: "", meaning: "", ...fields };
}

export function layout(fields: Partial<Layout>): Layout {
  return { name: "PHATE", caption: "", coordinates: new Float32Array(), coordinates_3d: null, metrics: [], ...fields };
}

/** A map of points on a line: x is the row, y is 0. */
export function line(count: number, fields: Partial<SceneMap> = {}): SceneMap {
  return {
    name: "line", time_label: "epoch", runs: [run({ stop: count })], metrics: [], facts: [], scores: [], optimum: null,
    landscape: null, barcode: null, distances: null, provisional: null,
    layouts: [layout({ coordinates: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? i / 2 : 0)) })],
    time: Float32Array.from({ length: count }, (_, i) => i),
    ...fields,
  };
}

/** Two retrainings of three points and the optimum, which was found at epoch 200. */
export function star(): SceneMap {
  return line(7, {
    time: new Float32Array([0, 1, 2, 0, 1, 2, 200]),
    runs: [
      run({ name: "a", kind: "retraining", start: 0, stop: 3, seed: 1, jump: 0.5 }),
      run({ name: "b", kind: "retraining", start: 3, stop: 6, seed: 0, jump: 1 }),
    ],
    optimum: 6,
    landscape: null,
  });
}

/** A training of three points, a sample of two, a path of two, and the optimum as a run of its own before them. */
export function kinds(): SceneMap {
  return line(8, {
    time: new Float32Array([200, 0, 1, 2, 0, 40, 0, 50]),
    runs: [
      run({ name: "optimum", start: 0, stop: 1 }),
      run({ name: "sgd", start: 1, stop: 4, n_diverged: 2 }),
      run({ name: "naive", kind: "sample", start: 4, stop: 6, n_diverged: 1 }),
      run({ name: "way", kind: "path", start: 6, stop: 8 }),
    ],
    optimum: 0,
  });
}

export function scene(...maps: SceneMap[]): Scene {
  return { title: "scene", summary: "", maps, surfaces: [] };
}
