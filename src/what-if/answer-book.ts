/** Answers of one route on one side, numbered, so that a million clients are columns of numbers. Pure. */
import { type Choice, choiceTtl, chooseAddresses } from "../routing/choose.ts";
import { type ModeName, modeName } from "../routing/decide.ts";
import { type RoutingTable, Standing } from "../routing/table.ts";

export interface Answer {
  readonly mode: ModeName;
  /** Each cluster's share of the answer's addresses, by name; empty when nothing is answered. */
  readonly clusters: readonly { readonly name: string; readonly share: number }[];
  /** Equal for answers from equal sets of addresses, on whichever side. */
  readonly identity: string;
  /** Seconds; 0 when nothing is answered. */
  readonly ttl: number;
}

export interface AnswerBook {
  /** @param choice made for this route and family */
  readonly numberOf: (choice: Readonly<Choice>) => number;
  /** By number; grows as answers are met. */
  readonly answers: readonly Answer[];
}

const NOTHING = "";

/** @param now of the standings in the table, ms since the epoch */
export function openAnswerBook(table: RoutingTable, route: number, family: 0 | 1, now: number): AnswerBook {
  const { hot, names } = table;
  const first = hot.routeBackends[route]!;
  const backends = hot.routeBackends[route + 1]! - first;
  const spread = hot.routeSpread[route]!;
  const into = new Uint32Array(hot.routeAnswers[route]! * spread);
  const answers: Answer[] = [];
  /** (mode, backend) → number, where an answer is of one backend. */
  const single = new Int32Array(8 * (backends + 1)).fill(-1);
  const several = new Map<string, number>();

  const describe = (choice: Readonly<Choice>, addresses: ReadonlyMap<number, number>): number => {
    const total = [...addresses.values()].reduce((sum, count) => sum + count, 0);
    const shares = new Map<string, number>();
    for (const [backend, count] of addresses) {
      const cluster = names.clusters[names.backends[backend]!.cluster]!;
      shares.set(cluster, (shares.get(cluster) ?? 0) + count / total);
    }
    const clusters = [...shares].map(([name, share]) => ({ name, share })).sort((a, b) => (a.name < b.name ? -1 : 1));
    const identity = [...addresses.keys()].map((backend) => identityOf(table, backend, family)).sort();
    return (
      answers.push({
        mode: modeName(choice.mode),
        clusters,
        identity: choice.backend < 0 ? NOTHING : identity.join(" "),
        ttl: choice.backend < 0 ? 0 : choiceTtl(table, route, choice, now),
      }) - 1
    );
  };

  return {
    answers,
    numberOf(choice) {
      if (choice.backend < 0 || spread === 1) {
        const key = 8 * (choice.backend < 0 ? backends : choice.backend - first) + choice.mode;
        if (single[key]! < 0) single[key] = describe(choice, new Map(choice.backend < 0 ? [] : [[choice.backend, 1]]));
        return single[key]!;
      }
      const addresses = new Map<number, number>();
      for (const number of into.subarray(0, chooseAddresses(table, route, family, choice, into))) {
        const backend = backendOf(table, route, family, number);
        addresses.set(backend, (addresses.get(backend) ?? 0) + 1);
      }
      const key = `${choice.mode} ${choice.backend} ${[...addresses].sort(([a], [b]) => a - b).join(" ")}`;
      const known = several.get(key) ?? describe(choice, addresses);
      several.set(key, known);
      return known;
    },
  };
}

function backendOf({ hot }: RoutingTable, route: number, family: 0 | 1, address: number): number {
  for (let backend = hot.routeBackends[route]!; backend < hot.routeBackends[route + 1]!; backend++) {
    const row = 2 * backend + family;
    if (address >= hot.backendAddresses[row]! && address < hot.backendAddresses[row + 1]!) return backend;
  }
  throw new Error(`address ${address} belongs to no backend of route ${route}`);
}

/** The cluster, and those of the backend's addresses that stand best: what answers draw from. */
function identityOf({ hot, names, state }: RoutingTable, backend: number, family: 0 | 1): string {
  const [start, end] = [hot.backendAddresses[2 * backend + family]!, hot.backendAddresses[2 * backend + family + 1]!];
  let best: number = Standing.Absent;
  for (let i = start; i < end; i++) best = Math.min(best, state.addressStanding[i]!);
  const named = names.addresses.slice(start, end).filter((_, i) => state.addressStanding[start + i] === best);
  return `${names.clusters[names.backends[backend]!.cluster]!}=${named.sort().join(",")}`;
}
