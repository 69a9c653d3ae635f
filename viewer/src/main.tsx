/** The bundle: draws the scene that the page carries, and lets other hosts draw theirs. */

import { follow } from "./live";
import { mount } from "./mount";
import { bytes, decoded, SceneError } from "./scene";
import "./style.css";

export { bytes, decoded, mount };

function text(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}

const root = document.getElementById("lossatlas");
if (root && document.getElementById("scene-header")) {
  try {
    mount(root, decoded(text("scene-header"), bytes(text("scene-data"))));
  } catch (error) {
    if (!(error instanceof SceneError)) throw error;
    root.textContent = `This page cannot be drawn: ${error.message}.`;
  }
}
const events = root?.getAttribute("data-live");
if (root && events) follow(events, document.getElementById("live-status"), (scene) => mount(root, scene));
