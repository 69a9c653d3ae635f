import { afterEach, expect, test, vi } from "vitest";
import { fetching, unframed } from "../src/live";
import type { Scene } from "../src/scene";

const HEADER = { format: "lossatlas-scene", version: 4, title: "ü", summary: "", surfaces: [], maps: [{ time: { dtype: "int32", shape: [2], offset: 0 } }] };

/** As `lossatlas.serve.feed.framed`. */
function framed(header: object = HEADER, numbers: readonly number[] = [7, 8]): ArrayBuffer {
  let words = new TextEncoder().encode(JSON.stringify(header));
  words = new TextEncoder().encode(JSON.stringify(header) + " ".repeat((8 - (words.length % 8)) % 8));
  const block = new Uint8Array(8 + words.length + 4 * numbers.length);
  new DataView(block.buffer).setBigUint64(0, BigInt(words.length), true);
  block.set(words, 8);
  block.set(new Uint8Array(Int32Array.from(numbers).buffer), 8 + words.length);
  return block.buffer;
}

test("a framed scene comes back", () => {
  const scene = unframed(framed());
  expect(scene.title).toBe("ü");
  expect([...scene.maps[0]!.time]).toEqual([7, 8]);
});

test.each([["nothing", new ArrayBuffer(3)], ["half a header", framed().slice(0, 40)], ["half the numbers", framed().slice(0, -4)]])("%s is refused in words", (_, block) => {
  expect(() => unframed(block)).toThrow(/cut short/);
});

/** A server whose answers a test gives one by one. */
function server() {
  const asked: { tag: string | undefined; answer: (status: number, block?: ArrayBuffer) => Promise<void>; fail: () => Promise<void> }[] = [];
  vi.stubGlobal("fetch", (_address: string, options: { headers?: Record<string, string> }) => new Promise((resolve, reject) => {
    const settled = () => new Promise<void>((done) => setTimeout(done));
    asked.push({
      tag: options.headers?.["If-None-Match"],
      answer: (status, block = new ArrayBuffer(0)) => (resolve({ status, ok: status === 200, arrayBuffer: () => Promise.resolve(block) }), settled()),
      fail: () => (reject(new TypeError("Failed to fetch")), settled()),
    });
  }));
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("one scene is fetched at a time, then the newest that was asked for meanwhile", async () => {
  const asked = server();
  const shown: Scene[] = [];
  const ask = fetching("scene", (scene) => shown.push(scene), () => expect.unreachable());
  ask("a-1");
  ask("a-2");
  ask("a-3");
  expect(asked.length).toBe(1);
  await asked[0]!.answer(200, framed());
  expect(asked.map((one) => one.tag)).toEqual([undefined, '"a-1"']);
  await asked[1]!.answer(304);
  ask("a-3");
  expect(asked.length).toBe(2); // which is there
  expect(shown.length).toBe(1);
});

test("a fetch that the loss of the connection cut off is made again when it is back", async () => {
  const asked = server();
  const shown: Scene[] = [];
  const ask = fetching("scene", (scene) => shown.push(scene), () => expect.unreachable());
  ask("");
  expect(asked.length).toBe(0); // nothing has been told of
  ask("a-1");
  await asked[0]!.fail();
  expect(shown.length).toBe(0);
  ask("");
  await asked[1]!.answer(200, framed());
  expect(shown.length).toBe(1);
});

test("a scene that cannot be drawn is said once", async () => {
  const asked = server();
  const refused: string[] = [];
  const ask = fetching("scene", () => expect.unreachable(), (error) => refused.push(error.message));
  ask("a-1");
  await asked[0]!.answer(200, framed({ ...HEADER, version: 5 }));
  ask("");
  expect(asked.length).toBe(1);
  expect(refused).toEqual([expect.stringContaining("version 5")]);
});
