/**
 * `npm run shows:mass-failover [-- --routes N --real N]`: one of four clusters dies, its API server and what it serves, under 5,000 routes that
 * have one endpoint there and one in another cluster. Asks for every route once a second from near the dead cluster until all answers have
 * moved, and then reads the hub's audit log. Exit codes: 0 when answers moved before the first status was written, no route was answered with
 * the dead cluster after its own status was written, there were at most 600 Events in any minute, nobody was told 429 and no answer was empty;
 * 1 otherwise.
 */
import { createSocket } from "node:dgram";
import { loadavg } from "node:os";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Type } from "../../../src/dns/wire/codes.ts";
import { decodeMessage } from "../../../src/dns/wire/decode-message.ts";
import { encodeQuery } from "../../../src/dns/wire/encode-query.ts";
import type { AuditEntry } from "../support/audit.ts";
import { startController } from "../support/controller.ts";
import { applicationHost, startFleet, untilProgrammed } from "../support/fleet.ts";

const { values: flags } = parseArgs({
  options: { routes: { type: "string", default: "5000" }, real: { type: "string", default: "4" } },
});
const routes = Number(flags.routes);
const MEMBERS = 4;
/** Near the first member, which is in Ireland. */
const CLIENTS = Uint8Array.of(91, 64, 0);
const ASK_EVERY_MS = 1000;
/** Queries are spread over the second. */
const TICK_MS = 10;
const PATIENCE_MS = 180_000;
/** After the last answer has moved: statuses and Events go on for minutes. */
const AFTERMATH_MS = 60_000;
const MINUTE_MS = 60_000;
const MOST_EVENTS = 600;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Asks for all routes again and again, from near the first member. */
function startAsking(port: number) {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
  const clientSubnet = { family: 4, address: CLIENTS, source: 24 } as const;
  const queries = Array.from({ length: routes }, (_, id) =>
    encodeQuery({ id, name: applicationHost(id), type: Type.A, edns: { clientSubnet } }),
  );
  /** Application → newest address, since when, and when the one before was seen last. */
  const answers = new Map<number, { readonly address: string; readonly since: number; readonly before: number; readonly seen: number }>();
  let empty = 0;
  socket.on("message", (bytes) => {
    const message = decodeMessage(bytes);
    if (message === undefined) return;
    const application = message.id;
    const address = message.answers[0]?.data ?? "";
    if (address === "") empty++;
    const at = Date.now();
    const last = answers.get(application);
    if (last?.address === address) answers.set(application, { ...last, seen: at });
    else answers.set(application, { address, since: at, before: last?.seen ?? at, seen: at });
  });
  const started = performance.now();
  let asked = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - started) / ASK_EVERY_MS) * routes);
    for (; asked < due; asked++) socket.send(queries[asked % routes]!, port, "127.0.0.1");
  }, TICK_MS);
  return {
    answers,
    empty: () => empty,
    forgetEmpty: () => {
      empty = 0;
    },
    stop(): void {
      clearInterval(timer);
      socket.close();
    },
  };
}

/** The most entries in any minute. */
function busiestMinute(entries: readonly AuditEntry[]): number {
  const times = entries.map(({ at }) => at).sort((a, b) => a - b);
  return Math.max(0, ...times.map((end, i) => i + 1 - times.findIndex((at) => at > end - MINUTE_MS)));
}

const isStatusWrite = ({ resource, subresource, verb }: AuditEntry): boolean =>
  resource === "globalroutes" && subresource === "status" && verb === "patch";
const isEvent = ({ resource, verb }: AuditEntry): boolean => resource === "events" && verb === "create";

// Every route has one endpoint in the first member and one in another.
const placeOf = (application: number, copy: number, members: number): number => (copy === 0 ? 0 : 1 + (application % (members - 1)));
const real = Number(flags.real);
const fleet = await startFleet({ real, fake: MEMBERS - real, copies: 2, placeOf });
const stop = fleet.stop;
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop().then(() => process.exit(1)));
try {
  process.exitCode = (await show()) ? 0 : 1;
} finally {
  await stop();
}

async function show(): Promise<boolean> {
  const [dying] = fleet.members;
  if (dying === undefined) throw new Error("there is no member");
  await fleet.seed(routes);
  const controller = await startController(fleet.hub, { args: ["--cluster-allow", "127.0.0.0/8"] });
  const settled = await untilProgrammed(fleet, routes, 3_600_000, () => controller.log().slice(-2000));
  say(`${routes} routes are Programmed after ${settled.toFixed(0)} s; load ${loadavg()[0]?.toFixed(1)}`);
  const all = Array.from({ length: routes }, (_, application) => application);
  const asking = startAsking(controller.dnsPort);
  try {
    const isAt = (application: number, isThere: (address: string) => boolean): boolean =>
      isThere(asking.answers.get(application)?.address ?? "");
    await until("all answers to name the nearest cluster", () => all.every((one) => isAt(one, (address) => address === dying.site)));
    asking.forgetEmpty();

    const died = Date.now();
    await Promise.all([fleet.killSite(dying), dying.kube?.stopServer()]);
    await until("all answers to move", () => all.every((one) => isAt(one, (address) => address !== "" && address !== dying.site)));
    const moved = all.map((application) => asking.answers.get(application)?.since ?? Number.NaN);
    const seenDead = all.map((application) => asking.answers.get(application)?.before ?? Number.NaN);
    const empty = asking.empty();
    await setTimeout(AFTERMATH_MS);

    const audit = fleet.hub.audit().filter(({ at }) => at >= died);
    const statuses = audit.filter(isStatusWrite);
    const events = audit.filter(isEvent);
    const refused = audit.filter(({ status }) => status === 429);
    const firstStatus = Math.min(...statuses.map(({ at }) => at));
    const byName = new Map(statuses.map(({ name, at }) => [name, at]).reverse() as [string, number][]);
    const late = all.filter((application) => (byName.get(`app-${application}`) ?? Number.POSITIVE_INFINITY) < seenDead[application]!);
    const seconds = (at: number): string => `${((at - died) / 1000).toFixed(2)} s`;
    const busiest = busiestMinute(events);
    say(
      `answers of ${all.length} routes moved from ${seconds(Math.min(...moved))} to ${seconds(Math.max(...moved))} after the death; ${empty} were empty`,
    );
    say(
      `first status written after ${seconds(firstStatus)}, ${statuses.length} until ${seconds(Math.max(...statuses.map(({ at }) => at)))}`,
    );
    say(`${late.length} routes were answered with the dead cluster after their status was written`);
    say(`${events.length} Events, at most ${busiest} in a minute; ${refused.length} requests were told 429`);
    const isGood = Math.min(...moved) < firstStatus && late.length === 0 && busiest <= MOST_EVENTS && refused.length === 0 && empty === 0;
    say(isGood ? "as it should be" : "NOT as it should be");
    return isGood;
  } finally {
    asking.stop();
    await controller.stop();
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE_MS / 1000} s for ${what}`);
    await setTimeout(20);
  }
}
