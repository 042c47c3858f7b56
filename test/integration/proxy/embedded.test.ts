/** The embedded proxy on real sockets, between clients and endpoints of `node:http` that are slow, reset connections, or die. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { ms } from "../../../src/model/units.ts";
import type { ProxyEndpoint } from "../../../src/proxy/embedded/forward/endpoints.ts";
import { openProxyServer, type ProxyServer } from "../../../src/proxy/embedded/forward/proxy-server.ts";
import { PROXY_SETTINGS } from "../../../src/proxy/embedded/forward/settings.ts";
import { routed } from "../../support/http1/proxy-world.ts";
import { seededRandom } from "../../support/random.ts";

const HOST = "shop.example.org";
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Upstream {
  readonly endpoint: ProxyEndpoint;
  readonly server: Server;
  /** As a killed process: its port is closed and every connection reset. */
  readonly kill: () => void;
}

async function startUpstream(id: string, handle: Parameters<typeof createServer>[1]): Promise<Upstream> {
  const server = createServer({ keepAliveTimeout: 5000 }, handle);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket).size && socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const kill = (): void => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  closers.push(kill);
  return { endpoint: { id, address: "127.0.0.1", port: (server.address() as AddressInfo).port }, server, kill };
}

async function startProxy(...upstreams: readonly Upstream[]): Promise<ProxyServer> {
  const tiers = upstreams.map(({ endpoint }) => [endpoint]);
  const proxy = await openProxyServer(
    { address: "127.0.0.1", port: 0 },
    routed((host) => (host === HOST ? tiers : undefined)),
    {
      now: () => ms(performance.now()),
      setTimer: (delay, callback) => {
        const timer = setTimeout(callback, delay);
        return () => clearTimeout(timer);
      },
      onError: (error) => {
        throw error;
      },
    },
    PROXY_SETTINGS,
  );
  closers.push(() => proxy.close(ms(0)));
  return proxy;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly fields: IncomingMessage["headers"];
}

function ask(
  { port }: ProxyServer,
  {
    method = "GET",
    path = "/",
    body,
    agent,
    chunked = false,
  }: { method?: string; path?: string; body?: Buffer; agent: Agent; chunked?: boolean },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // said for every method: node:http sends DELETE's body without a word about its length
    const framing = chunked ? { "transfer-encoding": "chunked" } : { "content-length": body?.length ?? 0 };
    const headers = { host: HOST, ...(body !== undefined && framing) };
    const asking = httpRequest({ port, host: "127.0.0.1", method, path, agent, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode!, body: Buffer.concat(pieces), fields: response.headers }));
    });
    asking.on("error", reject);
    if (body !== undefined && chunked) for (let at = 0; at < body.length; at += 5000) asking.write(body.subarray(at, at + 5000));
    asking.end(chunked ? undefined : body);
  });
}

const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Answers with the hash of what it got, in whichever framing the path asks for. */
const echo: NonNullable<Parameters<typeof createServer>[1]> = (incoming, response) => {
  const pieces: Buffer[] = [];
  incoming.on("data", (piece: Buffer) => pieces.push(piece)).on("error", () => {});
  incoming.on("end", () => {
    const url = new URL(incoming.url!, "http://a");
    const size = Number(url.searchParams.get("size") ?? 0);
    response.setHeader("X-Got", hash(Buffer.concat(pieces)));
    if (url.pathname === "/close") response.setHeader("Connection", "close");
    if (url.pathname === "/empty") return void response.writeHead(204).end();
    if (url.pathname === "/length") response.setHeader("Content-Length", size);
    for (let left = size; left > 0; left -= 7000) response.write(Buffer.alloc(Math.min(left, 7000), "x"));
    response.end();
  });
};

function keepAliveAgent(sockets: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  closers.push(() => agent.destroy());
  return agent;
}

