/**
 * A resolver's cache as RFC 7871 §7.3 wants it, for one name and type: what it asks upstream for a client, which answer it gives from
 * memory, and to whom it may give an answer again. Imports nothing of what it judges.
 */
import { type OracleAddress, type OraclePrefix, oracleCut } from "./geo.ts";

/** Who asks the resolver. */
export interface CacheClient {
  readonly address: OracleAddress;
  /** SOURCE PREFIX-LENGTH of the option that the client sent with its own address (§7.1.2); undefined = it sent none. */
  readonly source?: number;
  /** The option came through a forwarder (§7.1.3): the resolver knows the prefix alone. */
  readonly isForwarded?: boolean;
}

/** What the resolver learns from a server's answer. */
export interface ScopedAnswer<A> {
  /** ECS SCOPE PREFIX-LENGTH of the response; 0 when it had no option. */
  readonly scope: number;
  /** False for an error, and for a negative answer: that is no matter of networks (§7.4). */
  readonly isTailored: boolean;
  readonly value: A;
}

export interface EcsCache<A> {
  /** The answer for a client, from memory or by `ask`. */
  readonly resolve: (client: CacheClient, ask: (query: OraclePrefix) => ScopedAnswer<A>) => { readonly value: A; readonly hit: boolean };
  /** What the resolver would ask upstream for a client. */
  readonly queryOf: (client: CacheClient) => OraclePrefix;
}

interface Entry<A> {
  readonly network: OraclePrefix;
  readonly value: A;
  /** Only for clients whose own option has exactly this SOURCE PREFIX-LENGTH; undefined = for everybody in the network. */
  readonly onlySource?: number;
}

/** @param most the resolver's configured maximum of SOURCE PREFIX-LENGTH, by family */
export function ecsCache<A>(most: { readonly 4: number; readonly 6: number }): EcsCache<A> {
  const entries: Entry<A>[] = [];

  const queryOf = ({ address, source }: CacheClient): OraclePrefix =>
    oracleCut(address, Math.min(source ?? most[address.family], most[address.family]));

  /** §7.3.1. */
  function store(client: CacheClient, query: OraclePrefix, { scope, value }: ScopedAnswer<A>): void {
    const everybody = oracleCut(query, Math.min(scope, query.length));
    if (query.length === 0 && client.source === 0) entries.push({ network: query, value, onlySource: 0 });
    else if (scope <= query.length || query.length === most[query.family]) entries.push({ network: everybody, value });
    else entries.push({ network: query, value, onlySource: query.length });
  }

  /** §7.3.2: the longest network that holds the client; entries bound to a source length come after all others. */
  function lookUp(client: CacheClient): Entry<A> | undefined {
    const { address, source } = client;
    const known = client.isForwarded === true ? (source ?? 0) : Number.POSITIVE_INFINITY; // bits of the address that the resolver was told
    const holds = ({ network }: Entry<A>): boolean =>
      network.family === address.family && network.length <= known && oracleCut(address, network.length).value === network.value;
    const longest = (among: readonly Entry<A>[]): Entry<A> | undefined =>
      among
        .filter(holds)
        .reduce<Entry<A> | undefined>((a, b) => (a !== undefined && a.network.length >= b.network.length ? a : b), undefined);
    if (source === 0) return longest(entries.filter(({ onlySource }) => onlySource === 0)); // it wants no use made of its address (§7.1.2)
    return (
      longest(entries.filter(({ onlySource }) => onlySource === undefined)) ?? longest(entries.filter((one) => one.onlySource === source))
    );
  }

  return {
    queryOf,
    resolve(client, ask) {
      const known = lookUp(client);
      if (known !== undefined) return { value: known.value, hit: true };
      const query = queryOf(client);
      const answer = ask(query);
      if (answer.isTailored) store(client, query, answer);
      return { value: answer.value, hit: false };
    },
  };
}
