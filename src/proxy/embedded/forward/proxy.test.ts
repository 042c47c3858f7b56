import { describe, expect, test } from "vitest";
import { EAST, PEER, proxyWorld, request, response, settle, WEST } from "../../../../test/support/http1/proxy-world.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const SENT = `X-Forwarded-For: ${PEER}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop.example.org\r\n`;
const { timeouts, pool } = PROXY_SETTINGS;
const statusOf = (text: string): string => text.slice(9, 12);

describe("a request and its response", () => {
  test("pass through, and both connections are used again", async () => {
    const { openClient, attempts, proxy } = proxyWorld();
    const client = openClient();
    await client.say(request());
    expect(attempts[0]!.news()).toBe(`GET / HTTP/1.1\r\nHost: shop.example.org\r\n${SENT}\r\n`);
    await attempts[0]!.say(response("hello"));
    expect(client.news()).toBe("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    await client.say(request([], "HEAD /a HTTP/1.1"));
    expect(attempts[0]!.news()).toMatch(/^HEAD \/a /);
    await attempts[0]!.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    expect(client.news()).toBe("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    expect(attempts).toHaveLength(1);
    expect(proxy.connections()).toEqual({ clients: 1, open: 1, idle: 1 });
  });

  test("that come byte by byte pass through", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    for (const byte of request(["Content-Length: 5"], "POST / HTTP/1.1").concat("hello")) await client.say(byte);
    expect(attempts[0]!.news()).toMatch(/Content-Length: 5\r\n\r\nhello$/);
    for (const byte of "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n")
      await attempts[0]!.say(byte);
    expect(client.news()).toBe(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
    );
  });

  test("pipelined requests are answered one after another", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(
      `${request([], "GET /1 HTTP/1.1")}${request(["Content-Length: 1"], "POST /2 HTTP/1.1")}x${request([], "GET /3 HTTP/1.1")}`,
    );
    for (const body of ["one", "two", "three"]) {
      expect(attempts[0]!.news()).toMatch(/^(GET|POST) \/\d /);
      await attempts[0]!.say(response(body));
      expect(client.news()).toContain(`\r\n\r\n${body}`);
    }
    expect(attempts).toHaveLength(1);
  });

  test("ten thousand pipelined requests that we answer ourselves need no stack", async () => {
    const { openClient } = proxyWorld();
    const client = openClient();
    const ask = "GET / HTTP/1.1\r\nHost: other.example.org\r\n\r\n";
    await client.say(ask.repeat(10_000));
    for (let turn = 0; turn < 400; turn++) await settle();
    expect(client.got().match(/^HTTP\/1\.1 404/gm)).toHaveLength(10_000);
  });

  test("a body in chunks is chunked anew", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(`${request(["Transfer-Encoding: chunked"], "POST / HTTP/1.1")}005;x\r\nhello\r\n`);
    await client.say("1\r\n!\r\n0\r\nA: dropped\r\n\r\n");
    expect(attempts[0]!.got()).toMatch(/Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n$/);
  });

  test("a response until the connection closes becomes chunks; to HTTP/1.0 it stays what it is", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await attempts[0]!.say("HTTP/1.0 200 OK\r\n\r\nhello");
    await attempts[0]!.end();
    expect(client.got()).toBe("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    const old = openClient();
    await old.say(request(["Connection: keep-alive"], "GET / HTTP/1.0"));
    await attempts[1]!.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    expect(old.got()).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
    expect(old.hasEnded()).toBe(true);
  });

  test("interim responses: 103 passes, 100 is ours to say, HTTP/1.0 gets none", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(request(["Expect: 100-continue", "Content-Length: 5"], "PUT / HTTP/1.1"));
    expect(client.news()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    await client.say("hello");
    await attempts[0]!.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    await attempts[0]!.say(response("done"));
    expect(client.news()).toBe("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    const old = openClient();
    await old.say(request([], "GET / HTTP/1.0"));
    await attempts[0]!.say(`HTTP/1.1 103 Early Hints\r\n\r\n${response("done")}`);
    expect(old.got()).toBe("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone");
  });

  test("a client that says no more after its request is answered", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await client.end();
    await attempts[0]!.say(response("hello"));
    expect(client.got()).toMatch(/hello$/);
    expect(client.isClosed()).toBe(true);
  });

  test("a response before the end of the request's body is the last one", async () => {
    const { openClient, attempts, proxy } = proxyWorld();
    const client = openClient();
    await client.say(`${request(["Content-Length: 10"], "POST / HTTP/1.1")}hello`);
    await attempts[0]!.say(response("no", [], "403 Forbidden"));
    expect(client.got()).toBe("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    expect([client.hasEnded(), attempts[0]!.isClosed(), proxy.connections().open]).toEqual([true, true, 0]);
  });
});