test("thousands of requests and responses of all framings and sizes come through as they were sent", async () => {
  const proxy = await startProxy(await startUpstream("one", echo));
  const agent = keepAliveAgent(32);
  const random = seededRandom(1);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const one = async (): Promise<void> => {
    const method = pick(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);
    const body = method === "GET" || method === "HEAD" ? undefined : Buffer.alloc(below(pick([1, 100, 100_000])), String(below(10)));
    const size = below(pick([1, 100, 200_000]));
    const path = pick(["/length", "/chunked", "/close", "/empty"]);
    const answer = await ask(proxy, { method, path: `${path}?size=${size}`, agent, chunked: below(2) === 0, ...(body && { body }) });
    expect(answer.status).toBe(path === "/empty" ? 204 : 200);
    expect(answer.fields["x-got"]).toBe(hash(body ?? Buffer.alloc(0)));
    expect(answer.body.length).toBe(path === "/empty" || method === "HEAD" ? 0 : size);
  };
  for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 50 }, one));
  const { counters } = proxy;
  expect([counters.requests, counters.cutResponses, [...counters.ownAnswers]]).toEqual([3000, 0, []]);
});

describe("an endpoint that dies under load", () => {
  test("costs no GET its answer, and no POST is done twice", async () => {
    const done = new Map<string, number>();
    const handle = (incoming: IncomingMessage): void => {
      if (incoming.method === "POST") done.set(incoming.url!, (done.get(incoming.url!) ?? 0) + 1);
    };
    const first = await startUpstream("first", (incoming, response) => {
      handle(incoming);
      setTimeout(() => response.end("first"), 5);
    });
    const second = await startUpstream("second", (incoming, response) => {
      handle(incoming);
      response.end("second");
    });
    const proxy = await startProxy(first, second);
    const agent = keepAliveAgent(16);
    let sent = 0;
    const statuses = { GET: new Map<number, number>(), POST: new Map<number, number>() };
    const one = async (): Promise<void> => {
      const id = sent++;
      const method = id % 4 === 0 ? "POST" : "GET";
      if (id === 600) first.kill();
      const { status } = await ask(proxy, { method, path: `/${id}`, agent, ...(method === "POST" && { body: Buffer.from("order") }) });
      statuses[method].set(status, (statuses[method].get(status) ?? 0) + 1);
    };
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (sent < 2000) await one();
      }),
    );
    expect([...statuses.GET.keys()]).toEqual([200]);
    expect([...done.values()].every((times) => times === 1)).toBe(true);
    expect(statuses.POST.get(200)).toBeGreaterThan(450);
    expect([...statuses.POST.keys()].every((status) => status === 200 || status === 502)).toBe(true);
  });

  test("in the middle of a response: the client learns that it is not whole", async () => {
    const upstream = await startUpstream("one", (incoming, response) => {
      if (incoming.url === "/length") response.setHeader("Content-Length", 1000);
      response.write("x".repeat(100), () => incoming.socket.resetAndDestroy());
    });
    const proxy = await startProxy(upstream);
    const agent = keepAliveAgent(2);
    for (const path of ["/length", "/chunked"]) await expect(ask(proxy, { path, agent })).rejects.toThrow(/aborted|ECONNRESET|hang up/);
    expect(proxy.counters.cutResponses).toBe(2);
  });

  test("before the response: GET is answered by the next tier", async () => {
    const bad = await startUpstream("bad", (incoming) => incoming.socket.resetAndDestroy());
    const good = await startUpstream("good", (_, response) => response.end("good"));
    const proxy = await startProxy(bad, good);
    const agent = keepAliveAgent(1);
    const { failures } = PROXY_SETTINGS.ejection;
    for (let i = 1; i < failures; i++) expect(String((await ask(proxy, { agent })).body)).toBe("good");
    expect((await ask(proxy, { method: "POST", agent, body: Buffer.from("x") })).status).toBe(502);
    // that was one failure too many, so that a POST is safe, too
    expect((await ask(proxy, { method: "POST", agent, body: Buffer.from("x") })).status).toBe(200);
  });
});

