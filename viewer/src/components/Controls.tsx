/** How the maps are drawn: colours, layout, depth, what a drag does, light or dark; time; and the key. */

import { useMemo } from "preact/hooks";
import { colourModes, timeLabel, type ColourScale } from "../colours";
import { jumpSizes, type Group } from "../groups";
import { divergedAfter, layoutNames, layoutOf, type Kind, type Scene } from "../scene";
import type { Act, Scheme, State, Tool } from "../state";
import type { Theme } from "../theme";
import { ColourBar } from "./ColourBar";
import { Legend, Signs } from "./Legend";
import { Player } from "./Player";
import { Segments } from "./Segments";

export interface ControlsProps {
  readonly scene: Scene;
  readonly state: State;
  readonly times: readonly number[];
  readonly colour: string;
  readonly scale: ColourScale | null;
  readonly groups: readonly Group[];
  readonly theme: Theme;
  readonly isReduced: boolean;
  readonly keys: Element | Document;
  readonly act: (act: Act) => void;
}

/** What lines, and the strength of a colour, say when colours mean runs. */
function gloss(scene: Scene): string {
  const kinds = new Set(scene.maps.flatMap((map) => map.runs).map((run) => run.kind));
  const form = [
    kinds.has("path") && "A thick line is a path.",
    (kinds.has("sample") || kinds.has("slice")) && "Points without a line have no order.",
    scene.maps.some((map) => map.provisional?.some((one) => one > 0)) && "A hollow point is new: its place is provisional.",
  ];
  return [fading(kinds), ...form].filter(Boolean).join(" ");
}

function fading(kinds: ReadonlySet<Kind>): string {
  if (!kinds.has("training")) return kinds.has("retraining") ? "A colour fades with time from the jump." : "";
  if (!kinds.has("retraining")) return "A colour grows stronger towards the end of training.";
  return "A retraining's colour fades with time from its jump; a training's grows stronger towards its end.";
}

const TOOLS = [{ value: "move", label: "Move" }, { value: "lasso", label: "Lasso" }] as const;
const DEPTHS = [{ value: "2", label: "2-D" }, { value: "3", label: "3-D" }] as const;
const SCHEMES = [{ value: "auto", label: "Auto" }, { value: "light", label: "Light" }, { value: "dark", label: "Dark" }] as const;

export function Controls({ scene, state, times, colour, scale, groups, theme, isReduced, keys, act }: ControlsProps) {
  const modes = useMemo(() => colourModes(scene, state.layout), [scene, state.layout]);
  const sizes = useMemo(() => jumpSizes(scene), [scene]);
  const layouts = useMemo(() => layoutNames(scene), [scene]);
  const hasOptimum = scene.maps.some((map) => map.optimum !== null);
  const hasDiverged = scene.maps.some((map) => map.runs.some((run) => divergedAfter(run) !== null));
  const hasDepth = scene.maps.some((map) => layoutOf(map, state.layout).coordinates_3d !== null);
  const layout = layouts.includes(state.layout ?? "") ? (state.layout as string) : (layouts[0] as string);
  return (
    <section class="controls" aria-label="How the maps are drawn">
      <Segments
        legend="Colour by"
        class="by"
        segments={modes.map((mode) => ({ value: mode.id, label: mode.label }))}
        chosen={colour}
        choose={(chosen) => act({ kind: "colour", colour: chosen })}
      />
      <Player times={times} label={timeLabel(scene)} {...{ state, isReduced, keys, act }} />
      <div class="ways">
        {layouts.length > 1 && (
          <Segments
            legend="Layout"
            segments={layouts.map((name) => ({ value: name, label: name }))}
            chosen={layout}
            choose={(name) => act({ kind: "layout", layout: name })}
          />
        )}
        {hasDepth && (
          <Segments legend="Axes" segments={DEPTHS} chosen={state.is3d ? "3" : "2"} choose={(depth) => act({ kind: "3d", is3d: depth === "3" })} />
        )}
        <Segments<Tool> legend="Drag to" segments={TOOLS} chosen={state.tool} choose={(tool) => act({ kind: "tool", tool })} />
        {scene.maps.length > 1 && (
          <label class="check">
            <input
              type="checkbox"
              checked={state.isLinked}
              onChange={(event) => act({ kind: "link", isLinked: event.currentTarget.checked, count: scene.maps.length })}
            />
            <span>Move all maps together</span>
          </label>
        )}
        <Segments<Scheme> legend="Page" class="scheme" segments={SCHEMES} chosen={state.scheme} choose={(scheme) => act({ kind: "scheme", scheme })} />
      </div>
      <div class="key">
        <Legend
          groups={groups}
          hidden={state.hidden}
          names={state.names}
          isByRun={scale === null}
          hasJumps={sizes.length > 0}
          hasOptimum={hasOptimum}
          hasDiverged={hasDiverged}
          act={act}
        />
        <p class="gloss">{scale ? scale.meaning : gloss(scene)}</p>
      </div>
      <div class="scale">{scale ? <ColourBar scale={scale} /> : <Signs {...{ sizes, hasOptimum, hasDiverged, theme }} />}</div>
    </section>
  );
}
