/** What is told of a failover's arrival at a resolver, there and back, beside what a user of a real Unbound sees. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type AnswerWatch, type Sample, watchAnswers } from "../../support/answer-watch.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { freePort } from "../../support/free-port.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { RESOLVERS, type Resolver, startResolver } from "../../support/resolvers.ts";
import { type Server, startServer } from "../../support/serve.ts";

const EAST = "127.0.20.1";
const WEST = "127.0.20.2";
const HOST = "shop.example.org";
/** Of every answer, seconds. */
const TTL = 5;
/** Between two questions, ms: of the server's own and of the user's. */
const STEPS = { server: 200, user: 50 };

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const objects = (port: number): string => `${head("MemberCluster", "east")}spec: {location: {cloud: aws, region: us-east-1}}
${head("MemberCluster", "west")}spec: {location: {cloud: aws, region: us-west-2}}
${head("DNSZone", "example")}spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org], records: [{name: ns1, type: A, values: [192.0.2.53]}]}}}
${head("GlobalRoute", "shop")}spec:
  hosts: [${HOST}]
  ttl: {min: ${TTL}s, max: ${TTL}s}
  backends:
  - {name: east, cluster: east, addresses: [${EAST}]}
  - {name: west, cluster: west, addresses: [${WEST}]}
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 200ms, timeout: 150ms, fall: 2, rise: 2}
  failover: {failback: {after: 1s}}
  routing: {order: Priority}
`;

const timeline = z.object({
  events: z.array(
    z.object({
      ...{ id: z.number(), at: z.number(), kind: z.string(), object: z.string() },
      details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    }),
  ),
});
type Event = z.infer<typeof timeline>["events"][number];

const kind = RESOLVERS.find(({ name }) => name === "Unbound")!;

describe.skipIf(!requireComponent(kind.component, kind.command))("with a watched Unbound", () => {
  let folder: string;
  let sites: LoopbackSites;
  let server: Server;
  let resolver: Resolver;
  let user: AnswerWatch;
  let via: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    sites = await openLoopbackSites([EAST, WEST]);
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(sites.port));
    const port = await freePort();
    via = `resolver 127.0.0.1:${port}`;
    server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.20.0/29"],
      ...["--watch-resolver", `127.0.0.1:${port}`],
    );
    resolver = await startResolver(kind, "example.org", server.dnsPort, "ns1.example.org", port);
    user = await watchAnswers(resolver.port, HOST, undefined, STEPS.user);
    await user.until(({ addresses }) => addresses[0] === EAST, 20_000);
  });
  afterAll(async () => {
    user?.close();
    await resolver?.stop();
    await server?.stop();
    await sites?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function until<T>(read: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = performance.now() + 20_000; ; await setTimeout(50)) {
      const found = await read();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`it did not come within 20 s; the server logged:\n${server.log()}`);
    }
  }
  const events = async (): Promise<readonly Event[]> => timeline.parse(await (await fetch(`${server.admin}/v1/timeline`)).json()).events;

  /** Nearly all of the TTL is left: what is done then is noticed by probes before the cache forgets its answer. */
  const isFresh = (): Promise<number | undefined> =>
    dig(resolver.port, HOST, "A").then(({ ttls: [ttl = 0] }) => (ttl >= TTL - 1 ? ttl : undefined));

  test.each([
    ["away", false, EAST, WEST],
    ["back", true, WEST, EAST],
  ] as const)("clients that go %s are seen there when a user sees it", async (_, isUp, from, to) => {
    await until(isFresh);
    sites.set(EAST, isUp);
    const [fromName, toName] = isUp ? ["west", "east"] : ["east", "west"];
    const failover = await until(async () =>
      (await events()).find(({ kind, details }) => kind === "Failover" && details.from === fromName && details.to === toName),
    );
    const seen = await until(async () => (await events()).find(({ details }) => details.failover === failover.id && details.via === via));
    expect(seen).toMatchObject({ kind: "FailoverPropagated", object: "GlobalRoute default/shop" });

    const published = failover.at - performance.timeOrigin;
    const answered = (address: string) => (sample: Sample) => sample.asked > published && sample.addresses[0] === address;
    expect(user.samples().some(answered(from)), "it was in the cache").toBe(true);
    await user.until(answered(to), 5000);
    const userSeconds = (user.samples().find(answered(to))!.asked - published) / 1000;
    expect(userSeconds).toBeLessThan(TTL + 1);
    const told = Number(seen.details.seconds);
    expect(Math.abs(told - userSeconds), `told ${told} s, the user saw ${userSeconds} s`).toBeLessThanOrEqual(
      Math.max(0.1 * userSeconds, (STEPS.server + STEPS.user) / 1000),
    );
  });
});
