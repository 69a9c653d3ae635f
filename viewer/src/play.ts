/** How fast time plays: a calm eight seconds from end to end, and never more steps a second than the eye needs. */

export interface Pace {
  readonly interval: number; // milliseconds between steps
  readonly stride: number; // stops of the slider a step
}

const WHOLE = 8000;
const SHORTEST = 50;
const LONGEST = 600;

/** The pace for `count` stops. Readers who asked for less motion get a few still pictures instead of an animation. */
export function pace(count: number, isReduced: boolean): Pace {
  if (isReduced) return { interval: 1200, stride: Math.max(1, Math.ceil((count - 1) / 8)) };
  const stride = Math.max(1, Math.ceil((count * SHORTEST) / WHOLE));
  return { interval: Math.min(LONGEST, Math.max(SHORTEST, (WHOLE * stride) / count)), stride };
}
