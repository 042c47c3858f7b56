/** One soak: a real server, sites that go down and come back, clients that check every answer against the oracle of that instant. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { decodeMessage } from "../../src/dns/wire/decode-message.ts";
import { checkAnswer } from "../fuzz/check-answer.ts";
import { openLoopbackSites } from "../support/loopback-sites.ts";
import { seededRandom } from "../support/random.ts";
import { type Server, startServer } from "../support/serve.ts";
import { type Exchange, openSoakClients, type SoakCounts } from "./soak-clients.ts";
import { HOSTS, ROUTE_KEYS, SITES, SITES_NETWORK, soakMmdb, soakObjects, soakOracle } from "./soak-world.ts";
import { createStandingHistory } from "./standing-history.ts";

export interface SoakOptions {
  readonly seconds: number;
  /** Questions a second. */
  readonly rate: number;
  readonly seed: number;
  readonly transport: "auto" | "fast" | "dgram";
  /** Told once a minute, and at the end. */
  readonly onProgress: (line: string) => void;
}

export interface SoakResult {
  readonly counts: SoakCounts;
  /** Answers that were compared with the oracle. */
  readonly checked: number;
  /** Changes of standings that the server told of. */
  readonly changes: number;
  readonly flips: number;
  /** The first of them, in words. */
  readonly wrong: readonly string[];
  readonly wrongCount: number;
  /** UDP datagrams that the kernel dropped at one of our sockets or the server's. */
  readonly dropped: number;
  /** Resident bytes of the server, one reading a second. */
  readonly resident: readonly number[];
  /** The server's exit code after SIGTERM. */
  readonly exitCode: number | null;
}

const TICK_MS = 10;
const FLIP_MS = 1000;
/** A configuration that differs is written so often: tables are compiled and swapped under load. */
const RELOAD_MS = 15_000;
/** Sites that may be down at once. */
const MOST_DOWN = 4;
/** Answers wait so long for the news of the instant in which they were made. */
const SETTLE_MS = 2000;
/** An event's time and the instant in which every thread saw the change differ by less. */
const CLOCK_SLACK_MS = 250;
const KEPT_WRONG = 10;

const statusAnswer = z.object({ routes: z.array(z.object({ backends: z.array(z.object({ standing: z.string() })) })) });

