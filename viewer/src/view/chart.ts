/** A frame with two axes, for the curves and diagrams beside a map. */

import { css } from "../colours";
import { formatted, ticks } from "../numbers";
import type { Scale } from "../scene";
import type { Theme } from "../theme";
import type { Size } from "./camera";
import type { Pen } from "./pen";

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly scale: Scale;
  readonly label: string;
}

export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Axis;
  readonly y: Axis;
}

const FONT = "11px system-ui, sans-serif";

/** The axis that holds all finite numbers of `values`, those above zero where it is a log scale. */
export function axisOf(values: Iterable<number>, scale: Scale, label: string): Axis {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value) || (scale === "log" && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return { low: scale === "log" ? 0.1 : 0, high: 1, scale, label };
  if (low === high) {
    // One number alone stands in the middle.
    const pad = scale === "log" ? 2 : Math.abs(low) / 2 || 1;
    return scale === "log" ? { low: low / pad, high: high * pad, scale, label } : { low: low - pad, high: high + pad, scale, label };
  }
  return { low, high, scale, label };
}

function share(axis: Axis, value: number): number {
  if (axis.scale === "log") return value > 0 ? Math.log(value / axis.low) / Math.log(axis.high / axis.low) : 0;
  return (value - axis.low) / (axis.high - axis.low);
}

export function frameOf(size: Size, x: Axis, y: Axis): Frame {
  return { left: 52, right: Math.max(60, size.width - 10), top: 10, bottom: Math.max(20, size.height - 34), x, y };
}

export function xOf(frame: Frame, value: number): number {
  return frame.left + share(frame.x, value) * (frame.right - frame.left);
}

export function yOf(frame: Frame, value: number): number {
  return frame.bottom - share(frame.y, value) * (frame.bottom - frame.top);
}

/** The value of the x axis at a place of the canvas. */
export function valueAt(frame: Frame, x: number): number {
  const place = (x - frame.left) / (frame.right - frame.left);
  return frame.x.scale === "log" ? frame.x.low * (frame.x.high / frame.x.low) ** place : frame.x.low + place * (frame.x.high - frame.x.low);
}

/** Lines at round numbers, the numbers, and what they count. */
export function drawFrame(pen: Pen, frame: Frame, theme: Theme): void {
  const { left, right, top, bottom, x, y } = frame;
  pen.globalAlpha = 1;
  pen.setLineDash([]);
  pen.font = FONT;
  pen.lineWidth = 1;
  pen.lineCap = "butt";
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const tick of ticks(y.low, y.high, y.scale, Math.max(2, Math.floor((bottom - top) / 34)))) {
    const at = Math.round(yOf(frame, tick)) + 0.5;
    pen.strokeStyle = css(theme.line);
    pen.beginPath();
    pen.moveTo(left, at);
    pen.lineTo(right, at);
    pen.stroke();
    pen.fillStyle = css(theme.muted);
    pen.fillText(formatted(tick), left - 7, at);
  }
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  let end = -Infinity;
  for (const tick of ticks(x.low, x.high, x.scale, Math.max(2, Math.floor((right - left) / 56)))) {
    const at = Math.min(right - 6, Math.max(left + 2, xOf(frame, tick)));
    const text = formatted(tick);
    const half = text.length * 3.4;
    if (at - half < end + 4) continue;
    end = at + half;
    pen.fillStyle = css(theme.muted);
    pen.fillText(text, at, bottom + 15);
  }
  pen.strokeStyle = css(theme.muted);
  pen.beginPath();
  pen.moveTo(left, Math.round(bottom) + 0.5);
  pen.lineTo(right, Math.round(bottom) + 0.5);
  pen.stroke();
  pen.fillStyle = css(theme.muted);
  pen.textAlign = "right";
  pen.fillText(x.label, right, bottom + 29);
  pen.textAlign = "left";
}
