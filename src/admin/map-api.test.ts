import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeView, type FakeView } from "../../test/support/fake-view.ts";
import { createMetrics } from "../observe/metrics.ts";
import { type ActDesk, NO_ACTS } from "./act-desk.ts";
import { type AdminServer, createAdminServer } from "./server.ts";

const TOKEN = "0123456789abcdef0123";
let view: FakeView;
let server: AdminServer;
let base: string;
let done: unknown[];

async function start(acts: ActDesk): Promise<void> {
  server = await createAdminServer({
    view,
    acts,
    metrics: createMetrics(),
    listen: { address: "127.0.0.1", port: 0 },
    flag: "--admin",
    token: TOKEN,
    version: "1.2.3",
    log: { error: () => {} },
    every: () => () => {},
    regions: [
      { country: "IE", name: "Ireland", latitude: 53.2, longitude: -6.9, population: 5 },
      { country: "FR", name: "France", latitude: 47, longitude: 2, population: 60 },
    ],
    load: () => new Map([["eu-west", 12.34]]),
  });
  await server.start();
  base = `http://127.0.0.1:${server.address().port}`;
}

beforeEach(async () => {
  view = createFakeView();
  done = [];
  await start({
    canDrain: true,
    command: "globalroute drain CLUSTER",
    async drain(target, reason, duration) {
      done.push({ target, reason, duration });
      return { target, until: "2026-11-21T13:00:00.000Z", file: "/objects/overrides/drain.yaml" };
    },
    async undrain(target) {
      done.push({ target });
      return { target, removed: true, drainedBy: [] };
    },
  });
});
afterEach(() => server.stop());

