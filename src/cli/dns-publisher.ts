/** Brings tables to the DNS server: zones are built and signed beforehand, on a thread of their own, and signed again long before they expire. */
import type { DnsServer } from "../dns/dns-server.ts";
import { hasSameZones } from "../dns/same-zones.ts";
import { RENEWAL } from "../dns/slow/rrset-signature.ts";
import type { BuiltZones, ZoneBuilder } from "../dns/zone-builder.ts";
import type { Publisher } from "../engine/source.ts";
import type { Zone } from "../model/inventory.ts";
import { formatProblem } from "../model/problem.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import type { SignatureReading, ZoneSerialReading } from "../observe/metric-readings.ts";
import type { RoutingTable } from "../routing/table.ts";
import type { ZoneCopies } from "./zone-copies.ts";

export interface DnsPublisherOptions {
  readonly dns: Pick<DnsServer, "swap">;
  readonly builder: Pick<ZoneBuilder, "build" | "advance">;
  /** Gets what copies of zones have, each time that it changes. */
  readonly copies: Pick<ZoneCopies, "use">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** Signatures could not be renewed, or copies not made up to date; it is tried again. */
  readonly onError: (error: unknown) => void;
}

export interface DnsPublisher extends Publisher {
  /** One for each signed zone that is served. */
  readonly signatures: () => readonly SignatureReading[];
  /** One for each zone that is served. */
  readonly serials: () => readonly ZoneSerialReading[];
  readonly close: () => void;
}

/** Half of a signature's life is left when it is renewed, so that failing to for days does no harm. */
const RETRY = ms(60_000);
/** How often copies are compared with what is answered now. */
const LOOK = ms(1000);
/** Timers do not count further than some weeks. */
const LONGEST = 86_400_000;

interface Served {
  readonly built: BuiltZones;
  readonly zones: readonly Zone[];
  readonly routing: RoutingTable;
}

export function createDnsPublisher({ dns, builder, copies, now, setTimer, onError }: DnsPublisherOptions): DnsPublisher {
  let prepared: Served | undefined;
  let served: Served | undefined;
  /** Tables under way: the zone worker knows the newest one, whose live state is nobody's yet. */
  let preparing = 0;
  let cancel = (): void => undefined;
  let cancelLook = (): void => undefined;
  let isClosed = false;

  function serve(next: Served): void {
    const isNewTable = served?.routing !== next.routing;
    served = next;
    const { tables, secrets, views, faults } = next.built;
    dns.swap(tables, secrets);
    copies.use(views, next.zones, secrets.tsigKeys, faults);
    if (isNewTable) look();
    else watchCopies();
    schedule(Math.min(...next.built.expires) * 1000 - RENEWAL * 1000 - now());
  }

  function schedule(delay: number): void {
    cancel();
    if (isClosed || delay === Number.POSITIVE_INFINITY) return;
    if (delay > LONGEST) cancel = setTimer(ms(LONGEST), () => schedule(delay - LONGEST));
    else cancel = setTimer(ms(Math.max(RETRY, delay)), renew);
  }

  function renew(): void {
    const old = served;
    if (old === undefined) return;
    if (preparing > 0) {
      schedule(RETRY); // what is under way is new throughout
      return;
    }
    builder.build(old.zones, old.routing).then(
      (built) => {
        if (served === old && !isClosed) serve({ ...old, built }); // otherwise something newer is served already
      },
      (error: unknown) => {
        if (isClosed) return;
        onError(error);
        if (served === old) schedule(RETRY);
      },
    );
  }

  function watchCopies(): void {
    cancelLook();
    if (!isClosed && served !== undefined && hasCopies(served)) cancelLook = setTimer(LOOK, look);
  }

  /** Live state changes in place: what copies have of it makes a new serial, which the server itself must tell too. */
  function look(): void {
    cancelLook();
    const old = served;
    if (old === undefined || !hasCopies(old)) return;
    if (preparing > 0) {
      watchCopies();
      return;
    }
    builder.advance(new Map(serialsOf(old).map(({ zone, serial }) => [zone, serial])), old.routing).then(
      (built) => {
        if (isClosed || served !== old) return; // something newer is served already, and watched
        if (built !== undefined && built.tables.routing === old.routing) serve({ ...old, built });
        else watchCopies();
      },
      (error: unknown) => {
        if (isClosed) return;
        onError(error);
        if (served === old) watchCopies();
      },
    );
  }

  return {
    async prepare(routing, inventory) {
      const zones = answeredHere(inventory.zones);
      if (preparing === 0 && served !== undefined && hasSameZones(served, { zones, routing })) {
        prepared = { built: { ...served.built, tables: { ...served.built.tables, routing } }, zones, routing };
        return;
      }
      preparing++;
      try {
        prepared = { built: await builder.build(zones, routing), zones, routing };
      } finally {
        preparing--;
      }
    },
    publish(routing) {
      if (prepared?.routing !== routing) throw new Error("a table is published that was not prepared");
      const next = prepared;
      prepared = undefined;
      serve(next);
      return next.built.problems.map(formatProblem);
    },
    signatures() {
      const { built } = served ?? {};
      return (built?.expires ?? []).flatMap((expires, zone) =>
        expires === Number.POSITIVE_INFINITY ? [] : [{ zone: built!.tables.zones.domains[zone]!, seconds: expires - now() / 1000 }],
      );
    },
    serials: () => (served === undefined ? [] : serialsOf(served)),
    close() {
      isClosed = true;
      cancel();
      cancelLook();
    },
  };
}

/** The same list (===) as long as the zones are, so that what has not changed is seen. */
const answeredHere = (zones: readonly Zone[]): readonly Zone[] =>
  zones.some(({ provider }) => provider !== undefined) ? zones.filter(({ provider }) => provider === undefined) : zones;

const hasCopies = ({ zones }: Served): boolean => zones.some(({ transfer }) => transfer !== undefined);

function serialsOf({ built }: Served): readonly ZoneSerialReading[] {
  const { domains, zoneSerial } = built.tables.zones;
  return domains.map((zone, i) => ({ zone, serial: zoneSerial[i]! }));
}
