/** A request does not leave what it has for an endpoint that has no connection for it. */
import { expect, test } from "vitest";
import { BUSY } from "../../../../test/support/http1/proxy-faults.ts";
import { ask, asked, EAST, FAR, proxyWorld, response, WEST } from "../../../../test/support/http1/proxy-world.ts";
import { HTTP_DEFAULTS } from "../../../model/to-http.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const ONE_EACH = { pool: { ...PROXY_SETTINGS.pool, connections: 1 } };
const LATER = 250;

/** EAST and WEST have the only request that they may have; the first client waits at EAST. */
async function fullWorld(tiers: readonly (readonly ProxyEndpoint[])[] = [[EAST], [WEST]]) {
  let offered = tiers;
  const world = proxyWorld(ONE_EACH, () => offered);
  const first = await ask(world);
  const second = await ask(world);
  expect(asked(world)).toEqual([EAST, WEST]);
  const offer = (...now: readonly (readonly ProxyEndpoint[])[]): void => {
    offered = now;
    world.changeTable();
  };
  return { world, first, second, offer };
}

test("503, and the next endpoint is full: the response is passed on as it is", async () => {
  const { world, first, second } = await fullWorld();
  await world.attempts[0]!.say(BUSY);
  expect(first.got()).toBe(BUSY);
  expect(world.proxy.connections()).toEqual({ clients: 2, open: 2, idle: 1 });
  await world.attempts[1]!.say(response("west"));
  expect(second.got()).toMatch(/west$/);
});

test("503, and the next endpoint is full: the one behind it is asked", async () => {
  const { world, first } = await fullWorld([[EAST], [WEST], [FAR]]);
  await world.attempts[0]!.say(BUSY);
  expect(asked(world)).toEqual([EAST, WEST, FAR]);
  await world.attempts[2]!.say(response("far"));
  expect(first.got()).toBe(response("far"));
});

test("an endpoint that is offered no more is waited for while the other is full, and its answer is passed on", async () => {
  const { world, first, offer } = await fullWorld();
  offer([WEST]);
  await world.clock.advance(LATER);
  expect([first.got(), world.attempts[0]!.isClosed()]).toEqual(["", false]);
  await world.attempts[0]!.say(response("east"));
  expect(first.got()).toMatch(/east$/);
});

test("an endpoint that is late is waited for while the other is full, and left once that has a connection", async () => {
  const { world, first, second } = await fullWorld();
  await world.clock.advance(HTTP_DEFAULTS.timeouts.backendRequest + LATER);
  expect([first.got(), second.got()]).toEqual(["", ""]);
  await world.attempts[1]!.say(response("west"));
  await world.clock.advance(2 * LATER);
  await world.attempts[1]!.say(response("west"));
  expect([first, second].map((client) => client.got().slice(-4))).toEqual(["west", "west"]);
});
