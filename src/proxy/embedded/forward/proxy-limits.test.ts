import { describe, expect, test } from "vitest";
import { NO_PATIENCE, proxyWorld, request, response, settle } from "../../../../test/support/http1/proxy-world.ts";
import { ms } from "../../../model/units.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const { timeouts, pool } = PROXY_SETTINGS;
const statusOf = (text: string): string => text.slice(9, 12);
const LATER = 250;

describe("time", () => {
  test("a head that does not end: 408, however it drips", async () => {
    const { openClient, clock } = proxyWorld();
    const client = openClient();
    for (let waited = 0; waited < timeouts.head; waited += 1000) {
      await client.say("G".repeat(waited === 0 ? 1 : 0) + (waited === 1000 ? "ET / HTTP/1.1\r\nA: " : "a").slice(waited === 0 ? 1 : 0));
      await clock.advance(1000);
    }
    await clock.advance(LATER);
    expect(statusOf(client.got())).toBe("408");
    expect(client.hasEnded()).toBe(true);
    await clock.advance(timeouts.linger + LATER);
    expect(client.isClosed()).toBe(true);
  });

  test("a client that says nothing is closed without a word", async () => {
    const { openClient, clock } = proxyWorld();
    const client = openClient();
    await clock.advance(timeouts.head + LATER);
    expect([client.got(), client.isClosed()]).toEqual(["", true]);
  });

  test("an idle connection is closed, on both sides", async () => {
    const { openClient, attempts, clock, proxy } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await attempts[0]!.say(response("hello"));
    await clock.advance(pool.idleTime + LATER);
    expect(attempts[0]!.isClosed()).toBe(true);
    expect(client.isClosed()).toBe(false);
    await clock.advance(timeouts.keepAlive);
    expect(client.isClosed()).toBe(true);
    expect(proxy.connections()).toEqual({ clients: 0, open: 0, idle: 0 });
    expect(clock.pending()).toBe(0);
  });

  test("a body that does not go on: 408, and the endpoint's connection is cut", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(`${request(["Content-Length: 10"], "POST / HTTP/1.1")}hello`);
    await clock.advance(timeouts.client + LATER);
    expect(statusOf(client.got())).toBe("408");
    expect(attempts[0]!.isClosed()).toBe(true);
  });

  test("an endpoint that does not answer a POST: 504, and no other is bothered", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(request([], "POST / HTTP/1.1"));
    await clock.advance(timeouts.response + LATER);
    expect(statusOf(client.got())).toBe("504");
    expect(attempts).toHaveLength(1);
  });

  test("a response that does not go on is cut, not ended", async () => {
    const { openClient, attempts, clock, proxy } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await attempts[0]!.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await clock.advance(timeouts.responseBody + LATER);
    expect(client.got()).not.toContain("0\r\n\r\n");
    expect([client.isClosed(), attempts[0]!.isClosed(), proxy.counters.cutResponses]).toEqual([true, true, 1]);
  });

  test("a response that goes on slowly is not", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await attempts[0]!.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let i = 0; i < 5; i++) {
      await clock.advance(timeouts.responseBody - 1000);
      await attempts[0]!.say("1\r\nx\r\n");
    }
    await attempts[0]!.say("0\r\n\r\n");
    expect(client.got()).toMatch(/x\r\n0\r\n\r\n$/);
  });
});

