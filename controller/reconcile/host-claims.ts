/** Which route has which host, where several ask for one. Pure: every replica comes to the same answer. */
import { compareTexts } from "./hub-object.ts";

export interface Claim {
  /** Of the route. */
  readonly key: string;
  readonly hosts: readonly string[];
  /** Its status says that it is accepted as it is today: other replicas go by that. */
  readonly isConfirmed: boolean;
  /** RFC 3339; empty = not on the hub yet. */
  readonly created: string;
}

/**
 * A host is its holder's for as long as the holder asks for it, whoever asks besides and however old they are. Among those who never had it
 * the oldest object gets it.
 *
 * @param holderOf the route that is served under a host now
 * @returns host → the claim that has it
 */
export function settleClaims(claims: Iterable<Claim>, holderOf: (host: string) => string | undefined): ReadonlyMap<string, Claim> {
  const owners = new Map<string, Claim>();
  for (const claim of claims) {
    for (const host of claim.hosts) {
      const other = owners.get(host);
      if (other === undefined || isBetter(claim, other, holderOf(host))) owners.set(host, claim);
    }
  }
  return owners;
}

function isBetter(a: Claim, b: Claim, holder: string | undefined): boolean {
  if (a.isConfirmed !== b.isConfirmed) return a.isConfirmed;
  if ((a.key === holder) !== (b.key === holder)) return a.key === holder;
  return compareTexts(age(a), age(b)) < 0;
}

const age = ({ created, key }: Claim): string => `${created === "" ? "~" : created} ${key}`;
