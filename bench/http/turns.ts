/** Who is measured when. */

/**
 * The order of one round: another one begins each time, and every second round goes backwards, so that over the rounds nobody always follows
 * the same other.
 */
export function turnsOf<T>(all: readonly T[], round: number): readonly T[] {
  const first = all.length === 0 ? 0 : (round >> 1) % all.length;
  const rotated = [...all.slice(first), ...all.slice(0, first)];
  return round % 2 === 0 ? rotated : rotated.toReversed();
}