export async function runSoak({ seconds, rate, seed, transport, onProgress }: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-soak-"));
  const random = seededRandom(seed);
  const sites = await openLoopbackSites(SITES.map(({ address }) => address));
  const mmdb = soakMmdb();
  const config = join(folder, "config", "all.yaml");
  mkdirSync(join(folder, "config"));
  writeFileSync(config, soakObjects(sites.port, 0));
  writeFileSync(join(folder, "cities.mmdb"), mmdb);
  let server: Server | undefined;
  try {
    server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--mmdb", join(folder, "cities.mmdb")],
      ...["--probe-allow", SITES_NETWORK, "--dns-transport", transport],
    );
    await allUsable(server.admin);
    return await soak(server, { seconds, rate, random, onProgress }, mmdb, {
      flip: (address, isUp) => sites.set(address, isUp),
      isUp: sites.isUp,
      reload: (edition) => writeFileSync(config, soakObjects(sites.port, edition)),
    });
  } finally {
    await server?.stop();
    await sites.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function allUsable(admin: string): Promise<void> {
  const deadline = AbortSignal.timeout(30_000);
  for (;;) {
    const { routes } = statusAnswer.parse(await (await fetch(`${admin}/v1/status`, { signal: deadline })).json());
    if (routes.length === HOSTS.length && routes.every(({ backends }) => backends.every(({ standing }) => standing === "Usable"))) return;
    await setTimeout(50);
  }
}

interface Levers {
  readonly flip: (address: string, isUp: boolean) => void;
  readonly isUp: (address: string) => boolean;
  readonly reload: (edition: number) => void;
}

async function soak(
  server: Server,
  { seconds, rate, random, onProgress }: Pick<SoakOptions, "seconds" | "rate" | "onProgress"> & { readonly random: () => number },
  mmdb: Buffer,
  levers: Levers,
): Promise<SoakResult> {
  const oracle = soakOracle(mmdb);
  const history = createStandingHistory(
    ROUTE_KEYS,
    SITES.map(({ name }) => name),
    SITES.map(({ address }) => address),
  );
  const waiting: Exchange[] = [];
  const wrong: string[] = [];
  let [checked, wrongCount, flips, edition] = [0, 0, 0, 0];
  const fail = (what: string): void => {
    wrongCount++;
    if (wrong.length < KEPT_WRONG) wrong.push(what);
  };

  /** @returns what is wrong with an answer, or undefined */
  function judge({ route, client, query, answer, isUdp, sent, received }: Exchange): string | undefined {
    const fault = checkAnswer(query, query.length, answer, isUdp);
    if (fault !== undefined) return fault;
    const reply = decodeMessage(answer)!;
    const data = reply.answers.map((record) => record.data);
    if (reply.rcode !== 0 || data.length !== 1) return `RCODE ${reply.rcode}, ${data.length} addresses`;
    const possible = history.during(route, sent - CLOCK_SLACK_MS, received + CLOCK_SLACK_MS);
    if (possible.some((standings) => oracle.allowed(route, client, standings).has(data[0]!))) return undefined;
    return `${data[0]} while the sites were ${possible.map((standings) => standings.join()).join(" or ")}`;
  }

  function settle(before: number): void {
    let count = 0;
    for (; count < waiting.length && waiting[count]!.received < before; count++) {
      const exchange = waiting[count]!;
      const fault = judge(exchange);
      checked++;
      if (fault !== undefined)
        fail(`${HOSTS[exchange.route]} for ${exchange.client ?? "nobody in particular"} at ${exchange.sent}: ${fault}`);
    }
    waiting.splice(0, count);
    history.forget(before - 10_000);
  }

  /** One site goes down or comes back. */
  function flip(): void {
    const down = SITES.filter(({ address }) => !levers.isUp(address));
    const site = down.length >= MOST_DOWN ? down[Math.floor(random() * down.length)]! : SITES[Math.floor(random() * SITES.length)]!;
    levers.flip(site.address, !levers.isUp(site.address));
    flips++;
  }

  const ending = new AbortController();
  const streamed = follow(server.admin, history.read, ending.signal);
  const clients = await openSoakClients({
    port: server.dnsPort,
    random,
    now: Date.now,
    onExchange: (exchange) => waiting.push(exchange),
    onHostile(query, answer) {
      const fault = checkAnswer(query, query.length, answer, true);
      if (fault !== undefined) fail(`${fault}: ${Buffer.from(query).toString("hex")}`);
    },
  });
  const ports = [server.dnsPort, ...clients.ports];
  const droppedBefore = kernelDrops(ports);
  const resident: number[] = [];
  const started = Date.now();
  let [nextFlip, nextReload, nextReading, owed, last] = [started + FLIP_MS, started + RELOAD_MS, started, 0, started];
  for (let now = started; now < started + 1000 * seconds; now = Date.now()) {
    owed += Math.min((rate * (now - last)) / 1000, rate); // what a stalled machine owes is not caught up in one burst
    last = now;
    clients.send(Math.floor(owed));
    owed -= Math.floor(owed);
    if (now >= nextFlip) {
      flip();
      nextFlip += FLIP_MS;
    }
    if (now >= nextReload) {
      levers.reload(++edition);
      nextReload += RELOAD_MS;
    }
    if (now >= nextReading) {
      resident.push(residentBytes(server.pid));
      if (resident.length % 60 === 0) onProgress(progress());
      nextReading += 1000;
    }
    settle(now - SETTLE_MS);
    await setTimeout(TICK_MS);
  }
  await setTimeout(SETTLE_MS + 2000);
  clients.send(0); // counts what is overdue
  settle(Number.POSITIVE_INFINITY);
  onProgress(progress());
  const dropped = kernelDrops(ports) - droppedBefore;
  clients.close();
  ending.abort();
  await streamed;
  return {
    counts: clients.counts,
    checked,
    changes: history.changes(),
    flips,
    wrong,
    wrongCount,
    dropped,
    resident,
    exitCode: await server.stop(),
  };

  function progress(): string {
    const { udp, tcp, malformed, unanswered } = clients.counts;
    const mebibytes = ((resident.at(-1) ?? 0) / (1 << 20)).toFixed(0);
    return `${resident.length} s: ${udp} UDP, ${tcp} TCP, ${malformed} malformed; ${checked} checked, ${wrongCount} wrong, ${unanswered} unanswered; ${history.changes()} changes; ${mebibytes} MiB`;
  }
}

/** Reads the stream of events until told to stop. */
async function follow(admin: string, read: (text: string) => void, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${admin}/v1/stream`, { signal });
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) read(chunk);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Datagrams that found no room in a socket's buffer: the last column of `/proc/net/udp` for these local ports. */
function kernelDrops(ports: readonly number[]): number {
  return ["udp", "udp6"].reduce((sum, file) => {
    const rows = readFileSync(`/proc/net/${file}`, "utf8").trim().split("\n").slice(1);
    for (const row of rows) {
      const fields = row.trim().split(/\s+/);
      if (ports.includes(Number.parseInt(fields[1]?.split(":")[1] ?? "", 16))) sum += Number(fields.at(-1));
    }
    return sum;
  }, 0);
}

const residentBytes = (pid: number): number => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
