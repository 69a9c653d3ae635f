/** Which runs there are: click one to see it alone, shift-click to hide or show it. */

import { useRef, useState } from "preact/hooks";
import { css, dash, hue } from "../colours";
import { jumpColour } from "../colouring";
import { runsOf, type Group } from "../groups";
import { formatted } from "../numbers";
import { CIRCLE, shapeOf } from "../shapes";
import type { Act } from "../state";
import type { Theme } from "../theme";

export interface LegendProps {
  readonly groups: readonly Group[];
  readonly hidden: ReadonlySet<string>;
  readonly names: ReadonlyMap<string, string>;
  readonly isByRun: boolean;
  readonly hasJumps: boolean;
  readonly hasOptimum: boolean;
  readonly hasDiverged: boolean;
  readonly act: (act: Act) => void;
}

const MOST_SIZES = 6;
const STAR = "M7 .6 8.8 4.9 13.4 5.2 9.9 8.2 11 12.7 7 10.3 3 12.7 4.1 8.2.6 5.2 5.2 4.9Z";

/** A run's look in small: a line, a path's thick one with its points, points alone, or a star. */
function Stroke({ group }: { readonly group: Group }) {
  const colour = css(hue(group.number));
  const shape = shapeOf(group.number);
  const points = (xs: readonly number[], radius: number) =>
    xs.map((x) =>
      shape === CIRCLE
        ? <circle key={x} cx={x} cy="4" r={radius} fill={colour} />
        : <polygon key={x} points={shape.map(([dx, dy]) => `${x + radius * dx},${4 + radius * dy}`).join(" ")} fill={colour} />,
    );
  switch (group.form) {
    case "points": return <>{points([3, 10, 17], 2.2)}</>;
    case "path": return <><line x1="2" y1="4" x2="18" y2="4" stroke={colour} />{points([3.5, 16.5], 3.5)}</>;
    case "star": return <path d={STAR} transform="translate(4.4 -1.6) scale(.8)" fill="currentColor" />;
    case "line":
      return (
        <>
          <line x1="1" y1="4" x2="19" y2="4" stroke={colour} stroke-dasharray={dash(group.number).join(" ")} />
          {shape !== CIRCLE && points([15], 3.6)}
        </>
      );
  }
}

/** One function for all fields, so that it is called once a field and not with each drawing of it. */
function focused(element: HTMLInputElement | null): void {
  element?.focus();
}

/** A group's name, which the reader can change: F2 or a double click begins, Enter ends, Escape forgets. */
function Chip({ group, props }: { readonly group: Group; readonly props: LegendProps }) {
  const [isNaming, setNaming] = useState(false);
  const isOver = useRef(false); // the field goes with its focus, which is no second end
  const isBack = useRef(false); // the focus belongs on the chip again
  const begin = () => {
    isOver.current = false;
    setNaming(true);
  };
  const keys = props.groups.map((one) => one.key);
  const label = props.names.get(group.key) ?? group.label;
  const isGroup = group.kind === "group";
  const spoken = props.names.has(group.key) ? label : `${group.kind} ${group.label}`;
  if (isNaming) {
    const end = (name: string | null, isByKey: boolean) => {
      if (isOver.current) return;
      isOver.current = true;
      isBack.current = isByKey;
      if (name !== null) props.act({ kind: "rename", key: group.key, name: name === group.label ? "" : name });
      setNaming(false);
    };
    return (
      <input
        class="chip-input"
        aria-label={`New name of ${group.kind} ${group.label}`}
        defaultValue={label}
        ref={focused}
        onFocus={(event) => event.currentTarget.select()}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            event.preventDefault(); // else the chip, which has the focus next, is pressed by it
            end(event.currentTarget.value, true);
          }
          if (event.key === "Escape") end(null, true);
          event.stopPropagation();
        }}
        onBlur={(event) => end(event.currentTarget.value, false)}
      />
    );
  }
  return (
    <button
      type="button"
      class="chip"
      ref={(element) => {
        if (!element || !isBack.current) return;
        isBack.current = false;
        element.focus();
      }}
      data-key={group.key}
      aria-pressed={!props.hidden.has(group.key)}
      aria-label={isGroup ? `${spoken}, ${runsOf(group.count)}` : spoken}
      title="Click to see it alone, shift-click to hide or show it, double-click or F2 to rename it"
      onClick={(event) => {
        if (event.detail > 1) return; // the second of a double click
        const isToggle = event.shiftKey || event.ctrlKey || event.metaKey;
        props.act({ kind: isToggle ? "toggle" : "isolate", key: group.key, keys });
      }}
      onDblClick={() => {
        props.act({ kind: "show all" });
        begin();
      }}
      onKeyDown={(event) => {
        if (event.key !== "F2") return;
        event.preventDefault();
        begin();
      }}
    >
      {props.isByRun && (
        <svg class="stroke" viewBox="0 0 20 8" aria-hidden="true">
          <Stroke group={group} />
        </svg>
      )}
      <span class="chip-name">{label}</span>
      {isGroup && <span class="chip-count" title={runsOf(group.count)}>{`×${group.count}`}</span>}
    </button>
  );
}