describe("whoever does not keep up", () => {
  test("a client that does not read stops its endpoint, and is cut when it never does", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(request());
    client.stopReading();
    const piece = "x".repeat(16 << 10);
    await attempts[0]!.say(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * piece.length}\r\n\r\n`);
    for (let i = 0; i < 99; i++) await attempts[0]!.say(piece);
    await client.readOn();
    for (let i = 0; i < 20; i++) await settle();
    expect(client.got().length).toBeGreaterThan(99 * piece.length);
    client.stopReading();
    const second = openClient();
    await second.say(request());
    second.stopReading();
    await attempts[1]!.say(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * piece.length}\r\n\r\n`);
    for (let i = 0; i < 99; i++) await attempts[1]!.say(piece);
    await clock.advance(timeouts.client + LATER);
    expect([second.isClosed(), attempts[1]!.isClosed()]).toEqual([true, true]);
  });

  test("the last response of a connection is not cut off by its close", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(request(["Connection: close"]));
    client.stopReading();
    await attempts[0]!.say(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`5000\r\n${"x".repeat(0x5000)}\r\n`.repeat(5)}0\r\n\r\n`,
    );
    await client.end();
    await clock.advance(timeouts.linger + LATER);
    await client.readOn();
    await settle();
    expect(client.got()).toMatch(/x\r\n0\r\n\r\n$/);
    expect(client.isClosed()).toBe(true);
  });

  test("one client more than there may be is closed", async () => {
    const { openClient, proxy } = proxyWorld({ clients: 1 });
    const [first, second] = [openClient(), openClient()];
    await settle();
    expect([first.isClosed(), second.isClosed(), proxy.connections().clients]).toEqual([false, true, 1]);
  });

  test("an endpoint that does not read stops its client", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    const piece = "x".repeat(16 << 10);
    await client.say(request([`Content-Length: ${100 * piece.length}`], "POST / HTTP/1.1"));
    attempts[0]!.stopReading();
    for (let i = 0; i < 50; i++) await client.say(piece);
    expect(attempts[0]!.got().length).toBeLessThan(10 * piece.length);
    await clock.advance(timeouts.client + LATER); // it is not the client that is slow
    expect(client.got()).toBe("");
    await attempts[0]!.readOn();
    for (let i = 0; i < 50; i++) await client.say(piece);
    for (let i = 0; i < 20; i++) await settle();
    expect(attempts[0]!.got().length).toBeGreaterThan(100 * piece.length);
    await attempts[0]!.say(response("done"));
    expect(client.got()).toMatch(/done$/);
  });

  test("a client that goes takes its endpoint's connection with it", async () => {
    const { openClient, attempts, proxy } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await client.break();
    expect(attempts[0]!.isClosed()).toBe(true);
    expect(proxy.connections()).toEqual({ clients: 0, open: 0, idle: 0 });
  });
});

describe("answers of our own", () => {
  const cases: readonly { name: string; says: string; status: string }[] = [
    { name: "a fault in the head", says: request(["A : b"]), status: "400" },
    {
      name: "a fault in the body, before anybody is asked",
      says: `${request(["Transfer-Encoding: chunked"], "POST / HTTP/1.1")}x`,
      status: "400",
    },
    { name: "a target too long", says: request([], `GET /${"a".repeat(9000)} HTTP/1.1`), status: "414" },
    { name: "fields too large", says: request([`A: ${"a".repeat(17_000)}`]), status: "431" },
    { name: "a method nobody knows", says: request([], "BREW / HTTP/1.1"), status: "501" },
    { name: "a body too large", says: request(["Content-Length: 1001"], "POST / HTTP/1.1"), status: "413" },
    {
      name: "chunks too large",
      says: `${request(["Transfer-Encoding: chunked"], "POST / HTTP/1.1")}3e9\r\n${"x".repeat(1001)}`,
      status: "413",
    },
    { name: "a host nobody routes", says: "GET / HTTP/1.1\r\nHost: other.example.org\r\n\r\n", status: "404" },
    { name: "no host at all", says: "GET / HTTP/1.0\r\n\r\n", status: "404" },
  ];
  test.each(cases)("$name: $status", async ({ says, status }) => {
    const { openClient, attempts, proxy } = proxyWorld({ maxBody: 1000 });
    const client = openClient();
    await client.say(says);
    expect(statusOf(client.got())).toBe(status);
    expect(attempts).toHaveLength(0);
    expect([...proxy.counters.ownAnswers]).toEqual([[Number(status), 1]]);
  });

  test("a fault in a body that has been passed on in part: 400, and the endpoint's connection is cut", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(`${request(["Transfer-Encoding: chunked"], "POST / HTTP/1.1")}5\r\nhello\r\n`);
    await client.say(`0x\r\n\r\n${request()}`);
    expect(client.got().match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 400"]);
    expect([attempts[0]!.isClosed(), attempts[0]!.got().includes("0\r\n\r\n")]).toEqual([true, false]);
  });

  const broken: readonly { name: string; says: string }[] = [
    { name: "no HTTP", says: "SSH-2.0-OpenSSH\r\n" },
    { name: "a length and chunks", says: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" },
    {
      name: "a switch of protocols that nobody asked for",
      says: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    },
  ];
  test.each(broken)("the endpoint says $name: 502", async ({ says }) => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(request([], "POST / HTTP/1.1"));
    await attempts[0]!.say(says);
    expect(statusOf(client.got())).toBe("502");
    expect(attempts[0]!.isClosed()).toBe(true);
  });

  test("what comes behind a response, or without a request, ends the endpoint's connection", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await attempts[0]!.say(response("hello") + response("poison"));
    expect(client.got()).toMatch(/hello$/);
    expect(attempts[0]!.isClosed()).toBe(true);
    await client.say(request());
    await attempts[1]!.say(response("hello"));
    await attempts[1]!.say(response("poison"));
    expect(attempts[1]!.isClosed()).toBe(true);
    expect(client.got()).not.toContain("poison");
  });
});

describe("upgrades", () => {
  const ask = request(["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x"]);
  const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  test("both speak through us, what was sent early too, and each end closes the other", async () => {
    const { openClient, attempts, proxy } = proxyWorld();
    const client = openClient();
    await client.say(`${ask}early`);
    await attempts[0]!.say(`${switched}hello`);
    expect(client.got()).toBe(`${switched}hello`);
    await client.say("ping");
    expect(attempts[0]!.got()).toMatch(/Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearlyping$/);
    await attempts[0]!.end();
    expect(client.hasEnded()).toBe(true);
    await client.end();
    expect(proxy.connections()).toEqual({ clients: 0, open: 0, idle: 0 });
    expect(proxy.counters.upgrades).toBe(1);
  });

  test("refused, the connection goes on as before", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(ask);
    await attempts[0]!.say(response("no", [], "400 Bad Request"));
    await client.say(request([], "GET /next HTTP/1.1"));
    expect(attempts[0]!.got()).toContain("GET /next");
  });

  test("a silent tunnel is closed in the end", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(ask);
    await attempts[0]!.say(switched);
    await clock.advance(timeouts.tunnel - 1000);
    await client.say("ping");
    await clock.advance(timeouts.tunnel - 1000);
    expect(client.isClosed()).toBe(false);
    await clock.advance(1000 + LATER);
    expect([client.isClosed(), attempts[0]!.isClosed()]).toEqual([true, true]);
  });
});

describe("a half-closed tunnel", () => {
  test("does not last", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(request(["Connection: Upgrade", "Upgrade: websocket"]));
    await attempts[0]!.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await client.end();
    expect(attempts[0]!.hasEnded()).toBe(true);
    await attempts[0]!.say("bye");
    expect(client.got()).toMatch(/bye$/);
    await clock.advance(timeouts.client + LATER);
    expect([client.isClosed(), attempts[0]!.isClosed()]).toEqual([true, true]);
  });
});

describe("closing", () => {
  test("idle connections end at once, others with their response, which says so", async () => {
    const { openClient, attempts, proxy } = proxyWorld();
    const [idle, busy] = [openClient(), openClient()];
    await idle.say(request());
    await attempts[0]!.say(response("hello"));
    await busy.say(request());
    const closed = proxy.close(ms(10_000));
    await settle();
    expect([idle.hasEnded(), busy.hasEnded()]).toEqual([true, false]);
    await idle.end();
    await attempts[0]!.say(response("last"));
    expect(busy.got()).toMatch(/Connection: close\r\n\r\nlast$/);
    await busy.end();
    await closed;
    expect(proxy.connections()).toEqual({ clients: 0, open: 0, idle: 0 });
  });

  test("whoever takes longer than patience lasts is cut", async () => {
    const { openClient, attempts, proxy, clock } = proxyWorld();
    const client = openClient();
    await client.say(request());
    const closed = proxy.close(NO_PATIENCE);
    await clock.advance(LATER);
    await closed;
    expect([client.isClosed(), attempts[0]!.isClosed()]).toEqual([true, true]);
  });
});
