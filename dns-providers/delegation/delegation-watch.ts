/** Knows of each zone whose delegation we keep what it says of itself, and how its servers are found. */
import type { ServerLook } from "../../src/dns/check/look-at-servers.ts";
import type { NamedServer } from "../../src/dns/check/observations.ts";
import { formatSeconds } from "../../src/dns/check/read-reply.ts";
import type { ZoneAuthority } from "../provider.ts";
import type { DesiredDelegation, SeenServers } from "./delegation.ts";
import { type JudgedLook, judgeLook } from "./judge-look.ts";
import type { AuthorityFault } from "./zone-authority.ts";

export interface DelegationPorts {
  /** Looks at servers; never rejects for what they do. */
  readonly look: (zone: string, servers: readonly NamedServer[]) => Promise<readonly ServerLook[]>;
  /** Addresses of a name outside of the zone; none when it is not found. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

export interface DelegationWatchOptions extends DelegationPorts {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
  /** Something is known of a delegation in this zone that was not known before. @param parent name of the DNSZone */
  readonly onChange: (parent: string) => void;
}

/** A zone whose delegation is kept. */
export interface WatchedZone {
  /** Names of DNSZones: its own, and the one that delegates it. */
  readonly name: string;
  readonly parent: string;
  readonly domain: string;
  readonly isAdopted: boolean;
  /** Changes when anything of the zone does. */
  readonly from: string;
  /** What the zone says of itself. @throws ProviderError */
  readonly authority: () => Promise<ZoneAuthority | { readonly fault: AuthorityFault }>;
}

export interface DelegationWatch {
  /** From now on these. What is known of a zone that has not changed stays known. */
  use(zones: readonly WatchedZone[]): void;
  /** Delegations in a zone, as they are wanted now. @param parent name of the DNSZone */
  of(parent: string): readonly DesiredDelegation[];
  close(): void;
}

/** How soon it is looked again at servers that are not as they should be, ms; twice as long each time, up to the other. */
const FIRST_LOOK = 1000;
const LOOK_EVERY = 60_000;
const DNS_PORT = 53;

interface Watched {
  zone: WatchedZone;
  desired: DesiredDelegation;
  /** What the zone said last, for as long as it cannot be asked. */
  authority: ZoneAuthority | undefined;
  /** When it did, monotonic ms. */
  toldAt: number;
  /** Since when the DS that the zone asks for lead to keys at all of its servers, monotonic ms. */
  seenSigned: { readonly ds: string; readonly since: number } | undefined;
  /** What was told of it last. */
  told: string;
  delay: number;
  cancel: () => void;
  isBusy: boolean;
}

export function createDelegationWatch(options: DelegationWatchOptions): DelegationWatch {
  const { now, setTimer, onChange } = options;
  const watched = new Map<string, Watched>();
  let isClosed = false;

  async function visit(state: Watched): Promise<void> {
    if (isClosed || state.isBusy) return;
    state.isBusy = true;
    const { zone } = state;
    const isFresh = state.authority !== undefined && now() - state.toldAt < LOOK_EVERY;
    const askedAt = now();
    const told = await lookOnce(zone, options, state.authority, isFresh);
    state.isBusy = false;
    if (isClosed || watched.get(zone.name) !== state) return;
    if (!isSame(state.zone, zone)) return schedule(state, 0); // it is another by now
    let soonest = LOOK_EVERY;
    if (told.kind === "Known") {
      state.authority = told.authority;
      if (!isFresh) state.toldAt = askedAt;
      const { ds, wait } = judgeKeys(state, told);
      soonest = Math.min(soonest, wait ?? soonest);
      state.desired = desiredOf(zone, { kind: "Known", authority: told.authority, seen: { ...told.judged, ds } });
    } else state.desired = desiredOf(zone, told);
    const fingerprint = fingerprintOf(state.desired);
    const isNews = fingerprint !== state.told;
    state.told = fingerprint;
    state.delay = isNews ? FIRST_LOOK : Math.min(LOOK_EVERY, 2 * state.delay);
    schedule(state, Math.min(soonest, isSettled(state.desired) ? LOOK_EVERY : state.delay));
    if (isNews) onChange(zone.parent);
  }

  /** Whoever has the zone without its keys in a cache would find it bogus, so DS wait until nobody has. */
  function judgeKeys(state: Watched, { authority, judged }: LookedAt): { readonly ds: SeenServers["ds"]; readonly wait?: number } {
    const ds = authority.ds?.join("|") ?? "";
    if (judged.dsTrouble !== undefined || ds === "") {
      state.seenSigned = undefined;
      return { ds: judged.dsTrouble === undefined ? undefined : { why: judged.dsTrouble, isFault: true } };
    }
    if (state.seenSigned?.ds !== ds) state.seenSigned = { ds, since: now() };
    const wait = state.seenSigned.since + judged.longestTtl * 1000 - now();
    if (wait <= 0) return { ds: undefined };
    return { wait, ds: { why: waitFor(judged.longestTtl), isFault: false } };
  }

  function schedule(state: Watched, delay: number): void {
    state.cancel();
    if (!isClosed) state.cancel = setTimer(delay, () => void visit(state));
  }

  return {
    use(zones) {
      const names = new Set(zones.map(({ name }) => name));
      for (const [name, { cancel }] of watched) {
        if (names.has(name)) continue;
        cancel();
        watched.delete(name);
      }
      for (const zone of zones) {
        const known = watched.get(zone.name);
        if (known !== undefined) {
          const isOther = !isSame(known.zone, zone);
          known.zone = zone;
          if (!isOther) continue;
          known.delay = FIRST_LOOK;
          known.toldAt = Number.NEGATIVE_INFINITY;
          schedule(known, 0);
          continue;
        }
        const state: Watched = {
          ...{ zone, desired: desiredOf(zone, NOT_YET), authority: undefined, toldAt: Number.NEGATIVE_INFINITY, seenSigned: undefined },
          ...{ told: "", delay: FIRST_LOOK, cancel: () => {}, isBusy: false },
        };
        watched.set(zone.name, state);
        schedule(state, 0);
      }
    },
    of: (parent) => [...watched.values()].filter(({ zone }) => zone.parent === parent).map(({ desired }) => desired),
    close() {
      isClosed = true;
      for (const { cancel } of watched.values()) cancel();
    },
  };
}

