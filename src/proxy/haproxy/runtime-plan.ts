/**
 * The commands that bring a running HAProxy to a layout. Pure; a plan that was applied leaves nothing to plan, or,
 * where servers were scarce, what needed those that it has freed.
 */
import type { Layout, MapEntry, MapName, PlanBackends, RankServers, WantedServer } from "./layout.ts";
import { DIRECT, isDirect, isRankBackend, RANKS, rankBackend, routeOfBackend } from "./names.ts";
import { seat, seatsFor } from "./seats.ts";
import type { ServerRow, ServersState } from "./servers-state.ts";

export interface ServersPlan {
  /** In an order in which no backend that has somebody to serve is ever without: newcomers are ready before others leave. */
  readonly commands: readonly string[];
  /** Backends that the commands change. */
  readonly touched: readonly string[];
  /** For people: what only a reload can bring; empty when nothing is missing. */
  readonly missing: readonly string[];
}

/** What needs nothing done, and the rows that this was found with. Neither is ever changed in place, so it need not be found again. */
export type Settled = WeakMap<RankServers | PlanBackends, readonly ServerRow[]>;

/** @param settled what is in it is passed over; what is found to need nothing is added */
export function planServers(layout: Layout, state: ServersState, settled: Settled = new WeakMap()): ServersPlan {
  const plans: ServersPlan[] = [];
  const compare = <T extends RankServers | PlanBackends>(one: T, plan: (one: T, rows: readonly ServerRow[]) => ServersPlan): void => {
    const rows = state.get(one.name);
    if (rows === undefined) plans.push({ ...NOTHING, missing: [`backend ${one.name}`] });
    else if (settled.get(one) !== rows) {
      const found = plan(one, rows);
      if (found.commands.length === 0 && found.missing.length === 0) settled.set(one, rows);
      else plans.push(found);
    }
  };
  for (const plan of layout.plans) {
    for (const rank of plan.ranks) compare(rank, planRank);
    compare(plan, planDirect);
  }
  const changed = plans.filter(({ commands }) => commands.length > 0);
  return {
    commands: changed.flatMap(({ commands }) => commands),
    touched: changed.flatMap(({ touched }) => touched),
    missing: plans.flatMap(({ missing }) => missing),
  };
}

/** Backends of plans that are no more, which HAProxy keeps until it is reloaded: unless hosts lead there still, nobody need be looked at. */
export function planLeftovers(layout: Layout, state: ServersState): ServersPlan {
  const wanted = new Set(layout.plans.flatMap(({ name, ranks }) => [name, ...ranks.map((rank) => rank.name)]));
  const former = formerRoutes(layout);
  const left = [...state]
    .filter(([name]) => !wanted.has(name) && !former.has(routeOfBackend(name)))
    .map(([name, rows]) => [name, rows.filter((row) => row.isReady && (isRankBackend(name) || isDirect(row.name)))] as const)
    .filter(([, rows]) => rows.length > 0);
  return {
    commands: left.flatMap(([name, rows]) => rows.map((row) => setServer(name, row, "state maint"))),
    touched: left.map(([name]) => name),
    missing: [],
  };
}

const NOTHING: ServersPlan = { commands: [], touched: [], missing: [] };

/** A weight says that a server is in use: when HAProxy finds it down, it is passed over for the next cluster and not tried again by way of its rank. */
function planDirect({ name, direct }: PlanBackends, rows: readonly ServerRow[]): ServersPlan {
  const pair = rows.filter((row) => isDirect(row.name));
  if (pair.length < DIRECT.length) return { ...NOTHING, missing: [`servers ${DIRECT.join(" and ")} in backend ${name}`] };
  const isThere = ({ address, port }: ServerRow): boolean => address === direct?.address && port === direct.port;
  const chosen = direct === undefined ? undefined : (pair.find(isThere) ?? pair.find(({ isReady }) => !isReady) ?? pair[0]!);
  const commands = [
    ...(chosen === undefined || direct === undefined
      ? []
      : [
          // What it was found to be counts for the address that it had.
          ...(isThere(chosen)
            ? []
            : [setServer(name, chosen, `addr ${direct.address} port ${direct.port}`), setServer(name, chosen, "health up")]),
          ...(chosen.isReady ? [] : [setServer(name, chosen, "state ready")]),
          ...(chosen.weight === 1 ? [] : [setServer(name, chosen, "weight 1")]),
        ]),
    ...pair
      .filter((row) => row !== chosen)
      .flatMap((row) => [
        ...(row.weight > 0 ? [setServer(name, row, "weight 0")] : []),
        ...(row.isReady ? [setServer(name, row, "state maint")] : []),
      ]),
  ];
  return { commands, touched: commands.length === 0 ? [] : [name], missing: [] };
}

