/** A colour for each cluster. Thirty cannot be told apart by colour alone, so names stand beside it everywhere. */

/** Degrees; neighbours in a list of names lie far apart. */
const GOLDEN_ANGLE = 137.508;
const FIRST = 235;

/** Cluster → hue in degrees, the same for the same set of names. */
export function clusterHues(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...names].sort().map((name, i) => [name, Math.round((FIRST + i * GOLDEN_ANGLE) % 360)]));
}

/** For fills. */
export const tone = (hue: number | undefined): string =>
  hue === undefined ? "var(--land)" : `light-dark(oklch(0.8 0.09 ${hue}), oklch(0.5 0.085 ${hue}))`;

/** For lines, on land and on sea. */
export const lineTone = (hue: number): string => `light-dark(oklch(0.5 0.13 ${hue}), oklch(0.8 0.12 ${hue}))`;
