/** A real HAProxy, told what to do by the test, in front of three clusters; what it does by our own judgement: haproxy-faults.test.ts. */
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { EdgePlan } from "../../../src/proxy/edge-plan.ts";
import { descriptorsFor } from "../../../src/proxy/haproxy/descriptors.ts";
import { type HaproxyRoute, type HaproxyWorld, layoutOf } from "../../../src/proxy/haproxy/layout.ts";
import { requireComponent } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { edgeBackend, edgePlanOf, haproxyHttp, haproxyRoute } from "../../support/haproxy/haproxy-routes.ts";
import { startHaproxy, startUpstream, type Upstream } from "../../support/haproxy/haproxy-world.ts";
import { type Outcome, send, startLoad } from "../../support/haproxy/http-load.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

/** A silent endpoint is left after a second. */
const QUICK = haproxyHttp(1000);
const NAMES = ["near", "middle", "far"];

async function clusters() {
  const port = await freePort();
  const upstreams = await Promise.all(NAMES.map((name, i) => startUpstream(name, `127.0.0.${11 + i}`, port)));
  const [near, middle, far] = upstreams.map(({ name, address }) => ({
    up: edgeBackend(name, [address]),
    down: edgeBackend(name, [`-${address}`]),
  }));
  const world = (plan: EdgePlan, more: Partial<HaproxyRoute> = {}): HaproxyWorld => ({
    routes: [haproxyRoute(plan, { port, http: QUICK, ...more })],
    classes: [],
  });
  return { port, upstreams, near: near!, middle: middle!, far: far!, world };
}

const failed = (outcomes: readonly Outcome[], method: string): readonly Outcome[] =>
  outcomes.filter((one) => one.method === method && one.status !== 200);

/** Ids of POSTs that arrived more than once, anywhere. */
function repeated(upstreams: readonly Upstream[]): readonly string[] {
  const ids = upstreams.flatMap(({ seen }) => seen.filter((line) => line.startsWith("POST ")).map((line) => line.split(" ")[2]!));
  return ids.filter((id, i) => ids.indexOf(id) !== i);
}

const counts = (outcomes: readonly Outcome[]): Readonly<Record<string, number>> =>
  Object.fromEntries(NAMES.map((name) => [name, outcomes.filter(({ body }) => body === name).length]));

