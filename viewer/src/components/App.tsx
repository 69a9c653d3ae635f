/** The page: what the maps are, how to look at them, the maps. */

import { useEffect, useMemo, useReducer } from "preact/hooks";
import { colourModes, colourScale, timeLabel } from "../colours";
import { groupsOf, jumpSizes } from "../groups";
import { divergedAfter, type Kind, type Scene } from "../scene";
import { changed, START, timesOf } from "../state";
import { currentTheme } from "../theme";
import { ColourBar } from "./ColourBar";
import { ColourChoice } from "./ColourChoice";
import { Legend, Signs } from "./Legend";
import { MapView } from "./MapView";
import { useMedia } from "./media";
import { Player } from "./Player";

/** What lines, and the strength of a colour, say when colours mean runs. */
function gloss(scene: Scene): string {
  const kinds = new Set(scene.maps.flatMap((map) => map.runs).map((run) => run.kind));
  const form = [
    kinds.has("path") && "A thick line is a path.",
    (kinds.has("sample") || kinds.has("slice")) && "Points without a line have no order.",
  ];
  return [fading(kinds), ...form].filter(Boolean).join(" ");
}

function fading(kinds: ReadonlySet<Kind>): string {
  if (!kinds.has("training")) return kinds.has("retraining") ? "A colour fades with time from the jump." : "";
  if (!kinds.has("retraining")) return "A colour grows stronger towards the end of training.";
  return "A retraining's colour fades with time from its jump; a training's grows stronger towards its end.";
}

export function App({ scene }: { readonly scene: Scene }) {
  const [state, act] = useReducer(changed, START);
  const isDark = useMedia("(prefers-color-scheme: dark)");
  const isReduced = useMedia("(prefers-reduced-motion: reduce)");
  const theme = useMemo(() => currentTheme(isDark), [isDark]);
  const times = useMemo(() => timesOf(scene), [scene]);
  const modes = useMemo(() => colourModes(scene), [scene]);
  const groups = useMemo(() => groupsOf(scene), [scene]);
  const sizes = useMemo(() => jumpSizes(scene), [scene]);
  const scale = useMemo(() => colourScale(scene, state.colour), [scene, state.colour]);
  const isEmpty = scene.maps.every((map) => map.time.length === 0);
  const hasOptimum = scene.maps.some((map) => map.optimum !== null);
  const hasDiverged = scene.maps.some((map) => map.runs.some((run) => divergedAfter(run) !== null));
  const label = timeLabel(scene);

  useEffect(() => {
    document.title = scene.title;
  }, [scene.title]);

  return (
    <div
      class="page"
      data-colour={state.colour}
      data-time={times[state.step ?? times.length - 1] ?? ""}
      data-playing={String(state.playing)}
    >
      <header>
        <h1>{scene.title}</h1>
        {scene.summary && <p class="summary">{scene.summary}</p>}
      </header>
      {!isEmpty && (
        <section class="controls" aria-label="How the maps are drawn">
          <ColourChoice modes={modes} chosen={state.colour} act={act} />
          <Player times={times} label={label} state={state} isReduced={isReduced} act={act} />
          <div class="key">
            <Legend
              groups={groups}
              hidden={state.hidden}
              isByRun={scale === null}
              hasJumps={sizes.length > 0}
              hasOptimum={hasOptimum}
              hasDiverged={hasDiverged}
              act={act}
            />
            <p class="gloss">{scale ? scale.meaning : gloss(scene)}</p>
          </div>
          <div class="scale">
            {scale ? <ColourBar scale={scale} /> : <Signs {...{ sizes, hasOptimum, hasDiverged, theme }} />}
          </div>
        </section>
      )}
      <main class="maps" data-count={scene.maps.length}>
        {scene.maps.length === 0 && <p class="empty-page">This scene has no maps.</p>}
        {scene.maps.map((map, index) => (
          <MapView key={`${index} ${map.name}`} {...{ scene, index, state, times, scale, theme, act }} />
        ))}
      </main>
      {!isEmpty && (
        <footer>
          <p>
            Point at the maps to read their numbers; scroll to zoom, drag to move, double-click for the whole map. With the keyboard,
            the arrow keys walk along a run and from run to run, and the space bar plays. Distances on a map have meaning, as the
            bar in its corner says; its directions have none.
          </p>
        </footer>
      )}
    </div>
  );
}