function planRank({ name, servers }: RankServers, rows: readonly ServerRow[]): ServersPlan {
  const { seats } = seat(servers, rows);
  const commands = [...rows.flatMap((row, i) => fill(name, row, seats[i])), ...rows.flatMap((row, i) => retire(name, row, seats[i]))];
  const missing = servers.length <= rows.length ? [] : [`${seatsFor(servers.length)} servers in backend ${name}, which has ${rows.length}`];
  return { commands, touched: commands.length === 0 ? [] : [name], missing };
}

/** A server that gets requests may be given another address at once: the command is one step, and connections that it has stay. */
function fill(backend: string, row: ServerRow, wanted: WantedServer | undefined): readonly string[] {
  if (wanted === undefined) return [];
  const { address, port, weight } = wanted;
  const moved = row.address !== address || row.port !== port;
  return [
    ...(moved ? [setServer(backend, row, `addr ${address} port ${port}`)] : []),
    ...(weight > 0 && row.weight !== weight ? [setServer(backend, row, `weight ${weight}`)] : []),
    ...(weight > 0 && !row.isReady ? [setServer(backend, row, "state ready")] : []),
  ];
}

/** Maintenance stops new requests and lets those under way finish; HAProxy's own checks of the server stop, too. */
const retire = (backend: string, row: ServerRow, wanted: WantedServer | undefined): readonly string[] =>
  row.isReady && (wanted?.weight ?? 0) === 0 ? [setServer(backend, row, "state maint")] : [];

const setServer = (backend: string, { name }: ServerRow, what: string): string => `set server ${backend}/${name} ${what}`;

/**
 * Maps for what HAProxy has: nothing in them leads to a backend that a reload has yet to bring, as long as another plan of the route is there. Hosts
 * of a route that is not stay with the route that they lead to now.
 *
 * @param now where hosts lead in the HAProxy that runs
 */
export function presentMaps({ plans, maps }: Layout, state: ServersState, now: MapsOfHosts): Layout["maps"] {
  if (plans.every(({ ranks }) => ranks.every(({ name }) => state.has(name)))) return maps;
  const present = new Set(plans.filter(({ ranks }) => ranks.every(({ name }) => state.has(name))).map(({ name }) => name));
  const leads = ([, value]: MapEntry): boolean => present.has(value);
  const stay = (wanted: readonly MapEntry[], actual: readonly MapEntry[]): readonly MapEntry[] => {
    const before = new Map(actual);
    return wanted.flatMap((entry): readonly MapEntry[] => {
      if (leads(entry)) return [entry];
      const route = before.get(entry[0]);
      return route !== undefined && RANKS.every((rank) => state.has(rankBackend(route, rank))) ? [[entry[0], route]] : [];
    });
  };
  return {
    ...maps,
    ...{ hosts: stay(maps.hosts, now.hosts), wildcards: stay(maps.wildcards, now.wildcards) },
    plans: maps.plans.filter(leads),
  };
}

export type MapsOfHosts = Pick<Layout["maps"], "hosts" | "wildcards">;

/** Routes that are no more, but to which hosts lead until a reload. @returns names of backends */
function formerRoutes({ plans, maps }: Layout): ReadonlySet<string> {
  const wanted = new Set(plans.map(({ name }) => name));
  return new Set([...maps.hosts, ...maps.wildcards].flatMap(([, route]) => (wanted.has(route) ? [] : [route])));
}

/** Whether hosts lead to a route that is no more and told clients apart: the classes and plans that are there are needed until a reload. */
export function needsFormerGroups(layout: Layout, state: ServersState): boolean {
  const former = formerRoutes(layout);
  return former.size > 0 && [...state.keys()].some((name) => former.has(routeOfBackend(name)) && name.split(":").length > 2);
}

