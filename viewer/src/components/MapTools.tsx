/** What a reader can do with one map: see it whole again, and take it away. */

import type { ColourScale } from "../colours";
import { csv, drawExported, exportedSize, fileName, save, svg, type Exported } from "../export";
import type { Group } from "../groups";
import { groupKey } from "../groups";
import { bytes, layoutOf, type Scene } from "../scene";
import type { State } from "../state";
import { cleared } from "../view/draw";
import type { Picture } from "../view/picture";

export interface MapToolsProps {
  readonly scene: Scene;
  readonly index: number;
  readonly state: State;
  readonly scale: ColourScale | null;
  readonly groups: readonly Group[];
  readonly picture: Picture | null;
  readonly isHome: boolean;
  readonly home: () => void;
}

const PIXELS = 2; // of a picture, each way, for one of the screen's

export function MapTools({ scene, index, state, scale, groups, picture, isHome, home }: MapToolsProps) {
  const map = scene.maps[index] as Scene["maps"][number];
  const layout = layoutOf(map, state.layout);
  if (!picture || map.time.length === 0) return null;
  const here = new Set(map.runs.map(groupKey));
  const exported: Exported = {
    picture,
    title: map.name,
    subtitle: layout.caption,
    groups: groups.filter((group) => here.has(group.key) && !state.hidden.has(group.key) && group.form !== "star"),
    names: state.names,
    scale,
  };
  const savePng = () => {
    const canvas = document.createElement("canvas");
    const size = exportedSize(exported);
    [canvas.width, canvas.height] = [PIXELS * size.width, PIXELS * size.height];
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    cleared(context, size, PIXELS);
    drawExported(context, { ...exported, picture: { ...picture, ratio: PIXELS } });
    // Not toBlob, which waits for an idle moment that a busy browser may not have.
    const [, data] = canvas.toDataURL("image/png").split(",") as [string, string];
    save(fileName(map.name, "png"), new Blob([bytes(data)], { type: "image/png" }));
  };
  const saveSvg = () => save(fileName(map.name, "svg"), new Blob([svg(exported)], { type: "image/svg+xml" }));
  const chosen = state.selection?.map === index ? state.selection.rows : null;
  const saveCsv = () => {
    const rows = chosen ?? Array.from(picture.shown.keys()).filter((row) => picture.shown[row]);
    save(fileName(map.name, "csv"), new Blob([csv(map, layout, rows)], { type: "text/csv" }));
  };
  return (
    <div class="map-tools" role="group" aria-label={`${map.name}: tools`}>
      {!isHome && <button type="button" onClick={home}>Whole map</button>}
      <button type="button" title="Save the map as pixels" aria-label={`Save ${map.name} as PNG`} onClick={savePng}>PNG</button>
      <button type="button" title="Save the map as shapes" aria-label={`Save ${map.name} as SVG`} onClick={saveSvg}>SVG</button>
      <button
        type="button"
        title={chosen ? "Save the selected points as a table" : "Save the points that are shown as a table"}
        aria-label={`Save ${chosen ? "the selected" : "the shown"} points of ${map.name} as CSV`}
        onClick={saveCsv}
      >
        CSV
      </button>
    </div>
  );
}
