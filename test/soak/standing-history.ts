/** What the server said of its backends' standings, and when: which combinations were in force at some instant of a stretch of time. */
import { z } from "zod";
import type { OracleStanding } from "../support/oracle/decide.ts";

const event = z.object({
  at: z.number(),
  kind: z.string(),
  object: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

const STANDING_OF: Readonly<Record<string, OracleStanding>> = {
  BackendWithdrawn: "Unhealthy",
  FailbackPending: "Pending",
  BackendReturned: "Usable",
};

interface Change {
  readonly at: number;
  readonly backend: number;
  readonly standing: OracleStanding;
}

export interface StandingHistory {
  /** Takes what the stream of `/v1/stream` said next. */
  readonly read: (text: string) => void;
  /** Every combination of standings that a route had between two instants, ms since the epoch. */
  readonly during: (route: number, from: number, to: number) => readonly (readonly OracleStanding[])[];
  /** Drops what was before an instant. */
  readonly forget: (before: number) => void;
  /** Changes so far. */
  readonly changes: () => number;
}

/**
 * @param routes    keys such as `default/near`
 * @param backends  names, of every route; all are Usable at first
 * @param addresses one of each backend
 */
export function createStandingHistory(
  routes: readonly string[],
  backends: readonly string[],
  addresses: readonly string[],
): StandingHistory {
  const known = routes.map(() => ({ first: backends.map((): OracleStanding => "Usable"), changes: [] as Change[] }));
  let rest = "";
  let count = 0;

  function take(block: string): void {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined || !/^id: /m.test(block)) return; // of the map, which has no part in the timeline
    const { at, kind, object, details } = event.parse(JSON.parse(data));
    const standing = STANDING_OF[kind];
    const route = routes.indexOf(object.replace("GlobalRoute ", ""));
    if (kind === "EndpointUnhealthy") failAgain(at, addresses.indexOf(String(details.address)));
    if (standing === undefined || route < 0) return;
    known[route]!.changes.push({ at, backend: backends.indexOf(String(details.backend)), standing });
    count++;
  }

  /** What waits for its failback and fails meanwhile leaves no service: only its endpoint says so. */
  function failAgain(at: number, backend: number): void {
    for (const { first, changes } of known) {
      const standing = changes.findLast((change) => change.backend === backend)?.standing ?? first[backend];
      if (standing === "Pending") changes.push({ at, backend, standing: "Unhealthy" });
    }
  }

  const applied = (before: readonly OracleStanding[], { backend, standing }: Change): OracleStanding[] => before.with(backend, standing);

  return {
    read(text) {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) take(block);
    },
    during(route, from, to) {
      const { first, changes } = known[route]!;
      let now: readonly OracleStanding[] = first;
      const seen = [];
      for (const change of changes) {
        if (change.at > to) break;
        if (change.at >= from) seen.push(now);
        now = applied(now, change);
      }
      return [...seen, now];
    },
    forget(before) {
      for (const one of known) {
        while (one.changes.length > 0 && one.changes[0]!.at < before) one.first = applied(one.first, one.changes.shift()!);
      }
    },
    changes: () => count,
  };
}
