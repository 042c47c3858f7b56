/** What a route's `http` says, at a real HAProxy: both where one endpoint serves, by one pass, and where two share, by two. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { ms } from "../../../src/model/units.ts";
import type { HaproxyHttp } from "../../../src/proxy/haproxy/http-rules.ts";
import type { HaproxyRoute, HaproxyWorld } from "../../../src/proxy/haproxy/layout.ts";
import { requireComponent } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { edgeBackend, edgePlanOf, haproxyHttp, haproxyRoute } from "../../support/haproxy/haproxy-routes.ts";
import { startHaproxy, startUpstream } from "../../support/haproxy/haproxy-world.ts";
import { send } from "../../support/haproxy/http-load.ts";

const PATIENCE = 500;
/** Milliseconds that a busy machine may add. */
const LATE = 450;

/** @param sharing how many endpoints of the nearest cluster serve; another cluster is next */
async function scene(sharing: number, http: HaproxyHttp, more: Partial<HaproxyRoute> = {}) {
  const upstreamPort = await freePort();
  const nearest = Array.from({ length: sharing }, (_, i) => `127.0.0.${11 + i}`);
  const near = await Promise.all(nearest.map((address) => startUpstream("near", address, upstreamPort)));
  const next = await startUpstream("next", "127.0.0.21", upstreamPort);
  const plan = edgePlanOf([edgeBackend("near", nearest)], [edgeBackend("next", ["127.0.0.21"])]);
  const world = (now: HaproxyHttp): HaproxyWorld => ({
    routes: [haproxyRoute(plan, { port: upstreamPort, http: now, ...more })],
    classes: [{ name: "office", networks: ["127.0.200.0/24"] }],
  });
  const haproxy = await startHaproxy(world(http));
  const agent = new Agent({ keepAlive: false }); // a connection from before a reload has one more answer by the settings of then
  return {
    ...{ haproxy, near, next, plan },
    follow: (now: HaproxyHttp) => haproxy.bring(world(now)),
    ask: (method: string, sent: Partial<Parameters<typeof send>[1]> = {}) => send(haproxy.port, { method, ...sent }, agent),
    /** How often a request arrived at clusters, once they have had the time to say so. */
    arrived: async (id: string): Promise<number> => {
      await setTimeout(200);
      return [...near, next].flatMap(({ seen }) => seen.filter((line) => line.split(" ")[2] === id)).length;
    },
  };
}

const within = (request: number, retry: Partial<HaproxyHttp["retry"]> = {}): HaproxyHttp =>
  haproxyHttp(PATIENCE, retry, { requestTimeout: ms(request) });

