/** The page's colours for the canvas: read from the style sheet, so that light and dark are told apart in one place. */

import type { Colour } from "./colours";

export interface Theme {
  readonly ground: Colour; // behind the map
  readonly ink: Colour;
  readonly muted: Colour;
  readonly missing: Colour; // points without a value
  readonly pale: Colour; // the smallest jump
  readonly isDark: boolean;
}

function colour(style: CSSStyleDeclaration, name: string): Colour {
  const context = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = style.getPropertyValue(name).trim();
  const hex = Number.parseInt(String(context.fillStyle).slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255];
}

export function currentTheme(isDark: boolean): Theme {
  const style = getComputedStyle(document.documentElement);
  return {
    ground: colour(style, "--ground"),
    ink: colour(style, "--ink"),
    muted: colour(style, "--muted"),
    missing: colour(style, "--missing"),
    pale: colour(style, "--pale"),
    isDark,
  };
}
