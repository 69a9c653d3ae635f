/** A pen that writes SVG: each stroke and fill becomes an element, each text stays text. */

import type { Pen } from "./pen";

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escaped(text: string): string {
  // Control characters have no place in XML, not even escaped.
  return text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] as string).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "�");
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

const ANCHORS: Partial<Record<CanvasTextAlign, string>> = { center: "middle", right: "end", end: "end" };
const BASELINES: Partial<Record<CanvasTextBaseline, string>> = { middle: "central", top: "hanging" };

export class SvgPen implements Pen {
  fillStyle: Pen["fillStyle"] = "#000";
  strokeStyle: Pen["strokeStyle"] = "#000";
  globalAlpha = 1;
  lineWidth = 1;
  lineCap: CanvasLineCap = "butt";
  lineJoin: CanvasLineJoin = "miter";
  lineDashOffset = 0;
  font = "11px sans-serif";
  textAlign: CanvasTextAlign = "start";
  textBaseline: CanvasTextBaseline = "alphabetic";
  private readonly elements: string[] = [];
  private path: string[] = [];
  private dash: readonly number[] = [];

  setLineDash(segments: number[]): void {
    this.dash = segments;
  }

  beginPath(): void {
    this.path = [];
  }

  closePath(): void {
    this.path.push("Z");
  }

  moveTo(x: number, y: number): void {
    this.path.push(`M${short(x)} ${short(y)}`);
  }

  lineTo(x: number, y: number): void {
    // As on a canvas, a line from nowhere begins where it goes to.
    this.path.push(`${this.path.length === 0 ? "M" : "L"}${short(x)} ${short(y)}`);
  }

  /** Whole circles alone: nothing here draws a part of one. */
  arc(x: number, y: number, radius: number): void {
    const r = short(radius);
    this.path.push(`M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 0 ${short(2 * radius)} 0a${r} ${r} 0 1 0 ${short(-2 * radius)} 0Z`);
  }

  fill(): void {
    this.elements.push(`<path d="${this.path.join("")}" fill="${this.colour(this.fillStyle)}"${this.opacity()}/>`);
  }

  stroke(): void {
    if (this.path.length === 0) return;
    const offset = this.lineDashOffset ? ` stroke-dashoffset="${short(this.lineDashOffset)}"` : "";
    const dash = this.dash.length > 0 ? ` stroke-dasharray="${this.dash.join(" ")}"${offset}` : "";
    const ends = `${this.lineCap === "butt" ? "" : ` stroke-linecap="${this.lineCap}"`}${this.lineJoin === "miter" ? "" : ` stroke-linejoin="${this.lineJoin}"`}`;
    this.elements.push(
      `<path d="${this.path.join("")}" fill="none" stroke="${this.colour(this.strokeStyle)}" stroke-width="${short(this.lineWidth)}"${dash}${ends}${this.opacity()}/>`,
    );
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.elements.push(
      `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${this.colour(this.fillStyle)}"${this.opacity()}/>`,
    );
  }

  fillText(text: string, x: number, y: number): void {
    const anchor = ANCHORS[this.textAlign];
    const baseline = BASELINES[this.textBaseline];
    this.elements.push(
      `<text x="${short(x)}" y="${short(y)}" style="font:${escaped(this.font)}" fill="${this.colour(this.fillStyle)}"` +
        `${anchor ? ` text-anchor="${anchor}"` : ""}${baseline ? ` dominant-baseline="${baseline}"` : ""}${this.opacity()}>${escaped(text)}</text>`,
    );
  }

  /** The whole document. */
  document(width: number, height: number, title: string): string {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">` +
      `<title>${escaped(title)}</title>${this.elements.join("\n")}</svg>\n`
    );
  }

  private colour(style: Pen["fillStyle"]): string {
    // Colours as older programs read them: commas, and opacity apart, which they do not mix with a name.
    const found = /^rgb\((\d+) (\d+) (\d+)(?: \/ ([\d.]+))?\)$/.exec(String(style));
    if (!found) return escaped(String(style));
    const [, red, green, blue, alpha] = found;
    return alpha === undefined ? `rgb(${red},${green},${blue})` : `rgba(${red},${green},${blue},${alpha})`;
  }

  private opacity(): string {
    return this.globalAlpha < 1 ? ` opacity="${short(this.globalAlpha)}"` : "";
  }
}
