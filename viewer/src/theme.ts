/** The page's colours for the canvas: read from the style sheet, so that light and dark are told apart in one place. */

import type { Colour } from "./colours";

export interface Theme {
  readonly ground: Colour; // behind the map
  readonly paper: Colour;
  readonly ink: Colour;
  readonly muted: Colour;
  readonly line: Colour;
  readonly missing: Colour; // points without a value
  readonly pale: Colour; // the smallest jump
  readonly isDark: boolean;
}

/** What a colour of the style sheet is where an element stands: red, green, blue. */
function colour(probe: HTMLElement, name: string): Colour {
  probe.style.color = `var(${name})`;
  const [red, green, blue] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
  return [red ?? 0, green ?? 0, blue ?? 0];
}

/** The colours inside `host`, which decides light or dark, as its page may. */
export function currentTheme(host: Element, isDark: boolean): Theme {
  const probe = document.createElement("span");
  host.append(probe);
  const names = ["ground", "paper", "ink", "muted", "line", "missing", "pale"] as const;
  const colours = Object.fromEntries(names.map((name) => [name, colour(probe, `--${name}`)])) as Record<(typeof names)[number], Colour>;
  probe.remove();
  return { ...colours, isDark };
}