/**
 * Routes that HAProxy has, but without plans for clients whom their rules tell apart. Until a reload brings them, clients stay with the classes and
 * plans that are there: of two rules, the one that is new would else take the clients of both from the plan that they have.
 *
 * @returns names of backends, of the routes' own plans
 */
export function lackingGroups({ plans, maps }: Layout, state: ServersState): ReadonlySet<string> {
  const absent = new Set(plans.filter(({ ranks }) => !ranks.every(({ name }) => state.has(name))).map(({ name }) => name));
  if (absent.size === 0) return absent;
  const routes = maps.plans.flatMap(([key, backend]) => (absent.has(backend) ? [key.slice(0, key.lastIndexOf(":"))] : []));
  return new Set(routes.filter((route) => !absent.has(route)));
}

/** Lines `0x… KEY VALUE` of `show map`. */
export function parseMap(text: string): readonly MapEntry[] {
  return text.split("\n").flatMap((line): readonly MapEntry[] => {
    const [, key, value] = /^0x[0-9a-f]+ (\S+) (\S+)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value]];
  });
}

/** True when a map needs no change. Only the order of wildcards counts: HAProxy takes the first that fits. */
export function sameMap(name: MapName, wanted: readonly MapEntry[], actual: readonly MapEntry[]): boolean {
  if (wanted.length !== actual.length) return false;
  if (wanted.every(([key, value], i) => key === actual[i]![0] && value === actual[i]![1])) return true; // as we wrote it
  if (name === "wildcards") return false;
  const lines = (entries: readonly MapEntry[]): readonly string[] => entries.map(([key, value]) => `${key} ${value}`).toSorted();
  const [ours, theirs] = [lines(wanted), lines(actual)];
  return ours.every((line, i) => line === theirs[i]);
}

/**
 * {@link sameMap} for what `show map` answers. No list is made of an answer that shows what is wanted in the same order, or more or fewer entries:
 * there may be 300,000, and nothing else goes on meanwhile.
 */
export function showsMap(name: MapName, wanted: readonly MapEntry[], answer: string): boolean {
  let count = 0;
  let isAsWanted = true;
  for (let start = 0, end = 0; end < answer.length; start = end + 1) {
    const newline = answer.indexOf("\n", start);
    end = newline < 0 ? answer.length : newline;
    if (!answer.startsWith("0x", start)) continue;
    const entry = wanted[count++];
    if (entry === undefined) return false;
    isAsWanted &&= showsEntry(entry, answer, answer.indexOf(" ", start) + 1, end);
  }
  return count === wanted.length && (isAsWanted || sameMap(name, wanted, parseMap(answer)));
}

const showsEntry = ([key, value]: MapEntry, answer: string, start: number, end: number): boolean =>
  start + key.length + 1 + value.length === end &&
  answer.startsWith(key, start) &&
  answer[start + key.length] === " " &&
  answer.startsWith(value, start + key.length + 1);

/** What of one command HAProxy surely takes: its buffer is 16 kB by default. */
const LARGEST_PAYLOAD = 8_000;

/**
 * Commands that replace a map whole, between two requests: HAProxy looks at the new version only once it is committed.
 *
 * @param version of `prepare map`
 */
export function replaceMap(file: string, version: number, entries: readonly MapEntry[]): readonly string[] {
  const payloads: string[] = [];
  let payload = "";
  for (const [key, value] of entries) {
    const line = `${key} ${value}\n`;
    if (payload.length + line.length > LARGEST_PAYLOAD) {
      payloads.push(payload);
      payload = "";
    }
    payload += line;
  }
  if (payload !== "") payloads.push(payload);
  return [...payloads.map((lines) => `add map @${version} ${file} <<\n${lines}`), `commit map @${version} ${file}`];
}

/** @returns undefined when the answer is none: the map is not there */
export function parseVersion(answer: string): number | undefined {
  const [, version] = /^New version created: (\d+)$/m.exec(answer) ?? [];
  return version === undefined ? undefined : Number(version);
}

/** Many commands as few: HAProxy takes several in one line, split by `;`. */
export function joinCommands(commands: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const command of commands) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + command.length < LARGEST_PAYLOAD) lines[lines.length - 1] = `${last};${command}`;
    else lines.push(command);
  }
  return lines;
}
