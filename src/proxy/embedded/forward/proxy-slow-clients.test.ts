/** Clients that say no more, or read late: what is theirs still comes, whole. */
import { describe, expect, test } from "vitest";
import { proxyWorld, request, response, settle } from "../../../../test/support/http1/proxy-world.ts";

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
