/** Whole seats by shares. Pure. */

/**
 * Largest remainders (Hamilton's method), and one seat for everybody that has any share.
 *
 * @param shares 0 or more
 * @param seats  to be given; those with a share that would get none are given one more
 * @returns seats of each
 */
export function apportion(shares: readonly number[], seats: number): readonly number[] {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (sum === 0) return shares.map(() => 0);
  const exact = shares.map((share) => (share / sum) * seats);
  const given = exact.map(Math.floor);
  const left = seats - given.reduce((total, one) => total + one, 0);
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b]! - given[b]! - (exact[a]! - given[a]!) || a - b);
  for (const i of byRemainder.slice(0, left)) given[i]!++;
  return given.map((one, i) => (shares[i]! > 0 ? Math.max(1, one) : 0));
}
