/** What stands below a map: how far to trust it, its facts, and what can be unfolded; the same on every map. */

import type { ComponentChildren } from "preact";
import { runsOf, type Group } from "../groups";
import { metricsOf, type Layout, type Scene, type SceneMap } from "../scene";
import type { Act, Panel, State } from "../state";
import type { Theme } from "../theme";
import { Facts } from "./Facts";
import { Curves } from "./panels/Curves";
import { Distances } from "./panels/Distances";
import { SelectionTable } from "./panels/SelectionTable";
import { Valleys } from "./panels/Valleys";
import { RunTable } from "./RunTable";
import { Trust } from "./Trust";

export interface PanelProps {
  readonly scene: Scene;
  readonly index: number;
  readonly state: State;
  readonly times: readonly number[];
  readonly groups: readonly Group[];
  readonly theme: Theme;
  readonly layout: Layout;
  readonly act: (act: Act) => void;
}

function Fold({ panel, title, props, children }: {
  readonly panel: Panel;
  readonly title: string;
  readonly props: PanelProps;
  readonly children: () => ComponentChildren;
}) {
  const isOpen = props.state.open.has(panel);
  return (
    <details
      class="fold"
      data-panel={panel}
      open={isOpen}
      onToggle={(event) => {
        const opened = event.currentTarget.open;
        if (opened !== isOpen) props.act({ kind: "open", panel, isOpen: opened });
      }}
    >
      <summary>{title}</summary>
      {isOpen && children()}
    </details>
  );
}

export function Panels(props: PanelProps) {
  const map = props.scene.maps[props.index] as SceneMap;
  const count = map.runs.length;
  const selected = props.state.selection?.map === props.index ? props.state.selection.rows.length : 0;
  return (
    <>
      <Trust map={map} layout={props.layout} />
      <Facts facts={map.facts} of={map.name} />
      {map.time.length > 0 && metricsOf(map, props.layout).length > 0 && (
        <Fold panel="curves" title="Curves" props={props}>{() => <Curves {...props} />}</Fold>
      )}
      {map.barcode && map.barcode.births.length > 0 && (
        <Fold panel="valleys" title="Valleys of the loss" props={props}>{() => <Valleys {...props} />}</Fold>
      )}
      {map.distances && map.distances.rows.length > 1 && (
        <Fold panel="distances" title="Distances" props={props}>{() => <Distances {...props} />}</Fold>
      )}
      {map.time.length > 0 && (
        <Fold panel="selection" title={selected > 0 ? `Selected points (${selected})` : "Selected points"} props={props}>
          {() => <SelectionTable {...props} />}
        </Fold>
      )}
      {count > 0 && (
        <Fold panel="runs" title={`${runsOf(count)} as a table`} props={props}>
          {() => <RunTable map={map} names={props.state.names} />}
        </Fold>
      )}
    </>
  );
}