const get = async (path: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${base}${path}`);
  return { status: response.status, body: await response.json() };
};

describe("the map", () => {
  test("joins who serves with places, people and load", async () => {
    const { body } = await get("/v1/map?route=default/shop");
    expect(body).toMatchObject({
      frame: { id: 1 },
      route: "default/shop",
      clusters: [
        { name: "eu-west", health: "Healthy", population: 1, answersPerSecond: 12.3, location: { latitude: 53.35 } },
        { name: "us-east", population: 0, answersPerSecond: 0 },
      ],
      regions: [
        { country: "IE", name: "Ireland", sample: "192.0.2.0/24", served: [{ cluster: "eu-west", share: 1 }] },
        { country: "FR", sample: null, served: [] },
      ],
    });
  });

  test("of the past has no load", async () => {
    const { body } = await get("/v1/map?frame=1");
    expect(body).toMatchObject({ route: null, clusters: [{ answersPerSecond: null }, {}] });
  });

  test.each([
    { path: "/v1/map?frame=7", status: 404, code: "no-frame", says: "Frame 7 is not kept; there are 1 to 1." },
    { path: "/v1/map?route=default/other", status: 404, code: "no-route", says: "There is no GlobalRoute default/other." },
    { path: "/v1/map?frame=-1", status: 400, code: "bad-request", says: 'The parameter "frame" must be >= 0.' },
    { path: "/v1/map?Route=x", status: 400, code: "bad-request", says: 'There is no parameter "Route".' },
    { path: "/v1/map/if-drained?cluster=x", status: 404, code: "no-cluster", says: "There is no MemberCluster x." },
    { path: "/v1/map/if-drained", status: 400, code: "bad-request", says: 'The parameter "cluster" is missing.' },
  ])("$path is refused in words", async ({ path, status, code, says }) => {
    expect(await get(path)).toMatchObject({ status, body: { error: { code, message: says } } });
  });

  test("before the first frame says that it is not there yet", async () => {
    const map = { ...view.map, frames: () => [], frame: () => undefined };
    await server.stop();
    view = { ...view, map };
    await start(NO_ACTS);
    expect(await get("/v1/map")).toMatchObject({ status: 503, body: { error: { code: "not-ready" } } });
  });
});

test("the overview is status in short", async () => {
  view.degraded = ["geo-stale"];
  view.setHealth("eu-west", "Unhealthy");
  expect((await get("/v1/overview")).body).toMatchObject({
    version: "1.2.3",
    clusters: [{ name: "eu-west", health: "Unhealthy" }, {}],
    routes: [
      { namespace: "default", name: "shop", backends: 2, usable: 1, servedBy: [{ cluster: "us-east" }], lastFailover: { from: "eu-west" } },
    ],
    degraded: ["geo-stale"],
    acts: { drain: true },
  });
});

test("the overview has fleets where there are some", async () => {
  expect((await get("/v1/overview")).body).not.toHaveProperty("fleets");
  const fleet = {
    ...{ name: "edges", type: "Envoy" as const, proxies: { connected: 2, current: 1, rejected: 1 }, problems: [] },
    members: [{ name: "eu-1", place: "eu", state: "Rejected" as const, problem: "no such thing", routes: ["default/shop"] }],
  };
  view.patchStatus({ fleets: [fleet] });
  expect((await get("/v1/overview")).body).toMatchObject({ fleets: [fleet] });
});

test("of thousands of problems the overview has the first, errors before warnings, and how many there are", async () => {
  const problem = { code: "field-type", file: "a.yaml", line: 1, column: 2, path: "x", message: "m", remedy: "r" };
  const warnings = Array.from({ length: 3000 }, (_, i) => ({ ...problem, severity: "warning" as const, line: i }));
  view.patchStatus({ config: { path: "/objects", problems: [...warnings, { ...problem, severity: "error", line: 4000 }] } });
  const { body } = await get("/v1/overview");
  expect(body).toMatchObject({ config: { errors: 1, warnings: 3000, problems: expect.arrayContaining([]) } });
  expect(JSON.stringify(body).length).toBeLessThan(20_000);
  expect(JSON.stringify(body)).toMatch(/"problems":\[\{"code":"field-type","file":"a.yaml","line":4000/);
});

describe("drains", () => {
  const post = (path: string, body: unknown, token = TOKEN): Promise<Response> =>
    fetch(`${base}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });

  test("are handed on as they were asked for", async () => {
    const answer = await post("/v1/drain", { target: "eu-west", reason: "  upgrade ", for: "30m" });
    expect([answer.status, await answer.json()]).toMatchObject([200, { target: "eu-west" }]);
    expect((await post("/v1/undrain", { target: "eu-west" })).status).toBe(200);
    expect(done).toEqual([{ target: "eu-west", reason: "upgrade", duration: "30m" }, { target: "eu-west" }]);
  });

  test("need the token", async () => {
    for (const path of ["/v1/drain", "/v1/undrain"]) {
      expect((await post(path, { target: "eu-west", reason: "x", for: "1h" }, "another-token-0123456")).status).toBe(401);
      expect((await fetch(`${base}${path}`, { method: "POST", body: "{}" })).status).toBe(401);
    }
    expect(done).toEqual([]);
  });

  test.each([
    { body: { target: "eu-west", for: "1h" }, says: "reason" },
    { body: { target: "eu-west", reason: " ", for: "1h" }, says: "reason" },
    { body: { target: "eu-west", reason: "x", for: "1h", until: "x" }, says: "until" },
    { body: ["eu-west"], says: "expected object" },
  ])("that are malformed are refused: $body", async ({ body, says }) => {
    const answer = await post("/v1/drain", body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain(says);
    expect(done).toEqual([]);
  });

  test("say the command where the objects are kept elsewhere", async () => {
    await server.stop();
    await start(NO_ACTS);
    const answer = await post("/v1/drain", { target: "eu-west", reason: "x", for: "1h" });
    expect([answer.status, await answer.json()]).toMatchObject([
      409,
      { error: { code: "acts-elsewhere", message: expect.stringContaining("globalroute drain CLUSTER") } },
    ]);
  });
});
