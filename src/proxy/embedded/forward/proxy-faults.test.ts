/** What becomes of a request when an endpoint fails it. */
import { describe, expect, test } from "vitest";
import { BUSY, POST, THREE_TIERS } from "../../../../test/support/http1/proxy-faults.ts";
import {
  type Attempt,
  ask,
  asked,
  EAST,
  type FarEnd,
  type ProxyWorld,
  proxyWorld,
  request,
  response,
  settle,
  statusOf,
  WEST,
} from "../../../../test/support/http1/proxy-world.ts";
import { HTTP_DEFAULTS } from "../../../model/to-http.ts";
import { ms } from "../../../model/units.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const { timeouts, ejection } = PROXY_SETTINGS;
const { backendRequest } = HTTP_DEFAULTS.timeouts;
const LATER = 250;
/** Each attempt has a connection of its own. */
const NO_IDLE = { pool: { ...PROXY_SETTINGS.pool, idle: 0 } };

describe("an endpoint that does not begin to answer", () => {
  test("is left for the next one, and the last one is waited for longer", async () => {
    const world = proxyWorld();
    const client = await ask(world);
    await world.clock.advance(backendRequest + LATER);
    expect(asked(world)).toEqual([EAST, WEST]);
    expect(world.attempts[0]!.isClosed()).toBe(true);
    await world.clock.advance(timeouts.response - 1000);
    await world.attempts[1]!.say(response("hello"));
    expect(client.got()).toMatch(/hello$/);
  });

  test("like all others: 504", async () => {
    const world = proxyWorld();
    const client = await ask(world);
    await world.clock.advance(backendRequest + timeouts.response + 3 * LATER);
    expect([statusOf(client), asked(world)]).toEqual(["504", [EAST, WEST]]);
  });

  test("is waited for as long as the route says, even if that is long", async () => {
    const policy = { timeouts: { request: ms(0), backendRequest: ms(120_000) } };
    for (const text of [request(), POST]) {
      const world = proxyWorld({}, undefined, policy);
      const client = await ask(world, text);
      await world.clock.advance(119_000);
      await world.attempts[0]!.say(response("hello"));
      expect([statusOf(client), asked(world)]).toEqual(["200", [EAST]]);
    }
  });

  test("is not left by a POST, nor by a request that has begun to be answered", async () => {
    const world = proxyWorld();
    await ask(world, POST);
    await ask(world);
    await world.attempts[1]!.say("HTTP/1.1 20");
    await world.clock.advance(backendRequest + LATER);
    expect(asked(world)).toEqual([EAST, EAST]);
  });
});

