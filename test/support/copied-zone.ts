/** A zone with copies in a small world: views are made as the zone worker makes them, with a clock that a test turns. */
import type { SigningKey } from "../../src/dns/dnssec/zone-key.ts";
import { createZoneSigner, type ZoneSigner } from "../../src/dns/dnssec/zone-signer.ts";
import { advanceViews, firstViews, type ZoneViews } from "../../src/dns/transfer/advance-views.ts";
import type { ZoneView } from "../../src/dns/transfer/zone-view.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import type { ServingTables } from "../../src/dns/zone-table.ts";
import type { Zone, ZoneTransfer } from "../../src/model/inventory.ts";
import { dnsWorld, ROUTES, ZONES } from "./dns-world.ts";

export const NO_TRANSFER: ZoneTransfer = { keys: [], allow: [], notify: [] };
/** Of {@link CopiedZone.views} at first: milliseconds since the epoch. */
export const START = 1_800_000_000_000;

export interface CopiedZone {
  zones: readonly Zone[];
  tables: ServingTables;
  views: ZoneViews;
  /** Milliseconds since the epoch. */
  now: number;
  /** The view of example.org. */
  view(): ZoneView;
  /** @returns the domains whose serial is new */
  advance(milliseconds?: number): readonly string[];
  /** Other zones, and a new table for them. */
  change(zones: readonly Zone[], key?: SigningKey): void;
}

/** @param key signs every zone, if given */
export function copiedZone(
  transfer: ZoneTransfer = NO_TRANSFER,
  key?: SigningKey,
  views: ZoneViews = firstViews([]),
  routes: typeof ROUTES = ROUTES,
  start = START,
): CopiedZone {
  let signing = key;
  const signed = (zones: readonly Zone[]): readonly Zone[] =>
    zones.map((zone) => ({
      ...zone,
      transfer: zone.domain === "example.org" ? transfer : { ...transfer, notify: [] },
      ...(signing === undefined ? {} : { dnssec: { keys: [], delegation: "Secure" as const } }),
    }));
  const signers = new Map<string, ZoneSigner>();
  const zones = signed(ZONES);
  const world: CopiedZone = {
    zones,
    tables: dnsWorld(ZONES, routes),
    views,
    now: start,
    view: () => world.views.byDomain.get("example.org")!,
    advance(milliseconds = 0) {
      world.now += milliseconds;
      const signer = (domain: string): ZoneSigner | undefined => {
        if (signing === undefined) return undefined;
        const earlier = signers.get(domain)?.signatures;
        const made = createZoneSigner({
          ...{ apex: encodeName(domain)!, key: signing, otherKeys: [], delegation: "Secure", now: world.now / 1000 },
          ...(earlier === undefined ? {} : { earlier }),
        });
        signers.set(domain, made);
        return made;
      };
      world.views = advanceViews(world.views, { zones: world.zones, routing: world.tables.routing, signer }, world.now);
      return world.views.changed;
    },
    change(next, otherKey) {
      signing = otherKey ?? signing;
      world.zones = signed(next);
      world.tables = dnsWorld(next, routes);
    },
  };
  world.advance();
  return world;
}
