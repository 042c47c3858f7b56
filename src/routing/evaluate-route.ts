/**
 * From health to standings: what one route may answer now. Pure: health, operators' acts, the memory of before and the time come in;
 * standings, the next memory and what happened go out. Called when anything about the route changes and when {@link RouteEvaluation.due} comes.
 */
import { type FailbackState, failback, failbackDelay, failbackDue, isFlap, NEW_UNIT, servingShare } from "../../health/failback.ts";
import type { EndpointHealth, Health } from "../model/health.ts";
import type { Backend, Route } from "../model/inventory.ts";
import { type BackendClaim, guardWithdrawals, type Withdrawal } from "./guard.ts";
import { guardDrill } from "./guard-drill.ts";
import { Standing } from "./table.ts";

/** What a route remembers between evaluations. Plain JSON: it outlives the process. Keys are `backend/4` and `backend/6`. */
export interface RouteMemory {
  readonly units: Readonly<Record<string, UnitMemory>>;
  /** Inferred withdrawals by family. */
  readonly withdrawals: Readonly<Record<"4" | "6", readonly Withdrawal[]>>;
}

export interface UnitMemory {
  readonly failback: FailbackState;
  readonly standing: Standing;
  /** When it last stopped being usable, ms since the epoch; 0 = never was. */
  readonly lastUsable: number;
  /** The guard keeps it in service although its probes time out. */
  readonly held: boolean;
}

export const NEW_ROUTE: RouteMemory = { units: {}, withdrawals: { "4": [], "6": [] } };

/** Operators' acts in force on a route or its clusters. */
export interface RouteOrders {
  readonly draining: ReadonlySet<string>;
  readonly cordoned: ReadonlySet<string>;
  readonly forcedUp: ReadonlySet<string>;
  /** A drill asks for these to be withdrawn; {@link guardDrill} says whether it may. */
  readonly drilled: ReadonlySet<string>;
  /** backend → when its newest ApproveFailback was given, ms since the epoch. */
  readonly approvedAt: ReadonlyMap<string, number>;
  /** Whatever probes say, these stay as they are. */
  readonly frozen: ReadonlySet<string>;
  /** These may be withdrawn beyond the budget. */
  readonly confirmed: ReadonlySet<string>;
}

/** A unit of a route, as its specification makes it. */
export interface UnitSpec {
  readonly backend: Backend;
  readonly family: 4 | 6;
  readonly key: string;
  /** The backend's own of this family, in its order. */
  readonly addresses: readonly string[];
  /** The backend has a host name that is not resolved: without addresses it is Excluded, not Absent. */
  readonly isUnresolved: boolean;
}

/** The units of a route, two to a backend. A caller that evaluates a route often makes them once. */
export const routeUnits = (route: Route): readonly (readonly [UnitSpec, UnitSpec])[] =>
  route.backends.map((backend) => [unitSpec(backend, 4), unitSpec(backend, 6)]);

const unitSpec = (backend: Backend, family: 4 | 6): UnitSpec => ({
  backend,
  family,
  key: `${backend.name}/${family}`,
  addresses: backend.addresses.filter((address) => familyOf(address) === family),
  isUnresolved: backend.addresses.some((address) => familyOf(address) === undefined),
});

/** Addresses are canonical, and host names among them (not resolved yet) never consist of digits and dots alone. */
const familyOf = (address: string): 4 | 6 | undefined => (address.includes(":") ? 6 : /^[\d.]+$/.test(address) ? 4 : undefined);

