/** Clients that say no more, or read late: what is theirs still comes, whole. */
import { describe, expect, test } from "vitest";
import { ask, proxyWorld, request, response, settle } from "../../../../test/support/http1/proxy-world.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const { timeouts } = PROXY_SETTINGS;
const LATER = 250;

describe("a client that has said its last", () => {
  const LONG = response("x".repeat(60_000));

  test.each(["", "\r\n", "GET / HTT"])("behind its request %j: it gets the response though it reads late", async (behind) => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    client.stopReading();
    await client.say(request() + behind);
    await client.end();
    await attempts[0]!.say(LONG);
    await client.readOn();
    expect(client.got().length).toBe(LONG.length);
    expect([client.hasEnded(), client.isClosed()]).toEqual([true, true]);
  });

  test("in the middle of a body whose response has begun: it gets the rest of that", async () => {
    const { openClient, attempts, proxy } = proxyWorld();
    const client = openClient();
    await client.say(`${request(["Content-Length: 10"], "POST / HTTP/1.1")}hello`);
    await attempts[0]!.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nthis ");
    await client.end();
    await attempts[0]!.say("is no");
    expect(client.got()).toMatch(/this is no$/);
    expect([client.isClosed(), proxy.connections().open]).toEqual([true, 0]);
  });
});

describe("a client that reads late", () => {
  test("gets interim responses, and what comes behind them", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    client.stopReading();
    await client.say(request());
    const hints = `HTTP/1.1 103 Early Hints\r\nLink: <${"x".repeat(10_000)}>\r\n\r\n`;
    for (let i = 0; i < 20; i++) await attempts[0]!.say(hints);
    await client.readOn();
    for (let i = 0; i < 20; i++) await settle();
    await attempts[0]!.say(response("hello"));
    expect(client.got().endsWith("\r\n\r\nhello")).toBe(true);
  });
});

describe("a client that neither reads nor is read", () => {
  test("is closed when its own time is up: its endpoint may wait for it", async () => {
    const told: string[] = [];
    const world = proxyWorld({}, undefined, {}, { attempt: (_, result) => told.push(result), request: () => {} });
    const { attempts, clock } = world;
    const client = await ask(world, request(["Content-Length: 10000000"], "POST / HTTP/1.1"));
    const piece = "x".repeat(16 << 10);
    await attempts[0]!.say(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * piece.length}\r\n\r\n`);
    client.stopReading();
    attempts[0]!.stopReading();
    for (let i = 0; i < 20; i++) await attempts[0]!.say(piece);
    for (let i = 0; i < 20; i++) await client.say(piece);
    await clock.advance(timeouts.client - 1000);
    expect(client.isClosed()).toBe(false);
    await clock.advance(1000 + LATER);
    expect([client.isClosed(), attempts[0]!.isClosed(), told]).toEqual([true, true, []]);
  });
});
