/** What is told of a failover's arrival at a resolver, there and back, beside what a user of a real Unbound sees. */
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Sample } from "../../support/answer-watch.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { EAST, HOST, STEPS, startWatchedUnbound, TTL, UNBOUND, type WatchedUnbound, WEST } from "../../support/watched-unbound.ts";

const timeline = z.object({
  events: z.array(
    z.object({
      ...{ id: z.number(), at: z.number(), kind: z.string(), object: z.string() },
      details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    }),
  ),
});
type Event = z.infer<typeof timeline>["events"][number];

describe.skipIf(!requireComponent(UNBOUND.component, UNBOUND.command))("with a watched Unbound", () => {
  let world: WatchedUnbound;

  beforeAll(async () => {
    world = await startWatchedUnbound();
  });
  afterAll(() => world?.close());

  async function until<T>(read: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = performance.now() + 20_000; ; await setTimeout(50)) {
      const found = await read();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`it did not come within 20 s; the server logged:\n${world.server.log()}`);
    }
  }
  const events = async (): Promise<readonly Event[]> =>
    timeline.parse(await (await fetch(`${world.server.admin}/v1/timeline`)).json()).events;

  /** Nearly all of the TTL is left: what is done then is noticed by probes before the cache forgets its answer. */
  const isFresh = (): Promise<number | undefined> =>
    dig(world.resolver.port, HOST, "A").then(({ ttls: [ttl = 0] }) => (ttl >= TTL - 1 ? ttl : undefined));

  test.each([
    ["away", false, EAST, WEST],
    ["back", true, WEST, EAST],
  ] as const)("clients that go %s are seen there when a user sees it", async (_, isUp, from, to) => {
    await until(isFresh);
    world.sites.set(EAST, isUp);
    const [fromName, toName] = isUp ? ["west", "east"] : ["east", "west"];
    const failover = await until(async () =>
      (await events()).find(({ kind, details }) => kind === "Failover" && details.from === fromName && details.to === toName),
    );
    const seen = await until(async () =>
      (await events()).find(({ details }) => details.failover === failover.id && details.via === world.via),
    );
    expect(seen).toMatchObject({ kind: "FailoverPropagated", object: "GlobalRoute default/shop" });

    const published = failover.at - performance.timeOrigin;
    const answered = (address: string) => (sample: Sample) => sample.asked > published && sample.addresses[0] === address;
    expect(world.user.samples().some(answered(from)), "it was in the cache").toBe(true);
    await world.user.until(answered(to), 5000);
    const userSeconds = (world.user.samples().find(answered(to))!.asked - published) / 1000;
    expect(userSeconds).toBeLessThan(TTL + 1);
    const told = Number(seen.details.seconds);
    expect(Math.abs(told - userSeconds), `told ${told} s, the user saw ${userSeconds} s`).toBeLessThanOrEqual(
      Math.max(0.1 * userSeconds, (STEPS.server + STEPS.user) / 1000),
    );
  });
});
