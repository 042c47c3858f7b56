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
 */
export interface HostClaims {
  /** What the routes of a namespace ask for from now on. */
  put(namespace: string, claims: readonly Claim[]): void;
  /**
   * The route that has a host that somebody asks for.
   *
   * @param holderOf the route that is served under a host now
   */
  ownerOf(host: string, holderOf: (host: string) => string | undefined): string | undefined;
  /** Namespaces some of whose hosts may have gone to others or come from them since the last call, or are asked for by several now. */
  disputed(): ReadonlySet<string>;
}

export function createHostClaims(): HostClaims {
  const byNamespace = new Map<string, readonly Claim[]>();
  const byHost = new Map<string, readonly (Claim & { readonly namespace: string })[]>();
  const contested = new Set<string>();
  let touched = new Set<string>();

  function setClaims(host: string, claims: readonly (Claim & { readonly namespace: string })[]): void {
    const before = byHost.get(host) ?? [];
    if (claims.length === 0) byHost.delete(host);
    else byHost.set(host, claims);
    if (claims.length > 1) contested.add(host);
    else contested.delete(host);
    if (before.length > 1 || claims.length > 1) for (const { namespace } of [...before, ...claims]) touched.add(namespace);
  }

  return {
    put(namespace, claims) {
      for (const { key, hosts } of byNamespace.get(namespace) ?? []) {
        for (const host of hosts)
          setClaims(
            host,
            (byHost.get(host) ?? []).filter((claim) => claim.key !== key),
          );
      }
      for (const claim of claims) {
        for (const host of claim.hosts) setClaims(host, [...(byHost.get(host) ?? []), { ...claim, namespace }]);
      }
      if (claims.length === 0) byNamespace.delete(namespace);
      else byNamespace.set(namespace, claims);
    },
    ownerOf(host, holderOf) {
      const claims = byHost.get(host);
      if (claims === undefined) return undefined;
      if (claims.length === 1) return claims[0]!.key;
      const holder = holderOf(host);
      return claims.reduce((best, claim) => (isBetter(claim, best, holder) ? claim : best)).key;
    },
    disputed() {
      const all = touched;
      touched = new Set();
      for (const host of contested) for (const { namespace } of byHost.get(host) ?? []) all.add(namespace);
      return all;
    },
  };
}

function isBetter(a: Claim, b: Claim, holder: string | undefined): boolean {
  if (a.isConfirmed !== b.isConfirmed) return a.isConfirmed;
  if ((a.key === holder) !== (b.key === holder)) return a.key === holder;
  return compareTexts(age(a), age(b)) < 0;
}

const age = ({ created, key }: Claim): string => `${created === "" ? "~" : created} ${key}`;
