/** Sums of weights, by spot and two numbers. Pure. */

export interface Sum {
  readonly spot: number;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

export interface Tally {
  /** @param from,to below 2²⁶, as is `spot` */
  readonly add: (spot: number, from: number, to: number, weight: number) => void;
  /** In the order in which they were met. */
  readonly sums: () => readonly Sum[];
}

/** Sums weights by (spot, number, number). Neighbours in a list of clients are often of one sum: it is found without a look-up. */
export function newTally(): Tally {
  const pairs = new Map<number, number>();
  const index = new Map<number, number>();
  const keys: Omit<Sum, "weight">[] = [];
  const weights: number[] = [];
  let last = -1;
  const numberOf = (spot: number, from: number, to: number): number => {
    const pair = intern(pairs, from * 2 ** 26 + to);
    const at = intern(index, pair * 2 ** 26 + spot);
    if (at === weights.length) {
      keys.push({ spot, from, to });
      weights.push(0);
    }
    return at;
  };
  return {
    add(spot: number, from: number, to: number, weight: number): void {
      const key = keys[last];
      if (key === undefined || key.spot !== spot || key.from !== from || key.to !== to) last = numberOf(spot, from, to);
      weights[last]! += weight;
    },
    sums: (): readonly Sum[] => keys.map((key, i) => ({ ...key, weight: weights[i]! })),
  };
}

function intern(numbers: Map<number, number>, key: number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}