describe.skipIf(!requireComponent("haproxy", "haproxy"))("HAProxy", () => {
  test("a cluster with two addresses stops that shares a tier with another: retries leave the cluster, not only the address", async () => {
    const { upstreams, port: upstreamPort, world } = await clusters();
    const twin = await startUpstream("near", "127.0.0.14", upstreamPort);
    const plan = edgePlanOf([edgeBackend("near", ["127.0.0.11", "127.0.0.14"]), edgeBackend("middle", ["127.0.0.12"])]);
    const { port } = await startHaproxy(world(plan));
    const stop = startLoad(port);
    await setTimeout(500);
    for (const one of [upstreams[0]!, twin]) one.signal("SIGSTOP");
    await setTimeout(2_000);
    for (const one of [upstreams[0]!, twin]) one.signal("SIGCONT");
    const outcomes = await stop();
    expect(failed(outcomes, "GET")).toEqual([]);
    expect(Math.max(...outcomes.map(({ took }) => took))).toBeGreaterThan(900); // so it was struck
    expect(failed(outcomes, "POST")).toEqual([]); // they were waited for
    expect(repeated([...upstreams, twin])).toEqual([]);
  });

  test("a drain and a reload for a new route, under load: nothing fails at all", async () => {
    const { port: upstreamPort, upstreams, near, middle, world } = await clusters();
    const both = edgePlanOf([near.up], [middle.up]);
    const { port, bring, reloads } = await startHaproxy(world(both));
    const stop = startLoad(port);
    await setTimeout(500);
    await bring(world(edgePlanOf([near.down], [middle.up])));
    const after = upstreams[0]!.seen.length;
    await setTimeout(500);
    expect(upstreams[0]!.seen.length - after).toBeLessThanOrEqual(5); // those under way
    const api = haproxyRoute(both, { name: "api", hosts: ["api.example.org"], port: upstreamPort });
    await bring({ routes: [...world(both).routes, api], classes: [] });
    await setTimeout(500);
    const outcomes = await stop();
    expect(outcomes.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await reloads()).toBe(1);
    expect(await send(port, { method: "GET", host: "api.example.org" })).toMatchObject({ status: 200, body: "near" });
  });

  test("weights are shares, and change without a reload", async () => {
    const { upstreams, world } = await clusters();
    const weighted = (weights: readonly number[]) =>
      world(edgePlanOf(upstreams.map(({ name, address }, i) => edgeBackend(name, [address], weights[i]))));
    const { port, bring, reloads } = await startHaproxy(weighted([600_000, 300_000, 100_000]));
    /** Not all at once: a queue that overflows refuses connections, and who does that is left out for a second. */
    const measure = async () => {
      const outcomes: Outcome[] = [];
      while (outcomes.length < 1_000)
        outcomes.push(...(await Promise.all(Array.from({ length: 50 }, () => send(port, { method: "GET" })))));
      return counts(outcomes);
    };
    const within = (seen: Readonly<Record<string, number>>, shares: readonly number[]) =>
      NAMES.forEach(
        (name, i) =>
          void expect(Math.abs(seen[name]! - 1_000 * shares[i]!)).toBeLessThan(3 * Math.sqrt(1_000 * shares[i]! * (1 - shares[i]!)) + 1),
      );
    within(await measure(), [0.6, 0.3, 0.1]);
    await bring(weighted([250_000, 250_000, 500_000]));
    within(await measure(), [0.25, 0.25, 0.5]);
    expect(await reloads()).toBe(0);
  });

  test("sticky: a client's network stays with its cluster; when one goes, only its own move, and they return", async () => {
    const { near, middle, far, world } = await clusters();
    const all = world(edgePlanOf([near.up, middle.up, far.up]), { sticky: "ClientSubnet" });
    const { port, bring, kill, start } = await startHaproxy(all);
    const clients = Array.from({ length: 60 }, (_, i) => `127.0.${100 + i}.`);
    const ask = (last: number) =>
      Promise.all(clients.map(async (client) => (await send(port, { method: "GET", from: `${client}${last}` })).body));
    const before = await ask(1);
    expect(NAMES.filter((name) => !before.includes(name))).toEqual([]);
    expect(await ask(2)).toEqual(before);
    await bring(world(edgePlanOf([near.up, middle.down, far.up]), { sticky: "ClientSubnet" }));
    const without = await ask(1);
    expect(without.includes("middle")).toBe(false);
    expect(without.filter((name, i) => before[i] !== "middle" && name !== before[i])).toEqual([]);
    await bring(all);
    expect(await ask(1)).toEqual(before);
    await kill();
    await start(); // by files that may be a second old, and then it is told
    await expect.poll(() => ask(1)).toEqual(before);
  });

  test("HAProxy is killed, a failover happens meanwhile: it starts with it, and from older files it is brought to now", async () => {
    const { near, middle, world } = await clusters();
    const scene = await startHaproxy(world(edgePlanOf([near.up], [middle.up])));
    const older = await readFile(`${scene.config.folder}/haproxy.cfg`);
    const asked = async () => (await send(scene.port, { method: "GET" })).body;
    await scene.kill();
    scene.fleet.update(new Map([["here", world(edgePlanOf([near.down], [middle.up]))]]));
    await scene.until(({ isReachable }) => !isReachable);
    await scene.start();
    expect(await asked()).toBe("middle");
    await scene.until(({ isCurrent }) => isCurrent);
    await scene.kill();
    await scene.until(({ isReachable }) => !isReachable);
    await writeFile(`${scene.config.folder}/haproxy.cfg`, older);
    await scene.start();
    await scene.until(({ isCurrent }) => isCurrent);
    expect(await asked()).toBe("middle");
    expect(await scene.reloads()).toBe(0);
  });

  test("TLS on both sides: endpoints must show a certificate for the host", async () => {
    const { ca, cert, key } = readCertificates();
    const folder = await tempFolder();
    const [certificate, caFile] = [`${folder}/edge with key.pem`, `${folder}/ca.pem`];
    await writeFile(certificate, `${cert}${key}`);
    await writeFile(caFile, ca);
    const upstream = createServer({ key, cert }, (_, response) => response.end("over TLS")).listen(0, "127.0.0.1");
    onTestFinished(() => void upstream.close());
    await once(upstream, "listening");
    const plan = edgePlanOf([edgeBackend("near", ["127.0.0.1"])]);
    const route = (name: string, host: string) =>
      haproxyRoute(plan, { name, hosts: [host], port: (upstream.address() as AddressInfo).port, tls: { caFile } });
    const port = await freePort();
    await startHaproxy(
      { routes: [route("web", "shop.example.org"), route("other", "other.example.org")], classes: [] },
      { listen: [{ address: "127.0.0.1", port, certificate }] },
    );
    const asked = (host: string) =>
      new Promise<string>((resolve, reject) => {
        get({ host: "127.0.0.1", port, ca, servername: "shop.example.org", headers: { host } }, (response) => {
          response.resume();
          response.on("end", () => resolve(`${response.statusCode}`));
        }).on("error", reject);
      });
    expect(await asked("shop.example.org")).toBe("200");
    expect(await asked("other.example.org")).toBe("503");
  });

  test("clients of a network have a plan of their own, and never leave it", async () => {
    const { upstreams, near, far, world } = await clusters();
    const [route] = world(edgePlanOf([near.up], [far.up]), {
      groups: [{ name: "office", classes: ["office"], plan: edgePlanOf([far.up]) }],
    }).routes;
    const { port } = await startHaproxy({ routes: [route!], classes: [{ name: "office", networks: ["127.0.200.0/24"] }] });
    const office = (method: string) => send(port, { method, from: "127.0.200.7" });
    expect((await office("GET")).body).toBe("far");
    expect((await send(port, { method: "GET", from: "127.0.201.7" })).body).toBe("near");
    upstreams[2]!.signal("SIGKILL");
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => office("GET")));
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 503));
  });

  test("file descriptors: what it sets aside is what we count, and no more than that much less", async () => {
    const { world } = await clusters();
    const plan = edgePlanOf([
      edgeBackend(
        "near",
        Array.from({ length: 200 }, (_, i) => `127.1.0.${i + 1}`),
      ),
    ]);
    const { ask, config } = await startHaproxy(world(plan));
    const info = await ask("show info");
    const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(info)?.[1]);
    const setAside = field("Ulimit-n") - 2 * field("Maxconn");
    const { toStart } = descriptorsFor(layoutOf(world(plan)), new Map(), config);
    expect(toStart).toBeGreaterThanOrEqual(setAside);
    expect(toStart - setAside).toBeLessThan(100);
  });

  test("hosts: capitals, ports and final dots do not matter, the longest wildcard wins, others get 404", async () => {
    const { port: upstreamPort, near, middle, far } = await clusters();
    const route = (name: string, plan: EdgePlan, hosts: readonly string[]) => haproxyRoute(plan, { name, hosts, port: upstreamPort });
    const { port } = await startHaproxy({
      routes: [
        route("web", edgePlanOf([near.up]), ["shop.example.org"]),
        route("all", edgePlanOf([middle.up]), ["*.example.org"]),
        route("eu", edgePlanOf([far.up]), ["*.eu.example.org"]),
      ],
      classes: [],
    });
    const asked = async (host: string) => {
      const { status, body } = await send(port, { method: "GET", host });
      return status === 200 ? body : status;
    };
    expect(await asked("SHOP.example.org.:8080")).toBe("near");
    expect(await asked("a.example.org")).toBe("middle");
    expect(await asked("a.eu.example.org")).toBe("far");
    expect(await asked("example.net")).toBe(404);
    expect(await asked("shop.example.org.example.net")).toBe(404);
  });

  test("what a client says of itself counts for nothing, in one pass or two, and clusters see no header of ours", async () => {
    const { port: upstreamPort, upstreams, near, middle, far } = await clusters();
    const groups = [{ name: "office", classes: ["office"], plan: edgePlanOf([far.up]) }];
    const { port } = await startHaproxy({
      routes: [
        haproxyRoute(edgePlanOf([near.up]), { port: upstreamPort, groups }),
        haproxyRoute(edgePlanOf([near.up, middle.up]), { name: "shared", hosts: ["shared.example.org"], port: upstreamPort, groups }),
      ],
      classes: [{ name: "office", networks: ["127.0.200.0/24"] }],
    });
    for (const host of ["shop.example.org", "shared.example.org"]) {
      const asked = async (from: string, said: string) =>
        (await send(port, { method: "GET", host, from, headers: { "x-forwarded-for": said } })).body;
      expect(await asked("127.0.201.7", "127.0.200.7")).not.toBe("far");
      expect(await asked("127.0.200.7", "127.0.201.7")).toBe("far");
    }
    expect(new Set(upstreams.flatMap(({ seen }) => seen.map((line) => line.split(" ")[3])))).toEqual(new Set([""]));
  });
});
