import { expect, test } from "vitest";
import { answersTo, expectNoPostTwice, requestsAt } from "../../../../test/support/http1/proxy-faults.ts";
import { type Attempt, EAST, FAR, type FarEnd, type ProxyWorld, proxyWorld, WEST } from "../../../../test/support/http1/proxy-world.ts";
import { seededRandom } from "../../../../test/support/random.ts";
import { ms } from "../../../model/units.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const WORLDS = 80;
const CLIENTS = 4;
const REQUESTS = 5;

/** What endpoints but the far one do with a request. */
const DEEDS = ["answer", "busy", "break", "silence", "garbage", "half a head", "late"] as const;
type Deed = (typeof DEEDS)[number];

interface Client extends FarEnd {
  readonly asked: readonly { readonly method: string; readonly path: string }[];
}

test("as long as one endpoint is well, whatever the others do, every idempotent request is answered by somebody, and no POST arrives twice", async () => {
  let deeds = 0;
  for (let seed = 1; seed <= WORLDS; seed++) deeds += await oneWorld(seed);
  expect(deeds).toBeGreaterThan(WORLDS * 10); // or else it proves nothing
});

/** @returns how many requests met an endpoint that may fail them */
async function oneWorld(seed: number): Promise<number> {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const orders: readonly (readonly (readonly ProxyEndpoint[])[])[] = [
    [[EAST, WEST], [FAR]],
    [[WEST], [EAST], [FAR]],
    [[WEST], [FAR]],
    [[FAR], [EAST, WEST]],
    [[EAST], [FAR]],
  ];
  let tiers = orders[0]!;
  // connections come about, or do not, between the steps of the clock
  const world = proxyWorld(
    { timeouts: { ...PROXY_SETTINGS.timeouts, connect: ms(60_000) } },
    () => tiers,
    below(3) === 0 ? { hedge: { after: ms(100) } } : {},
  );
  world.acceptAll(false);
  const clients = Array.from({ length: CLIENTS }, (_, c) => newClient(world, c, below));
  for (const client of clients) await client.say(client.asked.map(textOf).join(""));

  const known = new Set<Attempt>();
  const answered = new Map<Attempt, number>();
  let deeds = 0;
  for (let round = 0; round < 400 && clients.some((client) => answersTo(client).length < REQUESTS); round++) {
    if (below(6) === 0) {
      tiers = orders[below(orders.length)]!;
      world.changeTable();
    }
    for (const attempt of [...world.attempts]) {
      if (attempt.isClosed()) continue;
      const isWell = attempt.endpoint === FAR;
      if (!known.has(attempt)) {
        known.add(attempt);
        await (isWell || below(3) > 0 ? attempt.accept() : attempt.refuse());
      }
      const seen = requestsAt(attempt).messages.filter(({ isWhole }) => isWhole);
      for (let i = answered.get(attempt) ?? 0; i < seen.length && !attempt.isClosed(); i++) {
        answered.set(attempt, i + 1);
        if (!isWell) deeds++;
        await act(attempt, seen[i]!.line.split(" ")[1]!, isWell ? "answer" : DEEDS[below(DEEDS.length)]!, world);
      }
    }
    await world.clock.advance(below(4) === 0 ? 5000 : 300);
  }
  for (const client of clients) check(client, seed);
  expectNoPostTwice(world.attempts, `world ${seed}`);
  return deeds;
}

const answer = (body: string, status = "200 OK"): string => `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

async function act(attempt: Attempt, path: string, deed: Deed, { clock }: ProxyWorld): Promise<void> {
  switch (deed) {
    case "answer":
      return attempt.say(answer(path));
    case "busy":
      return attempt.say(answer("busy", "503 Service Unavailable"));
    case "break":
      return attempt.break();
    case "garbage":
      return attempt.say("SSH-2.0-OpenSSH\r\n");
    case "half a head":
      await attempt.say("HTTP/1.1 200 OK\r\nContent-Le");
      return attempt.break();
    case "late":
      clock.setTimer(ms(15_000), () => void (attempt.isClosed() || attempt.say(answer(path))));
      return;
    case "silence":
  }
}

function newClient(world: ProxyWorld, c: number, below: (limit: number) => number): Client {
  const asked = Array.from({ length: REQUESTS }, (_, r) => ({ method: ["GET", "PUT", "POST"][below(3)]!, path: `/${c}-${r}` }));
  return Object.assign(world.openClient(), { asked });
}

function textOf({ method, path }: Client["asked"][number]): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: shop.example.org\r\n`;
  return method === "GET" ? `${head}\r\n` : `${head}Content-Length: 5\r\n\r\nhello`;
}

function check(client: Client, seed: number): void {
  const answers = answersTo(client);
  for (const [i, { method, path }] of client.asked.entries()) {
    const { line, body } = answers[i] ?? { line: "nothing", body: "" };
    const where = `world ${seed}: ${method} ${path}`;
    if (method !== "POST" || line === "200") expect([where, line, body]).toEqual([where, "200", path]);
    else expect(["502", "503", "504"], where).toContain(line);
  }
}
