/** Which routes an endpoint counts for: one probe may be the word on a backend of thousands. */
import type { EndpointKey } from "../model/health.ts";
import type { UnitSpec } from "../routing/evaluate-route.ts";
import type { RouteEndpoints } from "./endpoints.ts";

/** An endpoint in a route. */
export interface Use<Entry> {
  readonly entry: Entry;
  /** Backend position × 2 + family. */
  readonly row: number;
  readonly spec: UnitSpec;
}

export interface EndpointUsers<Entry> {
  note(entry: Entry): void;
  /** Entries that are not there any more. */
  forget(gone: readonly Entry[]): void;
  of(key: EndpointKey): readonly Use<Entry>[];
}

export function createEndpointUsers<Entry extends RouteEndpoints>(): EndpointUsers<Entry> {
  const users = new Map<EndpointKey, Use<Entry>[]>();
  return {
    note(entry) {
      entry.units.forEach((pair, position) => {
        pair.forEach((spec, family) => {
          for (const address of spec.addresses) {
            const key = entry.keys.get(address)!;
            const use = { entry, row: 2 * position + family, spec };
            const known = users.get(key);
            if (known === undefined) users.set(key, [use]);
            else known.push(use);
          }
        });
      });
    },
    forget(gone) {
      const keys = new Set(gone.flatMap((entry) => [...entry.keys.values()]));
      const all = new Set(gone);
      for (const key of keys) {
        const left = users.get(key)?.filter(({ entry }) => !all.has(entry)) ?? [];
        if (left.length === 0) users.delete(key);
        else users.set(key, left);
      }
    },
    of: (key) => users.get(key) ?? [],
  };
}