describe.skipIf(!requireComponent("haproxy", "haproxy")).each([
  ["one endpoint serves", 1],
  ["two endpoints share", 2],
])("HAProxy and a route's http: %s", (_, sharing) => {
  test("nobody answers: 504 when the endpoint's time is over, or the request's for what is not repeated", async () => {
    const { ask, near, next, arrived } = await scene(sharing, within(3 * PATIENCE, { attempts: 0 }));
    for (const one of [...near, next]) one.signal("SIGSTOP");
    const [get, post] = await Promise.all([ask("GET"), ask("POST")]);
    expect([get.status, post.status]).toEqual([504, 504]);
    expect(get.took).toBeGreaterThan(PATIENCE - 50);
    expect(get.took).toBeLessThan(PATIENCE + LATE);
    expect(post.took).toBeGreaterThan(3 * PATIENCE - 50);
    expect(post.took).toBeLessThan(3 * PATIENCE + LATE);
    for (const one of [...near, next]) one.signal("SIGCONT");
    for (const { id } of [get, post]) expect(await arrived(id)).toBeLessThanOrEqual(1);
  });

  test("the nearest is silent: another is asked after the endpoint's time, if all tries fit into the request's", async () => {
    const { ask, follow, haproxy, near } = await scene(sharing, within(3 * PATIENCE));
    for (const one of near) one.signal("SIGSTOP");
    const get = await ask("GET");
    expect(get).toMatchObject({ status: 200, body: "next" });
    expect(get.took).toBeGreaterThan(PATIENCE - 50);
    await follow(within(3 * PATIENCE - 1));
    const cut = await ask("GET");
    expect(cut.status).toBe(504);
    expect(cut.took).toBeLessThan(PATIENCE + LATE);
    expect(await haproxy.reloads()).toBe(1);
  });

  test("a 503 is repeated only if the route says so, and no POST ever", async () => {
    const { ask, arrived, follow, near } = await scene(sharing, haproxyHttp(PATIENCE, { codes: [502] }));
    for (const one of near) await one.become(503);
    const unnamed = await ask("GET");
    expect(unnamed).toMatchObject({ status: 503, body: "near" });
    expect(await arrived(unnamed.id)).toBe(1);
    await follow(haproxyHttp(PATIENCE, { codes: [503] }));
    const named = await ask("GET");
    expect(named).toMatchObject({ status: 200, body: "next" });
    expect(await arrived(named.id)).toBe(2);
    const post = await ask("POST");
    expect(post).toMatchObject({ status: 503, body: "near" });
    expect(await arrived(post.id)).toBe(1);
  });

  test("no status is named and the nearest is dead: another is asked, and nobody is told a status of his own making", async () => {
    const { ask, near, next } = await scene(sharing, haproxyHttp(PATIENCE, { codes: [] }));
    await Promise.all(near.map((one) => one.kill()));
    expect(await ask("GET")).toMatchObject({ status: 200, body: "next" });
    await next.become(503);
    expect(await ask("GET")).toMatchObject({ status: 503, body: "next" });
  });

  test("attempts: none upon a status, but what could not be sent goes elsewhere", async () => {
    const { ask, near, next } = await scene(sharing, haproxyHttp(PATIENCE, { attempts: 0 }));
    for (const one of near) await one.become(503);
    expect(await ask("GET")).toMatchObject({ status: 503, body: "near" });
    if (sharing > 1) return; // there the ranks' own connections never fail
    await near[0]!.kill();
    expect(await ask("POST")).toMatchObject({ status: 200, body: "next" });
    await expect.poll(() => next.seen.length).toBe(1);
  });

  test("one attempt: it is made upon a status, silence and a connection that fails, and is the only one", async () => {
    const { ask, arrived, near, next } = await scene(sharing, haproxyHttp(PATIENCE, { attempts: 1 }));
    await next.become(503);
    for (const one of near) await one.become(503);
    const refused = await ask("GET");
    expect([refused.status, await arrived(refused.id)]).toEqual([503, 2]);
    await next.become(200);
    expect(await ask("GET")).toMatchObject({ status: 200, body: "next" });
    for (const one of near) one.signal("SIGSTOP");
    expect(await ask("GET")).toMatchObject({ status: 200, body: "next" });
    await Promise.all(near.map((one) => one.kill()));
    expect(await ask("GET")).toMatchObject({ status: 200, body: "next" });
  });

  test("bodies: 413 beyond the bound, 411 where nobody knows, and what is within passes", async () => {
    const { ask, follow, near } = await scene(sharing, haproxyHttp(PATIENCE, {}, { limits: { bodyBytes: 1000 } }));
    const chunked = { "transfer-encoding": "chunked" };
    const statuses = async (sizes: readonly number[], headers: Readonly<Record<string, string>> = {}) =>
      (await Promise.all(sizes.map((size) => ask("PUT", { body: "x".repeat(size), headers })))).map(({ status }) => status);
    expect(await statuses([0, 1000, 1001, 100_000])).toEqual([200, 200, 413, 413]);
    expect(await statuses([1000, 1001], chunked)).toEqual([200, 413]);
    expect((await ask("GET")).status).toBe(200);
    await expect.poll(() => near.flatMap(({ seen }) => seen).length).toBe(4);
    await follow(haproxyHttp(PATIENCE, {}, { limits: { bodyBytes: 40_000 } }));
    expect(await statuses([40_000, 40_001])).toEqual([200, 413]);
    expect(await statuses([5000, 30_000], chunked)).toEqual([200, 411]);
  });

  test("bodies of HTTP/2 whose length nobody tells are under the same bound", async () => {
    const { haproxy } = await scene(sharing, haproxyHttp(PATIENCE, {}, { limits: { bodyBytes: 1000 } }));
    const session = connect(`http://127.0.0.1:${haproxy.port}`);
    const status = async (method: string, size: number): Promise<number> => {
      const stream = session.request({ ":method": method, ":authority": "shop.example.org" }, { endStream: size === 0 });
      if (size > 0) stream.end("x".repeat(size));
      const [headers] = await once(stream, "response");
      stream.resume();
      return headers[":status"];
    };
    const sent: readonly [string, number][] = [
      ["GET", 0],
      ["PUT", 1000],
      ["PUT", 1001],
      ["PUT", 30_000],
    ];
    expect(await Promise.all(sent.map(([method, size]) => status(method, size)))).toEqual([200, 200, 413, 413]);
    session.destroy();
  });

  test("requests under way: 503 with Retry-After beyond the bound, whichever rule their clients are under", async () => {
    const plan = edgePlanOf([edgeBackend("next", ["127.0.0.21"])]);
    const { ask, near, next } = await scene(sharing, haproxyHttp(5_000, {}, { limits: { concurrentRequests: 3 } }), {
      groups: [{ name: "office", classes: ["office"], plan }],
    });
    const all = [...near, next];
    for (const one of all) one.signal("SIGSTOP");
    const held = [ask("GET"), ask("GET"), ask("GET", { from: "127.0.200.7" })];
    await setTimeout(300);
    for (const from of ["127.0.200.8", "127.0.201.8"]) expect(await ask("GET", { from })).toMatchObject({ status: 503, retryAfter: "1" });
    for (const one of all) one.signal("SIGCONT");
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await ask("GET")).status).toBe(200);
  });
});

test.skipIf(!requireComponent("haproxy", "haproxy"))(
  "a WebSocket passes where bodies are bounded, and is a request under way until it ends",
  async () => {
    const upstream = createServer((_, response) => response.end("near")).listen(0, "127.0.0.1");
    onTestFinished(() => void upstream.close());
    upstream.on("upgrade", ({ headers }, socket) => {
      const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
    await once(upstream, "listening");
    const http = haproxyHttp(PATIENCE, {}, { limits: { bodyBytes: 0, concurrentRequests: 1 } });
    const route = haproxyRoute(edgePlanOf([edgeBackend("near", ["127.0.0.1"])]), { port: (upstream.address() as AddressInfo).port, http });
    const { port } = await startHaproxy({ routes: [route], classes: [] });
    const headers = {
      ...{ host: "shop.example.org", connection: "Upgrade", upgrade: "websocket" },
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const [, socket] = await once(request({ host: "127.0.0.1", port, headers }).end(), "upgrade");
    socket.write("more than a body may have");
    expect(String((await once(socket, "data"))[0])).toBe("more than a body may have");
    expect((await send(port, { method: "GET" })).status).toBe(503);
    socket.destroy();
    await expect.poll(async () => (await send(port, { method: "GET" })).status).toBe(200);
  },
);
