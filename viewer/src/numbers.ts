/** Numbers as people read them, and the round numbers that a scale is marked with. */

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function power(exponent: number): string {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)] as string);
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** Four digits, no padding zeros, a true minus sign; powers of ten only where the zeros would be hard to count. */
export function formatted(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "no value";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text: string;
  if (Number.isInteger(value) && size < 1e6) text = String(value);
  else if (size < 1e-3 || size >= 1e6) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
    const short = String(Number(mantissa));
    text = short === "1" ? power(Number(exponent)) : `${short} × ${power(Number(exponent))}`;
  } else text = String(Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(size))))));
  return text.replace("-", "−");
}

export function withUnit(text: string, unit: string): string {
  return unit && text !== "no value" ? `${text} ${unit}` : text;
}

export function pointsOf(count: number): string {
  return count === 1 ? "1 point" : `${count} points`;
}

/** The largest of 1, 2, 5 times a power of ten that is not more than `length`. */
export function roundBelow(length: number): number {
  const decade = 10 ** Math.floor(Math.log10(length));
  const factor = length / decade;
  return Number(((factor >= 5 ? 5 : factor >= 2 ? 2 : 1) * decade).toPrecision(1));
}

function linearTicks(low: number, high: number, most: number): number[] {
  // Closer than this, the next multiple of a step is the same number.
  if (high - low < 1e-12 * Math.max(Math.abs(low), Math.abs(high))) return [low, high];
  let step = roundBelow((high - low) / most);
  for (const factor of [1, 2, 2.5, 4, 5, 10]) {
    if ((high - low) / (step * factor) <= most) {
      step *= factor;
      break;
    }
  }
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function logTicks(low: number, high: number, most: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const within = (factors: number[], stride: number): number[] => {
    const ticks: number[] = [];
    for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride) {
      for (const factor of factors) {
        const tick = Number(`${factor}e${exponent}`);
        if (tick >= low * (1 - 1e-6) && tick <= high * (1 + 1e-6)) ticks.push(tick);
      }
    }
    return ticks;
  };
  // From the finest ladder to the coarsest: the first that is not crowded.
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = within(factors, 1);
    if (ticks.length <= most) return ticks.length >= 2 ? ticks : linearTicks(low, high, most);
  }
  return within([1], Math.ceil((last - first) / most));
}

/** Round numbers from `low` to `high`, at most about `most` of them. */
export function ticks(low: number, high: number, scale: "linear" | "log", most = 6): number[] {
  if (!(high > low)) return Number.isFinite(low) ? [low] : [];
  return scale === "log" ? logTicks(low, high, most) : linearTicks(low, high, most);
}
