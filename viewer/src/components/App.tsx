/** The page: what the maps are, how to look at them, the maps, the surfaces. */

import { useEffect, useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { addressOf, stateOf } from "../address";
import { colourModes, colourScale } from "../colours";
import { groupsOf } from "../groups";
import type { Host } from "../host";
import type { Scene } from "../scene";
import { changed, START, timesOf, type Act, type State } from "../state";
import { currentTheme } from "../theme";
import { Controls } from "./Controls";
import { MapView } from "./MapView";
import { useMedia } from "./media";
import { SurfaceView } from "./SurfaceView";

/** The state that the page begins with: what its address says, where it has one. */
function begun({ scene, host }: { readonly scene: Scene; readonly host: Host | null }): State {
  if (host) return { ...START, selection: host.selection };
  return stateOf(location.hash, scene.maps.map((map) => map.time.length));
}

/** Keep the address true to the state; some frames have none that may be changed. */
function useAddress(state: State, isOwn: boolean): void {
  useEffect(() => {
    if (!isOwn) return undefined;
    // A link that is pasted into the open page; the page's own changes of its address do not come here.
    const again = () => location.reload();
    addEventListener("hashchange", again);
    return () => removeEventListener("hashchange", again);
  }, [isOwn]);
  useEffect(() => {
    if (!isOwn) return undefined;
    // Not at each step of a drag.
    const timer = setTimeout(() => {
      const address = addressOf(state);
      try {
        if (address !== location.hash.slice(1)) history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
      } catch {
        return;
      }
    }, 250);
    return () => clearTimeout(timer);
  }, [state, isOwn]);
}

/** Rows of another scene are other points: what the reader chose goes over to it. */
function useScene(scene: Scene, act: (act: Act) => void): void {
  const seen = useRef(scene);
  useLayoutEffect(() => {
    if (seen.current !== scene) act({ kind: "scene", from: seen.current, to: scene });
    seen.current = scene;
  }, [scene]);
}

/** Tell the host what the reader selects, and take over what the host selects. */
function useHost(host: Host | null, state: State, act: (act: { kind: "select"; selection: State["selection"] }) => void): void {
  const given = useRef(host?.selection ?? null);
  useEffect(() => {
    if (host && host.selection !== given.current) {
      given.current = host.selection;
      act({ kind: "select", selection: host.selection });
    }
  }, [host, host?.selection]);
  useEffect(() => {
    if (host && state.selection !== given.current) {
      given.current = state.selection;
      host.select(state.selection);
    }
  }, [state.selection]);
}

// What the controls show of the state.
const CONTROLLED = ["layout", "is3d", "step", "playing", "hidden", "names", "tool", "isLinked", "scheme"] as const;

export interface AppProps {
  readonly scene: Scene;
  readonly root: Element;
  readonly host: Host | null;
}

export function App({ scene, root, host }: AppProps) {
  const [state, act] = useReducer(changed, { scene, host }, begun);
  const isSystemDark = useMedia("(prefers-color-scheme: dark)");
  const isReduced = useMedia("(prefers-reduced-motion: reduce)");
  const isDark = state.scheme === "auto" ? (host?.isDark ?? isSystemDark) : state.scheme === "dark";
  (root as HTMLElement).dataset["scheme"] = isDark ? "dark" : "light";
  const theme = useMemo(() => currentTheme(root, isDark), [root, isDark]);
  const times = useMemo(() => timesOf(scene), [scene]);
  const groups = useMemo(() => groupsOf(scene), [scene]);
  const colour = useMemo(
    () => (colourModes(scene, state.layout).some((mode) => mode.id === state.colour) ? state.colour : "run"),
    [scene, state.layout, state.colour],
  );
  const drawn = useMemo(() => ({ ...state, colour, step: state.step !== null && state.step < times.length - 1 ? state.step : null }), [state, colour, times]);
  const scale = useMemo(() => colourScale(scene, state.layout, colour), [scene, state.layout, colour]);
  const isEmpty = scene.maps.every((map) => map.time.length === 0);
  // Not drawn anew with each step of a drag: a legend may be long.
  const controls = useMemo(
    () => <Controls {...{ scene, times, colour, scale, groups, theme, isReduced, act }} keys={host ? root : document} state={drawn} />,
    [scene, root, host === null, times, colour, scale, groups, theme, isReduced, ...CONTROLLED.map((name) => drawn[name])],
  );
  useScene(scene, act);
  useAddress(state, host === null);
  useHost(host, state, act);

  useEffect(() => {
    if (!host) document.title = scene.title;
  }, [scene.title]);
  useEffect(() => {
    // Around the page too, where a browser shows more than the page.
    if (!host) document.documentElement.dataset["scheme"] = isDark ? "dark" : "light";
  }, [isDark]);

  return (
    <div
      class="page"
      data-colour={colour}
      data-time={times[drawn.step ?? times.length - 1] ?? ""}
      data-playing={String(state.playing)}
    >
      <header>
        <h1>{scene.title}</h1>
        {scene.summary && <p class="summary">{scene.summary}</p>}
      </header>
      {!isEmpty && controls}
      <main>
        <div class="maps" data-count={scene.maps.length}>
          {scene.maps.length === 0 && scene.surfaces.length === 0 && <p class="empty-page">This scene has no maps.</p>}
          {scene.maps.map((map, index) => (
            <MapView key={`${index} ${map.name}`} {...{ scene, index, times, scale, groups, theme, isReduced, act }} state={drawn} />
          ))}
        </div>
        {scene.surfaces.length > 0 && (
          <section class="surfaces" aria-label="Surfaces of the loss">
            {scene.surfaces.map((surface, index) => <SurfaceView key={`${index} ${surface.name}`} surface={surface} theme={theme} />)}
          </section>
        )}
      </main>
      {!isEmpty && (
        <footer>
          <p>
            Point at the maps to read their numbers; scroll to zoom, drag to move or, in 3-D, to turn (with shift to move), double-click
            for the whole map. With the keyboard, the arrow keys walk along a run and from run to run, Enter selects, L takes the lasso
            and the space bar plays. Distances on a map have meaning, as the bar in its corner says; its directions have none.
          </p>
        </footer>
      )}
    </div>
  );
}