test("large bodies pass both ways through slow readers without being held", async () => {
  const size = 64 << 20;
  const upstream = await startUpstream("one", (incoming, response) => {
    let got = 0;
    incoming.on("data", (piece: Buffer) => {
      got += piece.length;
      incoming.pause();
      setImmediate(() => incoming.resume());
    });
    incoming.on("end", () => {
      response.write(`${got}\n`);
      let left = size;
      const more = (): void => {
        while (left > 0) {
          left -= 1 << 16;
          if (!response.write(Buffer.alloc(1 << 16))) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    });
  });
  const proxy = await startProxy(upstream);
  const before = process.memoryUsage.rss();
  let highest = 0;
  const received = await new Promise<number>((resolve, reject) => {
    let got = 0;
    const asking = httpRequest(
      { port: proxy.port, host: "127.0.0.1", method: "PUT", headers: { host: HOST, "content-length": size } },
      (response) => {
        response.on("data", (piece: Buffer) => {
          got += piece.length;
          highest = Math.max(highest, process.memoryUsage.rss());
          response.pause();
          setImmediate(() => response.resume());
        });
        response.on("end", () => resolve(got)).on("error", reject);
      },
    );
    asking.on("error", reject);
    let left = size;
    const more = (): void => {
      while (left > 0) {
        left -= 1 << 16;
        if (!asking.write(Buffer.alloc(1 << 16))) return void asking.once("drain", more);
      }
      asking.end();
    };
    more();
  });
  expect(received).toBe(size + `${size}\n`.length);
  expect(highest - before).toBeLessThan(size); // client and endpoint live in this process, too
});

test("a WebSocket handshake of node:http becomes a tunnel, which ends at both ends", async () => {
  const upstream = await startUpstream("one", () => {});
  upstream.server.on("upgrade", (_request, socket: Socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("data", (bytes) => socket.write(bytes.toString().toUpperCase())).on("error", () => {});
    socket.on("end", () => socket.end());
  });
  const proxy = await startProxy(upstream);
  const asking = httpRequest({ port: proxy.port, host: "127.0.0.1", headers: { host: HOST, connection: "Upgrade", upgrade: "websocket" } });
  asking.end();
  const [response, socket] = (await once(asking, "upgrade")) as [IncomingMessage, Socket];
  expect(response.statusCode).toBe(101);
  socket.write("hello");
  expect(String((await once(socket, "data"))[0])).toBe("HELLO");
  socket.end();
  await once(socket, "close");
  await expect.poll(() => proxy.connections().clients).toBe(0);
});

test("a smuggled request reaches nobody", async () => {
  const seen: string[] = [];
  const upstream = await startUpstream("one", (incoming, response) => {
    seen.push(incoming.url!);
    incoming.resume().on("end", () => response.end("ok"));
  });
  const proxy = await startProxy(upstream);
  const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const tricks = [
    `Content-Length: ${5 + smuggled.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ];
  for (const trick of tricks) {
    const socket = connect(proxy.port, "127.0.0.1");
    let got = "";
    socket.on("data", (bytes) => (got += bytes.toString("latin1")));
    socket.end(`POST /first HTTP/1.1\r\nHost: ${HOST}\r\n${trick}`);
    await once(socket, "close");
    expect(got).toMatch(/^HTTP\/1\.1 (400|501) /);
  }
  expect(seen).toEqual([]);
});

test("closing lets what is being answered end, and takes nothing new", async () => {
  let finish = (): void => {};
  const upstream = await startUpstream("one", (_, response) => {
    response.write("begun ");
    finish = () => response.end("ended");
  });
  const proxy = await startProxy(upstream);
  const agent = keepAliveAgent(1);
  const begun = once(upstream.server, "request");
  const asked = ask(proxy, { agent });
  await begun;
  const closed = proxy.close(ms(10_000));
  await expect(ask(proxy, { agent: keepAliveAgent(1) })).rejects.toThrow(/ECONNREFUSED/);
  finish();
  expect(String((await asked).body)).toBe("begun ended");
  await closed;
});