export interface RouteInput {
  readonly route: Route;
  /** {@link routeUnits} of this very route; made afresh when absent. */
  readonly units?: ReturnType<typeof routeUnits>;
  readonly memory: RouteMemory;
  readonly orders: RouteOrders;
  /** @param backend whose address it is: two of them can share one */
  readonly health: (address: string, backend: string) => EndpointHealth;
  /** The first verdicts are still coming in: what nobody has looked at yet counts as usable, so that early birds do not get everybody. */
  readonly warming: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface BackendEvaluation {
  readonly backend: string;
  /** By family: 0 = IPv4, 1 = IPv6. */
  readonly standing: readonly [Standing, Standing];
  readonly lastUsable: readonly [number, number];
  /** In the order of the backend's own addresses of each family. */
  readonly addressStanding: readonly [readonly Standing[], readonly Standing[]];
  /** By family: 0..1 share of its own slots that it keeps. */
  readonly keep: readonly [number, number];
  /** By family: earliest instant at which an answer that names it can change for the worse, ms since the epoch. */
  readonly worsensAt: readonly [number, number];
  /** By family: earliest instant at which it can come (or come more) into answers; 0 while it ramps or is held. */
  readonly returnsAt: readonly [number, number];
  readonly health: Health;
  /** By family: nobody has seen its health since a restart, so that the next probe can change its standing although the verdict stays. */
  readonly presumed: readonly [boolean, boolean];
}

export interface RouteEvaluation {
  readonly backends: readonly BackendEvaluation[];
  /** Earliest instant at which a backend can come back; 0 while the route ramps or is held. Ms since the epoch. */
  readonly returnsAt: number;
  readonly memory: RouteMemory;
  readonly changes: readonly UnitChange[];
  /** What becomes of drills; empty while there is none. */
  readonly drills: readonly DrillVerdict[];
  /** When time alone changes something, ms since the epoch; Infinity when nothing is pending. */
  readonly due: number;
}

/** Whether a drill has its way with a unit. */
export interface DrillVerdict {
  readonly backend: string;
  readonly family: 4 | 6;
  /** Why not, for people; absent when it has. */
  readonly held?: string;
}

/** A unit (backend and family) whose standing changed. */
export interface UnitChange {
  readonly backend: string;
  readonly family: 4 | 6;
  readonly from: Standing;
  readonly to: Standing;
  readonly held: boolean;
  /** `timeout`, `refused`, … of the endpoint that tells most, or the operator's act. */
  readonly reason: string;
  readonly cause: ChangeCause;
  /** End of the first probe that pointed to this, ms since the epoch; 0 when no probe did. */
  readonly firstSign: number;
  /**
   * When its cause stood: the verdict, the end of the wait, the approval, the failure that a drill yields to. Ms since the epoch; 0 for
   * orders, whose instant the caller knows.
   */
  readonly causedAt: number;
  /** The backend had returned so shortly before that its next return is damped; said once, however many of its families go one by one. */
  readonly isFlap: boolean;
}

/** `probes` and `readiness`: health as vantages or the member cluster see it. `failback`: a wait or an approval. `order`: an operator's act. */
export type ChangeCause = "probes" | "readiness" | "failback" | "order";

interface Unit extends Pick<UnitSpec, "backend" | "family" | "key" | "isUnresolved"> {
  readonly addresses: readonly EndpointHealth[];
  readonly health: Health;
  readonly before: UnitMemory;
}

interface Stepped {
  readonly unit: Unit;
  readonly state: UnitMemory;
}

/** IPv4 and IPv6 of one backend. */
type Pair = readonly [Stepped, Stepped];

export function evaluateRoute(input: RouteInput): RouteEvaluation {
  const { route, memory } = input;
  const specs = input.units ?? routeUnits(route);
  const v4Units = specs.map(([v4]) => unitOf(input, v4));
  const v6Units = specs.map(([, v6]) => unitOf(input, v6));
  const v4 = guardFamily(input, v4Units, memory.withdrawals["4"]);
  const v6 = guardFamily(input, v6Units, memory.withdrawals["6"]);
  const held = new Set([...v4.held, ...v6.held]);
  const drills = new Map([...v4.drills, ...v6.drills]);
  const stepped = v4Units.map((unit, i): Pair => [stepUnit(input, unit, held, drills), stepUnit(input, v6Units[i]!, held, drills)]);
  const all = stepped.flat();
  const backends = stepped.map((pair) => evaluateBackend(input, pair));
  return {
    backends,
    returnsAt: backends.reduce((first, { returnsAt: [v4, v6] }) => Math.min(first, v4, v6), Number.POSITIVE_INFINITY),
    memory: { units: remembered(memory.units, all), withdrawals: { "4": v4.history, "6": v6.history } },
    changes: stepped.flatMap(([v4, v6]) => [...changeOf(input, v4, v6), ...changeOf(input, v6, v4)]),
    drills: drills.size === 0 ? NO_DRILLS : all.flatMap((one) => drillVerdict(one, drills)),
    due: all.reduce(
      (first, one) => Math.min(first, dueOf(input, one)),
      held.size > 0 ? input.now + 1000 : Number.POSITIVE_INFINITY, // the budget's window moves on
    ),
  };
}

/** Most evaluations change a unit or none: what is equal stays the same object. */
function remembered(before: RouteMemory["units"], all: readonly Stepped[]): RouteMemory["units"] {
  const isSame = all.every(({ unit, state }) => before[unit.key] === state) && Object.keys(before).length === all.length;
  return isSame ? before : Object.fromEntries(all.map(({ unit, state }) => [unit.key, state]));
}

function unitOf(input: RouteInput, spec: UnitSpec): Unit {
  const addresses = spec.addresses.map((address) => input.health(address, spec.backend.name));
  const before = input.memory.units[spec.key] ?? {
    failback: NEW_UNIT,
    standing: addresses.length === 0 ? withoutAddresses(spec) : Standing.Unknown,
    lastUsable: 0,
    held: false,
  };
  return {
    backend: spec.backend,
    family: spec.family,
    key: spec.key,
    isUnresolved: spec.isUnresolved,
    addresses,
    health: combinedHealth(addresses),
    before,
  };
}

const withoutAddresses = ({ isUnresolved }: Pick<UnitSpec, "isUnresolved">): Standing =>
  isUnresolved ? Standing.Excluded : Standing.Absent;

/** Healthy while any address is, Unknown while any may be. */
function combinedHealth(addresses: readonly EndpointHealth[]): Health {
  if (addresses.some(({ health }) => health === "Healthy")) return "Healthy";
  return addresses.some(({ health }) => health === "Unknown") ? "Unknown" : "Unhealthy";
}

const isFrozen = ({ orders }: RouteInput, unit: Unit): boolean => orders.frozen.has(unit.backend.name);

function guardFamily(input: RouteInput, units: readonly Unit[], history: readonly Withdrawal[]) {
  const { orders, now } = input;
  const { maxWithdrawalPercent } = input.route.failover;
  const present = units.filter((unit) => unit.addresses.length > 0);
  const claims = present.map((unit) => claimOf(input, unit));
  const verdict = guardWithdrawals(claims, history, maxWithdrawalPercent, now);
  if (orders.drilled.size === 0) return { ...verdict, drills: NOTHING_DRILLED };
  const asked = claims.map((claim, i) => {
    const { name } = present[i]!.backend;
    return { ...claim, name, drilled: orders.drilled.has(name) && !orders.forcedUp.has(name) };
  });
  return { ...verdict, drills: guardDrill(asked, verdict.history, maxWithdrawalPercent, now) };
}

const NOTHING_DRILLED: ReturnType<typeof guardDrill> = new Map();
const NO_DRILLS: readonly DrillVerdict[] = [];

function drillVerdict({ unit: { key, backend, family } }: Stepped, drills: ReturnType<typeof guardDrill>): readonly DrillVerdict[] {
  if (!drills.has(key)) return [];
  const held = drills.get(key);
  return [{ backend: backend.name, family, ...(held === undefined ? {} : { held }) }];
}

function claimOf(input: RouteInput, unit: Unit): BackendClaim {
  const { orders } = input;
  const { name } = unit.backend;
  const ordered = orders.cordoned.has(name) || (orders.draining.has(name) && !orders.forcedUp.has(name));
  const { phase } = unit.before.failback;
  const isWell = (phase === "Serving" || phase === "New") && (isFrozen(input, unit) || unit.health !== "Unhealthy");
  // One address that is proven dead says nothing of another that fell silent.
  const silent = unit.addresses.filter((address) => !address.proven);
  return {
    backend: unit.key,
    published: unit.before.standing === Standing.Usable && phase !== "New", // never seen healthy: nothing to keep
    wanted: !ordered && (isWell || orders.forcedUp.has(name)),
    cause: ordered || orders.confirmed.has(name) ? "operator" : silent.length === 0 ? "proven" : causeOfSilence(silent),
    votes: Math.min(...silent.map((address) => address.votes)),
  };
}

/** The weakest counts: it is what the withdrawal rests on. */
const causeOfSilence = (addresses: readonly EndpointHealth[]): BackendClaim["cause"] =>
  addresses.some(({ health, reason }) => health === "Unhealthy" && reason === "requests-failed") ? "requests" : "inferred";

function stepUnit(input: RouteInput, unit: Unit, heldKeys: ReadonlySet<string>, drills: ReturnType<typeof guardDrill>): Stepped {
  const { orders, route, now } = input;
  const { before } = unit;
  const held = heldKeys.has(unit.key);
  const approvedAt = orders.approvedAt.get(unit.backend.name);
  const state =
    held || isFrozen(input, unit)
      ? before.failback // held: it never left, so there is nothing to come back from
      : failback(
          before.failback,
          { health: seenHealth(unit), ...(approvedAt !== undefined && { approvedAt }) },
          route.failover.failback,
          now,
        );
  const isDrilled = drills.has(unit.key) && drills.get(unit.key) === undefined;
  const standing = held ? Standing.Usable : isDrilled ? Standing.Draining : standingOf(input, unit, state);
  if (state === before.failback && standing === before.standing && held === before.held) return { unit, state: before };
  const lastUsable = before.standing === Standing.Usable && standing !== Standing.Usable ? now : before.lastUsable;
  return { unit, state: { failback: state, standing, lastUsable, held } };
}

/** Health that nobody votes for was known before a restart: it keeps a unit where it is, and does not let it return. */
const seenHealth = ({ health, addresses }: Unit): Health =>
  health === "Healthy" && !addresses.some((address) => address.health === "Healthy" && address.votes > 0) ? "Unknown" : health;

function standingOf(input: RouteInput, unit: Unit, state: FailbackState): Standing {
  const { orders, warming } = input;
  if (unit.addresses.length === 0) return withoutAddresses(unit);
  if (orders.cordoned.has(unit.backend.name)) return Standing.Excluded;
  if (orders.forcedUp.has(unit.backend.name)) return Standing.Usable;
  if (orders.draining.has(unit.backend.name)) return Standing.Draining;
  switch (state.phase) {
    case "Serving":
      return Standing.Usable; // Unknown keeps what was: nobody can look, which proves nothing
    case "Waiting":
      return Standing.Pending;
    case "Out":
      return Standing.Unhealthy;
    case "New":
      if (isFrozen(input, unit)) return unit.before.standing > Standing.Unhealthy ? Standing.Unknown : unit.before.standing;
      if (unit.health === "Unhealthy") return Standing.Unhealthy;
      return warming ? Standing.Usable : Standing.Unknown;
  }
}

function evaluateBackend(input: RouteInput, [v4, v6]: Pair): BackendEvaluation {
  const { route, warming } = input;
  const shed = route.shed === undefined ? 1 : shedShare(route.shed, [...v4.unit.addresses, ...v6.unit.addresses]);
  return {
    backend: v4.unit.backend.name,
    standing: [v4.state.standing, v6.state.standing],
    lastUsable: [v4.state.lastUsable, v6.state.lastUsable],
    addressStanding: [addressStandings(v4, warming), addressStandings(v6, warming)],
    keep: [keptShare(input, v4, shed), keptShare(input, v6, shed)],
    worsensAt: [worsensAt(v4.unit.addresses, v4.state), worsensAt(v6.unit.addresses, v6.state)],
    returnsAt: [returnsAt(input, v4.unit.addresses, v4.state), returnsAt(input, v6.unit.addresses, v6.state)],
    health: backendHealth(v4.unit, v6.unit),
    presumed: [seenHealth(v4.unit) !== v4.unit.health, seenHealth(v6.unit) !== v6.unit.health],
  };
}

const keptShare = ({ route, now }: RouteInput, { state }: Stepped, shed: number): number =>
  state.standing === Standing.Usable ? Math.min(servingShare(state.failback, route.failover.failback, now), shed) : 1;

/** Of both families; one without addresses says nothing, and of a backend without any (host names not resolved yet) nothing is known. */
function backendHealth(v4: Unit, v6: Unit): Health {
  if (v4.addresses.length === 0) return v6.addresses.length === 0 ? "Unknown" : v6.health;
  if (v6.addresses.length === 0) return v4.health;
  if (v4.health === "Healthy" || v6.health === "Healthy") return "Healthy";
  return v4.health === "Unknown" || v6.health === "Unknown" ? "Unknown" : "Unhealthy";
}

/** An address of unknown health can be found dead like a healthy one; what an answer names in spite of its health cannot get worse. */
function worsensAt(addresses: readonly EndpointHealth[], { standing }: UnitMemory): number {
  let first = Number.POSITIVE_INFINITY;
  if (standing !== Standing.Usable) return first;
  for (const { health, nextChange } of addresses) if (health !== "Unhealthy") first = Math.min(first, nextChange);
  return first;
}

function addressStandings({ unit, state }: Stepped, warming: boolean): Standing[] {
  return unit.addresses.map(({ health }) => {
    if (state.held || health === "Healthy") return Standing.Usable;
    if (health === "Unknown") return warming ? Standing.Usable : Standing.Unknown;
    return Standing.Unhealthy;
  });
}

/** Linear from everything at `lowPercent` of capacity to nothing at `highPercent` (NS1's load shedding). */
function shedShare({ lowPercent, highPercent }: NonNullable<Route["shed"]>, addresses: readonly EndpointHealth[]): number {
  const loads = addresses.flatMap(({ load }) => (load === undefined ? [] : [load * 100]));
  if (loads.length === 0) return 1;
  const load = loads.reduce((sum, value) => sum + value, 0) / loads.length;
  return Math.min(1, Math.max(0, (highPercent - load) / Math.max(1, highPercent - lowPercent)));
}

/** When a unit could come (or come more) into answers without anybody's act; 0 while it ramps or is held. */
function returnsAt({ route, now }: Pick<RouteInput, "route" | "now">, addresses: readonly EndpointHealth[], state: UnitMemory): number {
  const policy = route.failover.failback;
  switch (state.standing) {
    case Standing.Usable:
      return state.held || servingShare(state.failback, policy, now) < 1 ? 0 : Number.POSITIVE_INFINITY;
    case Standing.Pending:
      return state.failback.phase === "Waiting" && state.failback.until !== "approval" ? state.failback.until : Number.POSITIVE_INFINITY;
    case Standing.Unknown:
      return nextChange(addresses);
    case Standing.Unhealthy:
      if (state.failback.phase !== "Out") return nextChange(addresses);
      return policy.mode === "Approval" ? Number.POSITIVE_INFINITY : nextChange(addresses) + failbackDelay(policy, state.failback.level);
    case Standing.Draining:
    case Standing.Excluded:
    case Standing.Absent:
      return Number.POSITIVE_INFINITY;
  }
}

/** When time alone changes this unit. One that is frozen or not seen does not come back, but a ramp that has begun goes on. */
const dueOf = (input: RouteInput, { unit, state }: Stepped): number =>
  state.failback.phase === "Waiting" && (isFrozen(input, unit) || seenHealth(unit) === "Unknown")
    ? Number.POSITIVE_INFINITY
    : failbackDue(state.failback, input.route.failover.failback, input.now);

function nextChange(addresses: readonly EndpointHealth[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const address of addresses) first = Math.min(first, address.nextChange);
  return first;
}

/** {@link BackendEvaluation.worsensAt} and `returnsAt` of one unit. */
export interface Deadlines {
  readonly worsensAt: number;
  readonly returnsAt: number;
}

/**
 * The part of {@link evaluateRoute} that one more probe moves when it has changed nothing else.
 *
 * @param addresses of the unit
 * @param state     of the unit, as it was evaluated last
 */
export function unitDeadlines(
  input: Pick<RouteInput, "route" | "now">,
  addresses: readonly EndpointHealth[],
  state: UnitMemory,
): Deadlines {
  return { worsensAt: worsensAt(addresses, state), returnsAt: returnsAt(input, addresses, state) };
}

/** @param other the backend's other family */
function changeOf(input: RouteInput, { unit, state }: Stepped, other: Stepped): UnitChange[] {
  const { orders, now } = input;
  const from = unit.before.standing;
  if (from === state.standing && unit.before.held === state.held) return [];
  const telling = unit.addresses.find(({ proven }) => proven) ?? unit.addresses[0];
  const byOrder = orders.cordoned.has(unit.backend.name)
    ? "cordoned"
    : orders.forcedUp.has(unit.backend.name)
      ? "forced up"
      : orders.draining.has(unit.backend.name)
        ? "draining"
        : state.standing === Standing.Draining
          ? "drill"
          : undefined;
  // The drill goes on and this route is spared from here on.
  const isSpared = from === Standing.Draining && state.standing === Standing.Usable && orders.drilled.has(unit.backend.name);
  return [
    {
      backend: unit.backend.name,
      family: unit.family,
      from,
      to: state.standing,
      held: state.held,
      reason: byOrder ?? (isSpared ? "no longer drilled" : (telling?.reason ?? "not-probed")),
      ...(byOrder === undefined && !isSpared
        ? causeOf(input, unit, state.standing)
        : { cause: "order", firstSign: 0, causedAt: isSpared ? now : 0 }),
      isFlap:
        state.failback.phase === "Out" &&
        other.unit.before.failback.phase !== "Out" && // the backend is out since then
        isFlap(unit.before.failback, input.route.failover.failback, input.now),
    },
  ];
}

/** The unit turned with the last of its addresses. */
function causeOf({ orders, now }: RouteInput, { backend, addresses, before }: Unit, to: Standing) {
  const firstSign = Math.max(0, ...addresses.map((address) => address.firstSign));
  const verdictAt = Math.max(0, ...addresses.map((address) => address.since));
  if (to === Standing.Usable && before.failback.phase === "Waiting") {
    const approvedAt = orders.approvedAt.get(backend.name) ?? 0;
    const { until } = before.failback;
    const waited = until === "approval" || (approvedAt >= before.failback.since && approvedAt < until) ? approvedAt : until;
    return { cause: "failback", firstSign, causedAt: Math.min(now, waited) } as const;
  }
  if (to === Standing.Usable) return { cause: "failback", firstSign, causedAt: verdictAt } as const;
  const isByReadiness = addresses.some(({ reason }) => reason === "not-ready");
  return { cause: isByReadiness ? "readiness" : "probes", firstSign, causedAt: verdictAt } as const;
}
