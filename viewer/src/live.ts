/**
 * The page of a live view: one stream of events says that there is another scene, and the page fetches it. A server that is
 * away leaves the last scene where it is; the page asks again until the server is back.
 */

import { decoded, SceneError, type Scene } from "./scene";

const AGAIN = 3000; // ms until the next try, where the browser makes none by itself

/** The header and the numbers of a scene as `lossatlas.serve.feed.framed` frames them. */
export function unframed(block: ArrayBuffer): Scene {
  if (block.byteLength < 8) throw new SceneError("this scene is cut short; reload the page");
  const length = Number(new DataView(block).getBigUint64(0, true));
  if (8 + length > block.byteLength) throw new SceneError("this scene is cut short; reload the page");
  const header = new TextDecoder().decode(new Uint8Array(block, 8, length));
  return decoded(header, block.slice(8 + length));
}

/** Fetches one scene at a time, and after it the newest that was asked for meanwhile. */
export function fetching(address: string, show: (scene: Scene) => void, refuse: (error: SceneError) => void): (version: string) => void {
  let shown = "";
  let wanted = "";
  let isBusy = false;
  const next = async (): Promise<void> => {
    if (isBusy || shown === wanted) return;
    isBusy = true;
    const asked = wanted;
    try {
      const answer = await fetch(address, shown ? { headers: { "If-None-Match": `"${shown}"` } } : {});
      if (answer.ok) show(unframed(await answer.arrayBuffer()));
      // What came may be newer than what was asked for; the event that says so is on its way.
      if (answer.ok || answer.status === 304) shown = asked;
    } catch (error) {
      // The server went away in between: the stream notices too, and asks again when it is back.
      if (error instanceof SceneError) {
        shown = asked;
        refuse(error);
      }
    } finally {
      isBusy = false;
    }
    if (wanted !== asked) await next();
  };
  return (version) => {
    wanted = version || wanted;
    void next();
  };
}

/** Show each scene that the server at `events` tells of, and say in `status` whether it still does. */
export function follow(events: string, status: Element | null, draw: (scene: Scene) => void): void {
  const say = (words: string) => {
    if (status && status.textContent !== words) status.textContent = words;
  };
  const ask = fetching(new URL("scene", new URL(events, location.href)).href, draw, (error) => say(`This page cannot be drawn: ${error.message}.`));
  const connect = () => {
    const stream = new EventSource(events);
    stream.onopen = () => {
      say("live");
      ask(""); // a scene whose fetch the loss of the connection cut off
    };
    stream.addEventListener("scene", (event) => ask(event.lastEventId));
    stream.onerror = () => {
      say("connection lost, trying again");
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN); // refused, after which the browser gives up
    };
  };
  connect();
}