const isSame = (a: WatchedZone, b: WatchedZone): boolean => a.from === b.from;

const waitFor = (seconds: number): string =>
  `it comes when the zone's keys have been seen for ${formatSeconds(seconds)}, so that no cache holds the zone without them`;

const NOT_YET = { kind: "Unknown", why: "its servers are being looked at", isFault: false } as const;

type Looked = LookedAt | { readonly kind: "Unknown"; readonly why: string; readonly isFault: boolean };
interface LookedAt {
  readonly kind: "Known";
  readonly authority: ZoneAuthority;
  readonly judged: JudgedLook;
}

/** @param before what the zone said the last time: it counts for as long as it cannot be asked */
async function lookOnce(zone: WatchedZone, ports: DelegationPorts, before: ZoneAuthority | undefined, isFresh = false): Promise<Looked> {
  let authority: ZoneAuthority | { readonly fault: AuthorityFault };
  try {
    authority = before !== undefined && isFresh ? before : await zone.authority();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (before === undefined) return { kind: "Unknown", why: error.message.replace(/\.$/, ""), isFault: true };
    authority = before;
  }
  if ("fault" in authority)
    return { kind: "Unknown", why: `${authority.fault.fact}. ${authority.fault.remedy}`.replace(/\.$/, ""), isFault: true };
  const { nameServers, glue } = authority;
  const found = await Promise.all(
    nameServers.map(async (name): Promise<readonly NamedServer[]> => {
      const own = glue.filter((set) => set.name === name).flatMap(({ values }) => values);
      const addresses = own.length > 0 ? own : await ports.resolve(name);
      return addresses.map((address) => ({ name, server: { address, port: DNS_PORT } }));
    }),
  );
  const servers = await ports.look(zone.domain, found.flat());
  const unresolved = nameServers.filter((_, i) => found[i]!.length === 0);
  return {
    kind: "Known",
    authority,
    judged: judgeLook({ zone: zone.domain, authority, servers, unresolved, at: ports.wallClock() / 1000 }),
  };
}

/** One look, for a plan without a server: that keys have been there for long enough cannot be known then. */
export async function lookAtDelegations(zones: readonly WatchedZone[], ports: DelegationPorts): Promise<readonly DesiredDelegation[]> {
  return Promise.all(
    zones.map(async (zone) => {
      const looked = await lookOnce(zone, ports, undefined);
      if (looked.kind === "Unknown") return desiredOf(zone, looked);
      const { authority, judged } = looked;
      const asks = (authority.ds ?? []).length > 0;
      const ds =
        judged.dsTrouble === undefined ? { why: waitFor(judged.longestTtl), isFault: false } : { why: judged.dsTrouble, isFault: true };
      return desiredOf(zone, { kind: "Known", authority, seen: { ...judged, ds: asks ? ds : undefined } });
    }),
  );
}

type Rest<T> = T extends unknown ? Omit<T, "child" | "resource" | "isAdopted"> : never;

const desiredOf = ({ name, domain, isAdopted }: WatchedZone, rest: Rest<DesiredDelegation>): DesiredDelegation => ({
  ...{ child: domain, resource: `DNSZone/${name}`, isAdopted },
  ...rest,
});

const fingerprintOf = (desired: DesiredDelegation): string =>
  desired.kind === "Unknown"
    ? JSON.stringify(desired)
    : JSON.stringify([desired.isAdopted, desired.authority, [...desired.seen.servers], desired.seen.ds]);

const isSettled = (desired: DesiredDelegation): boolean =>
  desired.kind === "Known" &&
  desired.seen.ds?.isFault !== true &&
  [...desired.seen.servers.values()].every((trouble) => trouble === undefined);
