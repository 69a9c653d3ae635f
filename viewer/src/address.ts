/**
 * The reader's choices as the part of the page's address after "#", so that a link shows what its sender saw. What is as it was
 * at the start is left out; what cannot be read is passed over.
 */

import { PANELS, selectionOf, START, type Panel, type Scheme, type State } from "./state";
import { type View } from "./view/camera";

const VIEW = ["zoom", "right", "up", "yaw", "pitch"] as const;
// Longer lists of rows make addresses that other programs cut.
const MOST_ROWS = 400;

function viewText(view: View): string {
  return VIEW.map((name) => Number(view[name].toPrecision(5))).join(" ");
}

function viewOf(text: string): View | null {
  const numbers = text.split(" ").map(Number);
  if (numbers.length !== VIEW.length || !numbers.every(Number.isFinite) || !(numbers[0]! > 0)) return null;
  return Object.fromEntries(VIEW.map((name, i) => [name, numbers[i]])) as unknown as View;
}

/** Rows as ranges: "3-7 9". */
function rangesText(rows: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < rows.length; i++) {
    const first = rows[i] as number;
    while (rows[i + 1] === (rows[i] as number) + 1) i++;
    parts.push(rows[i] === first ? String(first) : `${first}-${rows[i]}`);
  }
  return parts.join(" ");
}

/** The rows below `count` that such a text names: an address may have been written by anybody, at any length. */
function rowsOf(text: string, count: number): Set<number> {
  const rows = new Set<number>();
  for (const part of text.split(" ").slice(0, MOST_ROWS)) {
    if (!/^\d+(-\d+)?$/.test(part)) continue;
    const [first, last] = part.split("-").map(Number) as [number, number | undefined];
    for (let row = first; row <= Math.min(last ?? first, count - 1); row++) rows.add(row);
    if (rows.size === count) break;
  }
  return rows;
}

/** The address of a state, without its "#". */
export function addressOf(state: State): string {
  const fields = new URLSearchParams();
  if (state.colour !== START.colour) fields.set("colour", state.colour);
  if (state.layout !== null) fields.set("layout", state.layout);
  if (state.is3d) fields.set("3d", "1");
  if (state.step !== null) fields.set("step", String(state.step));
  for (const key of state.hidden) fields.append("hide", key);
  for (const [key, name] of state.names) fields.append("name", `${key}\n${name}`);
  if (!state.isLinked) fields.set("linked", "0");
  const views = [...state.views];
  const first = views[0];
  if (first && state.isLinked) fields.set("view", viewText(first[1]));
  else for (const [map, view] of views) fields.append("view", `${map} ${viewText(view)}`);
  const open = PANELS.filter((panel) => state.open.has(panel));
  if (open.join() !== PANELS.filter((panel) => START.open.has(panel)).join()) fields.set("open", open.join(" "));
  if (state.curve !== null) fields.set("curve", state.curve);
  if (state.scheme !== "auto") fields.set("scheme", state.scheme);
  const { selection } = state;
  if (selection && selection.rows.length <= MOST_ROWS) fields.set("select", `${selection.map}: ${rangesText(selection.rows)}`);
  return fields.toString();
}

function viewsOf(fields: URLSearchParams, isLinked: boolean, count: number): ReadonlyMap<number, View> {
  const views = new Map<number, View>();
  for (const text of fields.getAll("view")) {
    const cut = isLinked ? -1 : text.indexOf(" ");
    const view = viewOf(text.slice(cut + 1));
    if (!view) continue;
    const maps = isLinked ? Array.from({ length: count }, (_, i) => i) : [Number(text.slice(0, cut))];
    for (const map of maps) if (Number.isInteger(map) && map >= 0 && map < count) views.set(map, view);
  }
  return views;
}

function selectedBy(text: string | null, counts: readonly number[]): State["selection"] {
  const [map, rows] = (text ?? "").split(": ");
  const count = counts[Number(map)];
  return count === undefined || rows === undefined ? null : selectionOf(Number(map), rowsOf(rows, count));
}

/** The state that an address stands for; `counts` has the number of points of each map. */
export function stateOf(address: string, counts: readonly number[]): State {
  const fields = new URLSearchParams(address.replace(/^#/, ""));
  const step = Number(fields.get("step") ?? NaN);
  const isLinked = fields.get("linked") !== "0";
  const scheme = fields.get("scheme");
  const open = fields.get("open");
  const names = fields.getAll("name").map((text) => text.split("\n")).filter((pair) => pair.length === 2 && pair[1]);
  return {
    ...START,
    colour: fields.get("colour") ?? START.colour,
    layout: fields.get("layout"),
    is3d: fields.get("3d") === "1",
    step: Number.isInteger(step) && step >= 0 ? step : null,
    hidden: new Set(fields.getAll("hide")),
    names: new Map(names as [string, string][]),
    isLinked,
    views: viewsOf(fields, isLinked, counts.length),
    open: open === null ? START.open : new Set(PANELS.filter((panel): panel is Panel => open.split(" ").includes(panel))),
    curve: fields.get("curve"),
    scheme: scheme === "light" || scheme === "dark" ? (scheme as Scheme) : "auto",
    selection: selectedBy(fields.get("select"), counts),
  };
}