function Choices({ title, groups, props }: { readonly title: string; readonly groups: readonly Group[]; readonly props: LegendProps }) {
  if (groups.length === 0) return null;
  return (
    <div class="legend-part" role="group" aria-label={title}>
      <span class="legend-title" aria-hidden="true">{title}</span>
      {groups.map((group) => <Chip key={group.key} group={group} props={props} />)}
    </div>
  );
}

/** The signs that runs and points share, when colours mean runs: jumps by their size, and the star. */
export function Signs({ sizes, hasOptimum, hasDiverged, theme }: {
  readonly sizes: readonly number[];
  readonly hasOptimum: boolean;
  readonly hasDiverged: boolean;
  readonly theme: Theme;
}) {
  const named = sizes.length <= MOST_SIZES ? sizes : [sizes[0] as number, sizes[sizes.length - 1] as number];
  return (
    <div class="legend-part">
      {named.length > 0 && <span class="legend-title">Jump size</span>}
      {named.map((size) => (
        <span key={size} class="sign">
          <svg class="mark" viewBox="0 0 14 14" aria-hidden="true"><path d="M7 1 13 7 7 13 1 7Z" fill={css(jumpColour(size, sizes, theme))} /></svg>
          {formatted(size)}
        </span>
      ))}
      {hasOptimum && <Optimum />}
      {hasDiverged && <Diverged />}
    </div>
  );
}

function Diverged() {
  return (
    <span class="sign">
      <svg class="mark" viewBox="0 0 14 14" aria-hidden="true"><path class="cross" d="M3 3 11 11M3 11 11 3" /></svg>
      diverged after here
    </span>
  );
}

function Optimum() {
  return (
    <span class="sign">
      <svg class="mark" viewBox="0 0 14 14" aria-hidden="true">
        <path d={STAR} fill="currentColor" />
      </svg>
      optimum
    </span>
  );
}

export function Legend(props: LegendProps) {
  const count = props.groups.length - props.hidden.size;
  return (
    <div class="legend" data-shown={count}>
      <Choices title="Seed" groups={props.groups.filter((group) => group.kind === "seed")} props={props} />
      <Choices title="Group" groups={props.groups.filter((group) => group.kind === "group")} props={props} />
      <Choices title="Run" groups={props.groups.filter((group) => group.kind === "run")} props={props} />
      {!props.isByRun && (
        <div class="legend-part">
          {props.hasJumps && (
            <span class="sign">
              <svg class="mark" viewBox="0 0 14 14" aria-hidden="true"><path d="M7 1 13 7 7 13 1 7Z" fill="none" /></svg>
              jump
            </span>
          )}
          {props.hasOptimum && <Optimum />}
          {props.hasDiverged && <Diverged />}
        </div>
      )}
      {props.hidden.size > 0 && (
        <button type="button" class="plain" onClick={() => props.act({ kind: "show all" })}>Show all</button>
      )}
    </div>
  );
}
