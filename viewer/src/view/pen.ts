/**
 * What drawings are made with: the part of a canvas context that they use, so that the same drawing becomes pixels or, for a
 * figure, shapes.
 */

import { CIRCLE, outline, REACH, type Shape } from "../shapes";

export interface Pen {
  fillStyle: string | CanvasGradient | CanvasPattern;
  strokeStyle: string | CanvasGradient | CanvasPattern;
  globalAlpha: number;
  lineWidth: number;
  lineCap: CanvasLineCap;
  lineJoin: CanvasLineJoin;
  lineDashOffset: number;
  font: string;
  textAlign: CanvasTextAlign;
  textBaseline: CanvasTextBaseline;
  setLineDash(segments: number[]): void;
  beginPath(): void;
  closePath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arc(x: number, y: number, radius: number, start: number, end: number): void;
  fill(): void;
  stroke(): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
}

/** A point's look, drawn once and put down many times. */
export interface Stamp {
  readonly shape: Shape;
  readonly fill: string;
  readonly rim: string; // none where it is empty
  readonly radius: number;
  readonly isHollow: boolean;
}

function outlined(pen: Pen, { shape, fill, rim, radius, isHollow }: Stamp, x: number, y: number): void {
  outline(pen, shape, x, y, radius);
  if (isHollow) {
    pen.lineWidth = Math.max(1, radius / 2.5);
    pen.strokeStyle = fill;
    pen.stroke();
    return;
  }
  pen.fillStyle = fill;
  pen.fill();
  if (!rim) return;
  pen.lineWidth = Math.min(0.6, radius / 4);
  pen.strokeStyle = rim;
  pen.stroke();
}

const sprites = new Map<string, HTMLCanvasElement>();

function sprite(stamp: Stamp, ratio: number): HTMLCanvasElement {
  const key = `${stamp.shape} ${stamp.fill} ${stamp.rim} ${stamp.radius} ${stamp.isHollow} ${ratio}`;
  const known = sprites.get(key);
  if (known) return known;
  if (sprites.size > 1000) sprites.clear();
  const made = document.createElement("canvas");
  const reach = stamp.shape === CIRCLE ? stamp.radius : REACH * stamp.radius;
  const side = Math.ceil((2 * reach + 3) * ratio);
  made.width = made.height = side;
  const context = made.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  context.scale(ratio, ratio);
  outlined(context, stamp, side / ratio / 2, side / ratio / 2);
  sprites.set(key, made);
  return made;
}

/** A function that puts the stamp down: as a picture on a canvas, which is ten times as fast, else as a shape. */
export function stamper(pen: Pen, stamp: Stamp, ratio: number): (x: number, y: number) => void {
  if (!("drawImage" in pen)) return (x, y) => outlined(pen, stamp, x, y);
  const context = pen as unknown as CanvasRenderingContext2D;
  const picture = sprite(stamp, ratio);
  const side = picture.width / ratio;
  return (x, y) => context.drawImage(picture, x - side / 2, y - side / 2, side, side);
}