describe("a status that the route names", () => {
  test("brings the request to the next endpoint; the connection is used again", async () => {
    const world = proxyWorld();
    const client = await ask(world, `${request(["Content-Length: 5"], "PUT / HTTP/1.1")}hello`);
    await world.attempts[0]!.say(BUSY.slice(0, -2)); // its last two bytes come later
    expect(world.attempts[1]!.got()).toMatch(/hello$/);
    await world.attempts[1]!.say(response("done"));
    expect(client.got()).toBe(response("done"));
    await world.attempts[0]!.say("sy");
    expect(world.proxy.connections()).toEqual({ clients: 1, open: 2, idle: 2 });
  });

  test("of everybody: the last response is passed on as it is", async () => {
    const world = proxyWorld();
    const client = await ask(world);
    await world.attempts[0]!.say(BUSY);
    const last = response("too busy", ["Retry-After: 9"], "503 Very Busy");
    for (const byte of last) await world.attempts[1]!.say(byte);
    expect(client.got()).toMatch(/^HTTP\/1\.1 503 Very Busy\r\nRetry-After: 9\r\n(?:.|\r|\n)*too busy$/);
    expect(asked(world)).toEqual([EAST, WEST]);
  });

  test.each([
    ["refuses", async (attempt: Attempt) => attempt.refuse()],
    [
      "breaks",
      async (attempt: Attempt) => {
        await attempt.accept();
        await attempt.break();
      },
    ],
  ])("and then somebody who %s: the response that there was is passed on", async (_, fail) => {
    const world = proxyWorld();
    const client = await ask(world);
    world.acceptAll(false);
    await world.attempts[0]!.say(response("busy", ["Connection: close"], "503 Service Unavailable"));
    await world.attempts[0]!.end();
    await fail(world.attempts[1]!);
    await settle();
    expect(client.got()).toBe(BUSY);
  });

  test("breaks off while somebody else is asked, in vain: 502", async () => {
    const world = proxyWorld();
    const client = await ask(world);
    await world.attempts[0]!.say(BUSY.slice(0, -2));
    await world.attempts[0]!.break();
    await world.attempts[1]!.break();
    expect(statusOf(client)).toBe("502");
  });

  test("with a body that goes on and on costs the connection", async () => {
    const world = proxyWorld();
    const client = await ask(world);
    await world.attempts[0]!.say("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    await world.attempts[1]!.say(response("hello"));
    for (let i = 0; i < 9; i++) await world.attempts[0]!.say(`2000\r\n${"x".repeat(0x2000)}\r\n`);
    expect([statusOf(client), world.attempts[0]!.isClosed()]).toEqual(["200", true]);
  });

  const passed: readonly { name: string; says: string; policy?: Partial<typeof HTTP_DEFAULTS>; status?: string }[] = [
    { name: "to a POST", says: POST },
    { name: "to a body that is on its way", says: `${request(["Content-Length: 10"], "PUT / HTTP/1.1")}hello` },
    { name: "with no attempts after the first", says: request(), policy: { retry: { attempts: 0, codes: [503] } } },
    { name: "that the route does not name", says: request(), status: "500" },
  ];
  test.each(passed)("$name is passed on", async ({ says, policy = {}, status = "503" }) => {
    const world = proxyWorld({}, undefined, policy);
    const client = await ask(world, says);
    await world.attempts[0]!.say(response("no", [], `${status} No`));
    expect([statusOf(client), asked(world)]).toEqual([status, [EAST]]);
  });
});

test.each([
  ["bytes", `HTTP/1.1 302 Found\r\nLocation: ${"x".repeat(17_000)}\r\n\r\n`],
  ["fields", response("hello", Array(101).fill("Set-Cookie: a=b"))],
])("a response whose head has more %s than we take: 502; nobody else is asked, and the endpoint has answered", async (_, says) => {
  const told: string[] = [];
  const world = proxyWorld({}, undefined, {}, { attempt: (_, result) => told.push(result), request: () => {} });
  for (let i = 0; i <= ejection.failures; i++) {
    const client = await ask(world);
    await world.attempts[i]!.say(says);
    expect(client.got()).toMatch(/^HTTP\/1\.1 502 (?:.|\r|\n)*too large\.\n$/);
  }
  expect(new Set(asked(world))).toEqual(new Set([EAST]));
  expect(new Set(told)).toEqual(new Set(["ok"]));
});

test("as many attempts as the route says", async () => {
  const world = proxyWorld({}, THREE_TIERS, { retry: { attempts: 1, codes: [] } });
  const client = await ask(world);
  for (const i of [0, 1]) await world.attempts[i]!.break();
  expect([statusOf(client), asked(world)]).toEqual(["502", [EAST, WEST]]);
});

describe("an endpoint that fails again and again", () => {
  async function eject(world: ProxyWorld): Promise<void> {
    for (let i = 0; i < ejection.failures; i++) {
      await ask(world);
      await world.attempts.at(-1)!.say(BUSY);
      await world.attempts.at(-1)!.say(response("west"));
    }
  }

  test("is asked last, then by one request a second, and first again when it has answered one", async () => {
    const world = proxyWorld(NO_IDLE);
    await eject(world);
    expect(asked(world).slice(-2)).toEqual([EAST, WEST]);
    await ask(world);
    expect(asked(world).slice(-1)).toEqual([WEST]);
    await world.attempts.at(-1)!.say(response("west"));
    await world.clock.advance(ejection.time + LATER);
    const trial = await ask(world);
    await ask(world);
    expect(asked(world).slice(-2)).toEqual([EAST, WEST]);
    await world.attempts.at(-2)!.say(response("hello"));
    expect(trial.got()).toMatch(/hello$/);
    await ask(world);
    expect(asked(world).slice(-1)).toEqual([EAST]);
  });

  test("is asked when all the others are so, too", async () => {
    const world = proxyWorld({}, () => [[EAST]]);
    for (let i = 0; i < 2 * ejection.failures; i++) expect(statusOf(await failing(world))).toBe("502");
    expect(asked(world)).toHaveLength(2 * ejection.failures);
  });

  async function failing(world: ProxyWorld): Promise<FarEnd> {
    const client = await ask(world);
    await world.attempts.at(-1)!.break();
    return client;
  }

  test("is not one whose responses have begun and are silent then", async () => {
    const world = proxyWorld();
    for (let i = 0; i <= ejection.failures; i++) {
      const client = await ask(world);
      await world.attempts[i]!.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
      await world.clock.advance(timeouts.responseBody + LATER);
      expect(client.isClosed()).toBe(true);
    }
    expect([world.proxy.ejections().total, world.proxy.counters.cutResponses]).toEqual([0, ejection.failures + 1]);
  });

  test("is left by those that wait there; not by POSTs", async () => {
    const world = proxyWorld(NO_IDLE);
    const waiting = await ask(world);
    await ask(world, POST);
    await eject(world);
    await world.clock.advance(LATER);
    await world.attempts.at(-1)!.say(response("west"));
    expect(waiting.got()).toMatch(/west$/);
    expect(world.attempts.slice(0, 2).map((one) => one.isClosed())).toEqual([true, false]);
  });
});

describe("an endpoint that a new table does not offer any more", () => {
  test("is left at once by those that wait there, within the budget for retries, and none is lost", async () => {
    let tiers = [[EAST], [WEST]];
    const world = proxyWorld({}, () => tiers);
    const clients = await Promise.all(Array.from({ length: 400 }, () => ask(world)));
    const posted = await ask(world, POST);
    const begun = await ask(world);
    await world.attempts.at(-1)!.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    tiers = [[WEST]];
    world.changeTable();
    for (let round = 0; round < 5; round++) {
      const before = world.attempts.length;
      await world.clock.advance(LATER);
      expect(world.attempts.length - before).toBeLessThanOrEqual(100);
      for (const attempt of world.attempts)
        if (attempt.endpoint === WEST && !attempt.got().includes("answered")) void attempt.say(response("west"));
      await settle();
    }
    expect(clients.filter((client) => !client.got().endsWith("west"))).toEqual([]);
    expect([posted.got(), statusOf(begun)]).toEqual(["", "200"]);
    expect(world.proxy.counters.retriesDenied).toBe(0);
  });

  test("is waited for when nobody else is offered", async () => {
    let tiers: ProxyEndpoint[][] = [[EAST], [WEST]];
    const world = proxyWorld({}, () => tiers);
    const client = await ask(world);
    tiers = [];
    world.changeTable();
    await world.clock.advance(LATER);
    await world.attempts[0]!.say(response("hello"));
    expect(client.got()).toMatch(/hello$/);
  });
});

test("more requests lose their connection than may be repeated at once: the rest wait a little, and none is lost", async () => {
  const world = proxyWorld();
  const clients = await Promise.all(Array.from({ length: 350 }, () => ask(world)));
  for (const attempt of [...world.attempts]) void attempt.break();
  for (let round = 0; round < 5; round++) {
    await settle();
    const silent = world.attempts.filter((one) => one.endpoint === WEST && !one.isClosed());
    expect(silent.length).toBeLessThanOrEqual(100 * (round + 1));
    for (const attempt of silent) if (attempt.news() !== "") void attempt.say(response("west"));
    await settle();
    await world.clock.advance(LATER);
  }
  expect(clients.filter((client) => !client.got().endsWith("west"))).toEqual([]);
  expect(world.proxy.counters.retriesDenied).toBe(250);
});

test("nobody answers: those that wait for the budget are told so after a while", async () => {
  const world = proxyWorld();
  const clients = await Promise.all(Array.from({ length: 150 }, () => ask(world)));
  for (const attempt of [...world.attempts]) void attempt.break();
  await settle();
  await world.clock.advance(timeouts.retry + LATER);
  const told = clients.filter((client) => statusOf(client) === "502");
  expect(told).toHaveLength(50);
});

describe("limits of a route", () => {
  test("a body: 413, before anybody is asked if its length is known", async () => {
    const world = proxyWorld({}, undefined, { limits: { bodyBytes: 4 } });
    expect(statusOf(await ask(world, request(["Content-Length: 5"], "PUT / HTTP/1.1")))).toBe("413");
    expect(asked(world)).toEqual([]);
    const chunked = await ask(world, `${request(["Transfer-Encoding: chunked"], "PUT / HTTP/1.1")}4\r\nhell\r\n`);
    await chunked.say("1\r\no\r\n0\r\n\r\n");
    expect([statusOf(chunked), world.attempts[0]!.isClosed()]).toEqual(["413", true]);
  });

  test("requests under way: 503, when to come back, and the connection stays", async () => {
    const world = proxyWorld({}, undefined, { limits: { concurrentRequests: 1 } });
    await ask(world);
    const second = await ask(world);
    expect(second.news()).toMatch(/^HTTP\/1\.1 503 (?:.|\r|\n)*\r\nRetry-After: 1\r\n(?!.*Connection: close)/);
    await world.attempts[0]!.say(response("hello"));
    await second.say(request());
    await world.attempts[0]!.say(response("hello"));
    expect(second.got()).toMatch(/hello$/);
  });

  test("the time of a request: 504, or cut if its response has begun", async () => {
    const world = proxyWorld({}, undefined, { timeouts: { request: ms(3000), backendRequest: ms(2000) } });
    const [silent, begun] = [await ask(world), await ask(world, POST)];
    await world.attempts[1]!.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    await world.clock.advance(3000 + LATER);
    expect([statusOf(silent), begun.isClosed(), statusOf(begun)]).toEqual(["504", true, "200"]);
    expect(world.proxy.connections().open).toBe(0);
  });
});

test("each attempt and each request is told once", async () => {
  const told: string[] = [];
  const world = proxyWorld(
    NO_IDLE,
    undefined,
    {},
    {
      attempt: ({ id }, result, seconds, status) => told.push(`${id} ${result} ${status} ${Math.round(seconds)}`),
      request: (host, status) => told.push(`${host} ${status}`),
    },
  );
  await ask(world);
  await world.attempts[0]!.say(BUSY);
  await world.attempts[1]!.say(response("hello"));
  expect(told.splice(0)).toEqual(["east status 503 0", "west ok 200 0", "shop.example.org 200"]);
  await ask(world);
  await world.clock.advance(backendRequest + LATER);
  await world.attempts.at(-1)!.break();
  expect(told.splice(0)).toEqual(["east timeout 0 10", "west reset 0 0", "shop.example.org 502"]);
  const client = await ask(world);
  await client.break();
  expect(told.splice(0)).toEqual(["shop.example.org 0"]);
});
