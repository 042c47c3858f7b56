/** Shares of a tier (docs/decisions.md), with every quotient written down and sorted. Imports nothing of what it judges. */

export interface OracleMember {
  readonly weight: number;
  readonly hash: number;
}

export interface OracleSlots {
  readonly bits: number;
  /** slot → member. */
  readonly owner: readonly number[];
  /** slot → how many slots of the same owner come before it in hash order. */
  readonly rank: readonly number[];
  /** member → slots. */
  readonly owned: readonly number[];
}

const WORD = 2 ** 32;

/** Of two 32-bit numbers, modulo 2³². */
const times = (a: number, b: number): number => ((((a >>> 16) * b) % 65_536) * 65_536 + (a % 65_536) * b) % WORD;

/** MurmurHash3's fmix32, as published. */
export function oracleMix(value: number): number {
  let h = ((value % WORD) + WORD) % WORD;
  h = (h ^ (h >>> 16)) >>> 0;
  h = times(h, 0x85ebca6b);
  h = (h ^ (h >>> 13)) >>> 0;
  h = times(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** FNV-1a over characters (of ASCII text), then the finaliser. */
export function oracleHash(text: string): number {
  let h = 0x811c9dc5;
  for (const character of text) h = times((h ^ character.charCodeAt(0)) >>> 0, 0x01000193);
  return oracleMix(h);
}

/** Weighted rendezvous: −w / ln u, with u from slot and member. */
export const oracleScore = (slot: number, { hash, weight }: OracleMember): number =>
  -weight / Math.log((oracleMix((times(slot + 1, 0x9e3779b1) ^ hash) >>> 0) + 0.5) / WORD);

/** Members by position, best score for the slot first. */
export const oracleOrder = (slot: number, members: readonly OracleMember[]): readonly number[] =>
  members.map((_, i) => i).toSorted((a, b) => oracleScore(slot, members[b]!) - oracleScore(slot, members[a]!));

/** Webster's method with a seat for everybody: the largest quotients w / (2s + 1) win, of equal ones the lower hash. */
export function oracleSeats(members: readonly OracleMember[], seats: number): readonly number[] {
  const quotients = members.flatMap(({ weight, hash }, i) =>
    Array.from({ length: seats }, (_, s) => ({ i, hash, value: weight / (2 * (s + 1) + 1) })),
  );
  quotients.sort((a, b) => b.value - a.value || a.hash - b.hash);
  const out = members.map(() => 1);
  for (const { i } of quotients.slice(0, seats - members.length)) out[i] = out[i]! + 1;
  return out;
}

const known = new Map<string, OracleSlots>();

/** Remembers what it has worked out: it takes its time. */
export function oracleSlots(members: readonly OracleMember[]): OracleSlots {
  const key = JSON.stringify(members.map(({ weight, hash }) => [weight, hash]));
  const found = known.get(key) ?? workOut(members);
  known.set(key, found);
  return found;
}

function workOut(members: readonly OracleMember[]): OracleSlots {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const bits = members.some(({ weight }) => weight / total < 1 / 400) ? 16 : 12;
  const owned = oracleSeats(members, 2 ** bits);
  const left = [...owned];
  const owner = Array.from({ length: 2 ** bits }, (_, slot) => {
    const winner = oracleOrder(slot, members).find((i) => left[i]! > 0)!;
    left[winner] = left[winner]! - 1;
    return winner;
  });
  const rank = new Array<number>(owner.length).fill(0);
  members.forEach(({ hash }, i) => {
    const own = owner.flatMap((by, slot) => (by === i ? [slot] : []));
    const key = (slot: number): number => oracleMix((slot ^ times(hash, 0x27d4eb2f)) >>> 0);
    own.sort((a, b) => key(a) - key(b) || a - b);
    own.forEach((slot, n) => {
      rank[slot] = n;
    });
  });
  return { bits, owner, rank, owned };
}
