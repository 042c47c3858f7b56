/** What becomes of a slow request when its route asks for a second attempt. */
import { describe, expect, test } from "vitest";
import { BUSY, POST, THREE_TIERS } from "../../../../test/support/http1/proxy-faults.ts";
import { ask, asked, EAST, proxyWorld, request, response, settle, WEST } from "../../../../test/support/http1/proxy-world.ts";
import type { HTTP_DEFAULTS } from "../../../model/to-http.ts";
import { ms } from "../../../model/units.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const { timeouts } = PROXY_SETTINGS;

describe("a hedge", () => {
  const HEDGED = { hedge: { after: ms(50) } };
  const slow = async (text = request(), policy: Partial<typeof HTTP_DEFAULTS> = HEDGED) => {
    const told: string[] = [];
    const world = proxyWorld({}, THREE_TIERS, policy, {
      attempt: ({ id }, result, _, status) => told.push(`${id} ${result} ${status}`),
      request: () => {},
    });
    const client = await ask(world, text);
    await world.clock.advance(60);
    await settle();
    return { world, client, told };
  };

  test("asks the next endpoint, too, and whoever answers first is passed on", async () => {
    for (const winner of [0, 1]) {
      const { world, client } = await slow();
      expect(asked(world)).toEqual([EAST, WEST]);
      for (const byte of response("first")) await world.attempts[winner]!.say(byte);
      expect(client.got()).toBe(response("first"));
      expect(world.attempts[1 - winner]!.isClosed()).toBe(true);
      expect(world.proxy.connections()).toEqual({ clients: 1, open: 1, idle: 1 });
      expect(world.proxy.counters.hedges).toBe(1);
    }
  });

  test("is the only attempt when the first one fails, and the first one when the hedge does", async () => {
    for (const loser of [0, 1]) {
      const { world, client } = await slow();
      await world.attempts[loser]!.break();
      expect(asked(world)).toEqual([EAST, WEST]);
      await world.attempts[1 - loser]!.say(response("first"));
      expect(client.got()).toMatch(/first$/);
    }
  });

  test("that answers 503 is of no use; one that answers better than 503 is", async () => {
    const { world, client, told } = await slow();
    await world.attempts[1]!.say(BUSY);
    expect(told).toEqual(["west status 503"]);
    await world.attempts[0]!.say(response("first"));
    expect(client.got()).toMatch(/first$/);
    const other = await slow();
    await other.world.attempts[0]!.say(BUSY);
    await other.world.attempts[1]!.say(response("second"));
    expect(other.client.got()).toBe(response("second"));
  });

  test.each([
    ["a POST", POST, HEDGED],
    ["a body", `${request(["Content-Length: 1"], "PUT / HTTP/1.1")}x`, HEDGED],
    ["a route that does not say so", request(), {}],
  ])("is not sent for %s", async (_, text, policy) => {
    const { world } = await slow(text, policy);
    expect(asked(world)).toEqual([EAST]);
  });

  test("is not sent when an answer has come, and leaves no timer", async () => {
    const world = proxyWorld({}, THREE_TIERS, HEDGED);
    const client = await ask(world);
    await world.attempts[0]!.say(response("hello"));
    await client.break();
    await world.clock.advance(timeouts.keepAlive);
    expect([asked(world), world.clock.pending()]).toEqual([[EAST], 0]);
  });

  test("goes with its client", async () => {
    const { world, client } = await slow();
    await client.break();
    expect(world.proxy.connections()).toEqual({ clients: 0, open: 0, idle: 0 });
  });
});
