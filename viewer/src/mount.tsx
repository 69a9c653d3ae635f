/** A scene in an element, whoever gives both. */

import { render } from "preact";
import { App } from "./components/App";
import type { Host } from "./host";
import type { Scene } from "./scene";

/**
 * Draw a scene into an element; called again, it draws the new scene and keeps what the reader has chosen. A host is told what
 * is selected; without one the page has its address to itself.
 */
export function mount(root: Element, scene: Scene, host?: Host): void {
  root.classList.add("lossatlas");
  render(<App scene={scene} root={root} host={host ?? null} />, root);
}

/** Take the drawing out again, and all that listens for it. */
export function unmount(root: Element): void {
  render(null, root);
}
