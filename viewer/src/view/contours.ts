/** Lines of equal height over a grid: marching squares. */

/** A line of a contour: from one place of the grid to another, in cells. */
export type Stretch = readonly [number, number, number, number];

/**
 * The stretches at which a grid of heights (a, b), row after row, crosses `level`. A cell with a height that is no number has
 * none; where a cell is crossed twice its middle decides which corners belong together.
 */
export function contour(heights: ArrayLike<number>, a: number, b: number, level: number): Stretch[] {
  const stretches: Stretch[] = [];
  const at = (i: number, j: number) => heights[i * b + j] as number;
  for (let i = 0; i + 1 < a; i++) {
    for (let j = 0; j + 1 < b; j++) {
      const corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)] as const;
      if (!corners.every(Number.isFinite)) continue;
      const places = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]] as const;
      const crossings: (readonly [number, number] | null)[] = [0, 1, 2, 3].map((side) => {
        const [low, high] = [corners[side] as number, corners[(side + 1) % 4] as number];
        if (low >= level === high >= level) return null;
        const share = (level - low) / (high - low);
        const [from, to] = [places[side] as readonly [number, number], places[(side + 1) % 4] as readonly [number, number]];
        return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
      });
      const found = crossings.filter((crossing) => crossing !== null);
      const join = (one: number, other: number) => {
        const [from, to] = [crossings[one], crossings[other]];
        if (from && to) stretches.push([from[0], from[1], to[0], to[1]]);
      };
      if (found.length === 2) {
        const [first, second] = found as [readonly [number, number], readonly [number, number]];
        stretches.push([first[0], first[1], second[0], second[1]]);
      } else if (found.length === 4) {
        const isMiddleHigh = (corners[0] + corners[1] + corners[2] + corners[3]) / 4 >= level;
        // The corners that are as the middle is are joined through it: the lines cut off the others.
        if (corners[0] >= level === isMiddleHigh) [join(0, 1), join(2, 3)];
        else [join(3, 0), join(1, 2)];
      }
    }
  }
  return stretches;
}

/** Levels between the lowest and the highest height, evenly on the scale that is drawn. */
export function levels(low: number, high: number, isLog: boolean, count: number): number[] {
  if (!(high > low)) return [];
  return Array.from({ length: count }, (_, i) => {
    const share = (i + 1) / (count + 1);
    return isLog ? low * (high / low) ** share : low + share * (high - low);
  });
}
