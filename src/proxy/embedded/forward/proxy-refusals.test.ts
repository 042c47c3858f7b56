/** What those get who ask again and again for what is refused. */
import { expect, test } from "vitest";
import { proxyWorld, request, response, settle, statusOf } from "../../../../test/support/http1/proxy-world.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const { timeouts } = PROXY_SETTINGS;
const LATER = 250;
const BAD = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
const always = { onFault: () => true };
const never = { onFault: () => false };

test("an answer that is to wait waits, and is given then", async () => {
  const { openClient, clock, proxy } = proxyWorld();
  const client = openClient(always);
  await client.say(BAD);
  await clock.advance(timeouts.tarpit - LATER);
  expect([client.got(), client.hasEnded()]).toEqual(["", false]);
  await clock.advance(2 * LATER);
  expect([statusOf(client), client.hasEnded()]).toEqual(["400", true]);
  expect(proxy.counters.ownAnswers).toEqual(new Map([[400, 1]]));
  await clock.advance(timeouts.linger + LATER);
  expect([client.isClosed(), clock.pending()]).toEqual([true, 0]);
});

test("a body that grows too large while it is passed on waits too, and its endpoint does not", async () => {
  const { openClient, attempts, clock } = proxyWorld({ maxBody: 10 });
  const client = openClient(always);
  await client.say(`${request(["Transfer-Encoding: chunked"], "POST / HTTP/1.1")}5\r\nhello\r\n`);
  await client.say("6\r\n world\r\n");
  expect([client.got(), attempts[0]!.isClosed()]).toEqual(["", true]);
  await clock.advance(timeouts.tarpit + LATER);
  expect(statusOf(client)).toBe("413");
});

test("what has been read of a request counts, and what was before it does not", async () => {
  const { openClient, attempts } = proxyWorld({ maxBody: 200_000 });
  const counts: number[] = [];
  const client = openClient({ onFault: (count) => counts.push(count) < 0 });
  const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
  const start = request(["Transfer-Encoding: chunked"], "POST / HTTP/1.1");
  await client.say(`${start}${chunk.repeat(5)}0\r\n\r\n`);
  await attempts[0]!.say(response("hello"));
  await client.say(start + chunk.repeat(7));
  expect(client.got()).toMatch(/hello[\s\S]* 413 /);
  expect(counts).toEqual([4]); // 229,500 bytes and a little
  const other = openClient({ onFault: (count) => counts.push(count) < 0 });
  await other.say(BAD);
  expect(counts).toEqual([4, 1]);
});

test("an upload that stalls is one fault, however much of it has come", async () => {
  const { openClient, clock } = proxyWorld();
  const counts: number[] = [];
  const client = openClient({ onFault: (count) => counts.push(count) < 0 });
  await client.say(request(["Content-Length: 1000000"], "PUT / HTTP/1.1") + "x".repeat(300_000));
  await clock.advance(timeouts.client + LATER);
  expect([statusOf(client), counts]).toEqual(["408", [1]]);
});

test.each([
  { name: "a client within its allowance", facts: never, asked: BAD, status: "400" },
  { name: "a host without a route, which is nobody's fault", facts: always, asked: "GET / HTTP/1.1\r\nHost: other\r\n\r\n", status: "404" },
])("$name is answered at once", async ({ facts, asked, status }) => {
  const { openClient } = proxyWorld();
  const client = openClient(facts);
  await client.say(asked);
  expect(statusOf(client)).toBe(status);
});

test("requests before the bad one are answered at once", async () => {
  const { openClient, attempts, clock } = proxyWorld();
  const client = openClient(always);
  await client.say(request() + BAD);
  await attempts[0]!.say(response("hello"));
  expect(client.news()).toContain("hello");
  await clock.advance(timeouts.tarpit + LATER);
  expect(client.news()).toContain("400");
});

test("a proxy that is to end does not wait", async () => {
  const { openClient, proxy } = proxyWorld();
  const client = openClient(always);
  await client.say(BAD);
  void proxy.close(timeouts.linger);
  await settle();
  expect(statusOf(client)).toBe("400");
});

test("a client that leaves meanwhile leaves nothing behind", async () => {
  const { openClient, proxy, clock } = proxyWorld();
  const client = openClient(always);
  await client.say(BAD);
  await client.break();
  expect(proxy.connections().clients).toBe(0);
  await clock.advance(timeouts.tarpit);
  expect(clock.pending()).toBe(0);
});

test("what follows a refused request is dropped up to a bound, then not read", async () => {
  const { openClient, clock } = proxyWorld();
  const client = openClient(never);
  await client.say(BAD);
  expect(statusOf(client)).toBe("400");
  const piece = "x".repeat(16 << 10);
  for (let i = 0; i < 12; i++) await client.say(piece);
  expect(client.unread()).toBe(0);
  for (let i = 0; i < 52; i++) await client.say(piece);
  expect(client.unread()).toBeGreaterThan(32 * piece.length);
  await clock.advance(timeouts.linger + LATER);
  expect(client.isClosed()).toBe(true);
});
