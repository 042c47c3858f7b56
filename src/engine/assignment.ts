/** Who serves each country, packed: frames of a map's history share equal ones. Clusters have numbers of their own that outlive tables. */
import type { ServedCountries } from "../routing/served-countries.ts";

export interface Assignment {
  /** Triples: country, cluster, share in 1/65535; by country, the largest share first. */
  readonly triples: Uint16Array;
  readonly bytes: number;
}

export interface Assignments {
  /** @param names of the clusters that `served` numbers */
  pack(served: ServedCountries, names: readonly string[]): Assignment;
  /** @returns the one of equal contents that is kept already, else this one, which is kept from now on */
  intern(assignment: Assignment): Assignment;
  /** Forgets all others. */
  keepOnly(kept: ReadonlySet<Assignment>): void;
  /** Country position → shares by cluster, the largest first: the weighted mean. */
  mix(
    parts: readonly { readonly assignment: Assignment; readonly weight: number }[],
  ): [country: number, shares: { readonly cluster: string; readonly share: number }[]][];
  /** Where the clients of a cluster are served afterwards; `to` is the cluster itself where they stay. */
  moves(
    before: Assignment,
    after: Assignment,
    cluster: string,
  ): readonly { readonly country: number; readonly to: string; readonly share: number }[];
}

const WHOLE = 0xffff;
/** Shares are told in steps of this, so that a ramp does not make a frame of every look. */
const STEPS = 50;
/** Of the object, its array and its key, bytes; the key takes about two for each number. */
const OVERHEAD = 200;

export function createAssignments(): Assignments {
  const known = new Map<string, Assignment>();
  const numbers = new Map<string, number>();
  const names: string[] = [];

  function numberOf(name: string): number {
    const number = numbers.get(name) ?? names.push(name) - 1;
    numbers.set(name, number);
    return number;
  }

  return {
    pack(served, clusters) {
      const triples: number[] = [];
      for (const [country, shares] of [...served].sort((a, b) => a[0] - b[0])) {
        const total = shares.reduce((sum, [, share]) => sum + share, 0);
        for (const [cluster, share] of shares) {
          const rounded = Math.round((Math.max(1, Math.round((share / total) * STEPS)) / STEPS) * WHOLE);
          triples.push(country, numberOf(clusters[cluster]!), Math.min(WHOLE, rounded));
        }
      }
      return { triples: Uint16Array.from(triples), bytes: OVERHEAD + 6 * triples.length };
    },
    intern(assignment) {
      const key = assignment.triples.join();
      const same = known.get(key);
      if (same === undefined) known.set(key, assignment);
      return same ?? assignment;
    },
    keepOnly(kept) {
      for (const [key, assignment] of known) if (!kept.has(assignment)) known.delete(key);
    },
    mix(parts) {
      const sums = new Map<number, Map<number, number>>();
      const weights = new Map<Assignment, number>();
      for (const { assignment, weight } of parts) weights.set(assignment, (weights.get(assignment) ?? 0) + weight);
      for (const [{ triples }, weight] of weights) {
        for (let i = 0; i < triples.length; i += 3) {
          const own = sums.get(triples[i]!) ?? new Map<number, number>();
          sums.set(triples[i]!, own);
          own.set(triples[i + 1]!, (own.get(triples[i + 1]!) ?? 0) + weight * triples[i + 2]!);
        }
      }
      return [...sums]
        .sort((a, b) => a[0] - b[0])
        .map(([country, own]) => {
          const total = [...own.values()].reduce((sum, one) => sum + one, 0);
          const shares = [...own].map(([cluster, sum]) => ({ cluster: names[cluster]!, share: Math.round((sum / total) * 1000) / 1000 }));
          return [country, shares.sort((a, b) => b.share - a.share || a.cluster.localeCompare(b.cluster))];
        });
    },
    moves(before, after, cluster) {
      const from = sharesOf(before);
      const to = sharesOf(after);
      const number = numbers.get(cluster);
      return [...from].flatMap(([country, own]) => {
        const share = number === undefined ? 0 : (own.get(number) ?? 0);
        if (share === 0) return [];
        const later = to.get(country) ?? new Map<number, number>();
        const stays = later.get(number!) ?? 0;
        const gains = [...later].flatMap(([one, now]) => (one === number ? [] : [[one, Math.max(0, now - (own.get(one) ?? 0))] as const]));
        const gained = gains.reduce((sum, [, gain]) => sum + gain, 0);
        return [
          ...gains.flatMap(([one, gain]) =>
            gain === 0 ? [] : [{ country, to: names[one]!, share: ((share - stays) * gain) / gained / WHOLE }],
          ),
          ...(stays > 0 ? [{ country, to: cluster, share: stays / WHOLE }] : []),
        ];
      });
    },
  };
}

/** Country → cluster → share. */
function sharesOf({ triples }: Assignment): Map<number, Map<number, number>> {
  const shares = new Map<number, Map<number, number>>();
  for (let i = 0; i < triples.length; i += 3) {
    const own = shares.get(triples[i]!) ?? new Map<number, number>();
    shares.set(triples[i]!, own);
    own.set(triples[i + 1]!, triples[i + 2]!);
  }
  return shares;
}