test("who is asked where a request goes learns the host and the client behind trusted proxies", async () => {
  const asked: string[][] = [];
  const forwarded = { ...PROXY_SETTINGS.forwarded, trustedHops: 1 };
  const { openClient } = proxyWorld({ forwarded }, (host, client) => {
    asked.push([host, client]);
    return undefined;
  });
  const client = openClient();
  await client.say("GET http://SHOP.example.org.:8080/ HTTP/1.1\r\nHost: shop.example.org.:8080\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
  await client.say("GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\nGET / HTTP/1.0\r\n\r\n");
  expect(asked).toEqual([
    ["shop.example.org", "203.0.113.9"],
    ["[2001:db8::1]", PEER],
    ["", PEER],
  ]);
});

describe("another endpoint", () => {
  test("when the connection is refused, whatever the method", async () => {
    const { openClient, attempts, acceptAll, proxy } = proxyWorld();
    acceptAll(false);
    const client = openClient();
    await client.say(`${request(["Content-Length: 5"], "POST / HTTP/1.1")}hello`);
    await attempts[0]!.refuse();
    await attempts[1]!.accept();
    expect(attempts.map((one) => one.endpoint)).toEqual([EAST, WEST]);
    expect(attempts[1]!.got()).toMatch(/\r\n\r\nhello$/);
    await attempts[1]!.say(response("hello"));
    expect(statusOf(client.got())).toBe("200");
    expect(proxy.counters.retries).toBe(1);
  });

  test("when it does not come about in time", async () => {
    const { openClient, attempts, acceptAll, clock } = proxyWorld();
    acceptAll(false);
    const client = openClient();
    await client.say(request());
    await clock.advance(timeouts.connect + 250);
    await attempts[1]!.accept();
    await attempts[1]!.say(response("hello"));
    expect(statusOf(client.got())).toBe("200");
  });

  test("one that refused is asked last, for a while", async () => {
    const { openClient, attempts, acceptAll, clock } = proxyWorld();
    acceptAll(false);
    await openClient().say(request());
    await attempts[0]!.refuse();
    acceptAll(true);
    await openClient().say(request());
    await clock.advance(pool.shun + 250);
    await openClient().say(request());
    expect(attempts.map((one) => one.endpoint)).toEqual([EAST, WEST, WEST, EAST]);
  });

  test("one whose client did not wait is not to blame", async () => {
    const { openClient, attempts, acceptAll } = proxyWorld();
    acceptAll(false);
    const client = openClient();
    await client.say(request());
    await client.break();
    expect(attempts[0]!.isClosed()).toBe(true);
    await openClient().say(request());
    expect(attempts.map((one) => one.endpoint)).toEqual([EAST, EAST]);
  });

  test.each(["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 103 Early Hints\r\n\r\n"])(
    "when the connection breaks before a whole head has come, but for %j",
    async (said) => {
      const { openClient, attempts } = proxyWorld();
      const client = openClient();
      await client.say(request());
      if (said !== "") await attempts[0]!.say(said);
      await attempts[0]!.break();
      await attempts[1]!.say(response("hello"));
      expect(client.got()).toMatch(/HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n\r\nhello$/);
    },
  );

  test("when the connection breaks before a byte has come, and the request may be sent twice", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(`${request(["Transfer-Encoding: chunked"], "PUT / HTTP/1.1")}5\r\nhello\r\n0\r\n\r\n`);
    await attempts[0]!.break();
    expect(attempts[1]!.endpoint).toBe(WEST);
    expect(attempts[1]!.got()).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
    await attempts[1]!.say(response("hello"));
    expect(statusOf(client.got())).toBe("200");
  });

  const never: readonly { name: string; start: string; lines?: readonly string[]; body?: string; says?: string; status: string }[] = [
    { name: "a POST that was sent", start: "POST / HTTP/1.1", status: "502" },
    { name: "a POST of which something came back", start: "POST / HTTP/1.1", says: "HTTP/1.1 2", status: "502" },
    {
      name: "a body that is too large to be kept",
      start: "PUT / HTTP/1.1",
      lines: ["Content-Length: 70000"],
      body: "x".repeat(70_000),
      status: "502",
    },
  ];
  test.each(never)("never for $name", async ({ start, lines = [], body = "", says, status }) => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(request(lines, start) + body);
    if (says !== undefined) await attempts[0]!.say(says);
    await attempts[0]!.break();
    expect(statusOf(client.got())).toBe(status);
    expect(attempts).toHaveLength(1);
  });

  test("a connection that died while it was idle is replaced, at the same endpoint", async () => {
    const { openClient, attempts } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await attempts[0]!.say(response("one"));
    await client.say(request());
    await attempts[0]!.break();
    expect(attempts.map((one) => one.endpoint)).toEqual([EAST, EAST]);
    await attempts[1]!.say(response("two"));
    expect(client.got()).toMatch(/two$/);
  });

  test("a POST gets no connection that has been idle for long", async () => {
    const { openClient, attempts, clock } = proxyWorld();
    const client = openClient();
    await client.say(request());
    await attempts[0]!.say(response("one"));
    await clock.advance(pool.freshTime + 250);
    await client.say(request([], "POST / HTTP/1.1"));
    expect(attempts).toHaveLength(2);
  });

  test("all refuse: 503; the client's connection stays", async () => {
    const { openClient, attempts, acceptAll } = proxyWorld();
    acceptAll(false);
    const client = openClient();
    await client.say(request());
    await attempts[0]!.refuse();
    await attempts[1]!.refuse();
    expect(client.news()).toBe(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 44\r\n\r\nNo endpoint of this host can be reached.\n".replace(
        "44",
        "41",
      ),
    );
    acceptAll(true);
    await client.say(request());
    await attempts[2]!.say(response("hello"));
    expect(statusOf(client.news())).toBe("200");
  });

  test("an endpoint with as many connections as it may have is passed over", async () => {
    const { openClient, attempts } = proxyWorld({ pool: { ...pool, connections: 1 } });
    for (let i = 0; i < 2; i++) await openClient().say(request());
    expect(attempts.map((one) => one.endpoint)).toEqual([EAST, WEST]);
    const client = openClient();
    await client.say(request());
    expect(statusOf(client.got())).toBe("503");
  });
});
