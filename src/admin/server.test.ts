import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { drillReport } from "../../test/support/drill-events.ts";
import { createFakeView, type FakeView } from "../../test/support/fake-view.ts";
import { ListenError } from "../model/listen-address.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import { errorSchema } from "./api-schemas.ts";
import { type AdminServer, type AdminServerOptions, createAdminServer } from "./server.ts";

const TOKEN = "0123456789abcdef0123";
const loopback = { address: "127.0.0.1", port: 0 };

let view: FakeView;
let metrics: Metrics;
let server: AdminServer;
let base: string;
const logged: unknown[] = [];

const options = (): AdminServerOptions => ({
  view,
  metrics,
  listen: loopback,
  flag: "--admin",
  token: TOKEN,
  version: "1.2.3",
  log: { error: (...what: unknown[]) => void logged.push(what) },
  every: () => () => {},
  drills: () => [drillReport()],
  regions: [{ country: "IE", name: "Ireland", latitude: 53.2, longitude: -6.9, population: 5 }],
  load: () => new Map([["eu-west", 12.34]]),
});

beforeEach(async () => {
  view = createFakeView();
  metrics = createMetrics();
  server = await createAdminServer({ ...options(), metricsListen: loopback });
  await server.start();
  base = `http://127.0.0.1:${server.address().port}`;
  logged.length = 0;
});
afterEach(() => server.stop());

const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${base}${path}`, init);
const confirm = (authorization?: string): Promise<Response> =>
  get("/v1/confirm", { method: "POST", ...(authorization === undefined ? {} : { headers: { authorization } }) });

/** Status and body of a GET with a Host header of one's own, which fetch does not allow. */
function getAs(host: string, port: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path: "/healthz", headers: { host } }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", reject).end();
  });
}

describe("readiness", () => {
  test("is 200 with its reasons while a table can be served, however degraded", async () => {
    view.degraded = ["last-good", "geo-stale"];
    const response = await get("/readyz");
    expect([response.status, await response.json()]).toEqual([200, { ready: true, degraded: ["last-good", "geo-stale"] }]);
  });

  test("is 503 before the first table", async () => {
    view.ready = false;
    expect((await get("/readyz")).status).toBe(503);
  });

  test("is 503 from the moment that shutdown began, while all else is still answered", async () => {
    server.shutdownBegan();
    const response = await get("/readyz");
    expect([response.status, await response.json()]).toEqual([503, { ready: false, degraded: [] }]);
    expect((await get("/healthz")).status).toBe(200);
    expect((await get("/v1/status")).status).toBe(200);
  });
});

describe("answers follow the engine", () => {
  test("a failover is in status, routes, clusters and timeline at once", async () => {
    view.setHealth("eu-west", "Unhealthy");
    expect(await (await get("/v1/clusters")).json()).toMatchObject({ clusters: [{ name: "eu-west", health: "Unhealthy" }, {}] });
    expect(await (await get("/v1/routes")).json()).toMatchObject({ routes: [{ lastFailover: { from: "eu-west", to: "us-east" } }] });
    expect(await (await get("/v1/routes/default/shop")).json()).toEqual(view.status().routes[0]);
    expect(await (await get("/v1/timeline?after=1")).json()).toMatchObject({ events: [{ kind: "Failover" }], newest: 2 });
  });

  test("the timeline comes in pages, oldest first", async () => {
    view.setHealth("eu-west", "Unhealthy");
    view.setHealth("eu-west", "Healthy");
    expect(await (await get("/v1/timeline?limit=2")).json()).toMatchObject({ events: [{ id: 1 }, { id: 2 }], newest: 4 });
  });

  test("explain answers for an address and for a network, A unless told otherwise", async () => {
    const asked = async (query: string) => (await get(`/v1/explain?host=shop.example.org&${query}`)).json();
    expect(await asked("client=192.0.2.77")).toMatchObject({ client: "192.0.2.77", family: "A", rule: "gdpr" });
    expect(await asked("client=2001:db8::%2F56&family=AAAA")).toMatchObject({ client: "2001:db8::/56", family: "AAAA" });
  });

  test("a HEAD of the stream does not open one", async () => {
    expect((await get("/v1/stream", { method: "HEAD" })).status).toBe(404);
  });

  test("metrics are Prometheus text", async () => {
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    const text = await response.text();
    expect(text).toContain("# TYPE globalroute_failovers_total counter");
    expect(response.headers.get("content-length")).toBe(String(Buffer.byteLength(text)));
    const head = await get("/metrics", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("a scraper that leaves in the middle of a long scrape disturbs nobody", async () => {
    const labels = Array.from({ length: 50_000 }, (_, i) => ({ cluster: "eu-west", address: `endpoint-${i}.example.org:443` }));
    metrics.attach({ endpoints: () => ({ labels, healthy: new Uint8Array(labels.length) }) });
    const reader = (await get("/metrics")).body!.getReader();
    await reader.read();
    await reader.cancel();
    const text = await (await get("/metrics")).text();
    expect(text.match(/^globalroute_endpoint_healthy\{/gm)).toHaveLength(labels.length);
    expect(text.endsWith("\n")).toBe(true);
    expect(logged).toEqual([]);
  });
});

describe("bad requests get an error with a code and a remedy", () => {
  const cases = [
    {
      name: "a client that is no address",
      path: "/v1/explain?host=shop.example.org&client=999.1.1.1",
      status: 400,
      code: "bad-request",
      says: /999\.1\.1\.1/,
    },
    { name: "a missing client", path: "/v1/explain?host=shop.example.org", status: 400, code: "bad-request", says: /client/ },
    {
      name: "an unknown query type",
      path: "/v1/explain?host=shop.example.org&client=192.0.2.1&family=MX",
      status: 400,
      code: "bad-request",
      says: /"family" must be one of A, AAAA/,
    },
    { name: "a misspelt parameter", path: "/v1/timeline?afer=3", status: 400, code: "bad-request", says: /no parameter "afer"/ },
    { name: "a path that is no URL", path: "/v1/routes/%zz/x", status: 400, code: "bad-request", says: /^The path is not a valid url/ },
    {
      name: "a name that is too long",
      path: `/v1/routes/default/${"x".repeat(300)}`,
      status: 400,
      code: "bad-request",
      says: /^The path /,
    },
    { name: "a negative id", path: "/v1/timeline?after=-1", status: 400, code: "bad-request", says: /after/ },
    {
      name: "a host of 5,000 characters",
      path: `/v1/explain?client=192.0.2.1&host=${"a".repeat(5000)}`,
      status: 400,
      code: "bad-request",
      says: /host.*254/,
    },
    {
      name: "a host that no route has",
      path: "/v1/explain?host=other.example.org&client=192.0.2.1",
      status: 404,
      code: "no-route",
      says: /shop\.example\.org/,
    },
    { name: "an unknown route", path: "/v1/routes/default/other", status: 404, code: "no-route", says: /default\/other/ },
    { name: "an unknown drill", path: "/v1/drills/default/none", status: 404, code: "no-drill", says: /TrafficOverride default\/none/ },
    { name: "an unknown path", path: "/v1/staus", status: 404, code: "not-found", says: /GET \/v1\/status/ },
    { name: "the wrong method", path: "/v1/confirm", status: 404, code: "not-found", says: /POST \/v1\/confirm/ },
  ];
  test.each(cases)("$name", async ({ path, status, code, says }) => {
    const response = await get(path);
    const { error } = errorSchema.parse(await response.json());
    expect([response.status, error.code]).toEqual([status, code]);
    expect(error.message).toMatch(says);
    expect(error.remedy.length).toBeGreaterThan(10);
  });

  test("a failure inside tells the caller nothing of it, and the log everything", async () => {
    view.status = () => {
      throw new Error("secret detail");
    };
    const response = await get("/v1/status");
    expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining("secret detail")]);
    expect(JSON.stringify(logged, (_key, value) => (value instanceof Error ? value.message : value))).toContain("secret detail");
  });
});

describe("acts need the token", () => {
  test.each([
    { name: "none", authorization: undefined },
    { name: "a wrong one", authorization: `Bearer ${TOKEN}x` },
    { name: "the beginning of the right one", authorization: `Bearer ${TOKEN.slice(0, -1)}` },
    { name: "an empty one", authorization: "Bearer " },
    { name: "the right one in another scheme", authorization: `Basic ${TOKEN}` },
  ])("$name changes nothing", async ({ authorization }) => {
    view.held.push("3 routes vanished");
    const response = await confirm(authorization);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(view.held).toEqual(["3 routes vanished"]);
  });

  test("the right one accepts what is held, once", async () => {
    view.held.push("3 routes vanished");
    expect(await (await confirm(`Bearer ${TOKEN}`)).json()).toEqual({ accepted: ["3 routes vanished"] });
    expect(await (await confirm(`Bearer ${TOKEN}`)).json()).toEqual({ accepted: [] });
  });
});

describe("a listener on loopback refuses names that only DNS rebinding could bring", () => {
  test.each([
    { host: "localhost:8053", status: 200 },
    { host: "admin.localhost", status: 200 },
    { host: "127.0.0.5:8053", status: 200 },
    { host: "[::1]:8053", status: 200 },
    { host: "evil.example.org", status: 403 },
    { host: "127.0.0.1.example.org:8053", status: 403 },
    { host: "192.0.2.1", status: 403 },
    { host: "localhost.example.org", status: 403 },
    { host: "notlocalhost", status: 403 },
  ])("$host → $status", async ({ host, status }) => {
    const answer = await getAs(host, server.address().port);
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toContain("host-refused");
  });
});

describe("listeners", () => {
  test("the second one has probes and metrics and nothing else", async () => {
    const other = `http://127.0.0.1:${server.metricsAddress()?.port}`;
    for (const path of ["/healthz", "/readyz", "/metrics"]) expect((await fetch(other + path)).status).toBe(200);
    for (const path of ["/v1/status", "/v1/explain", "/openapi.json"]) expect((await fetch(other + path)).status).toBe(404);
  });

  test.each(["--admin", "--metrics"])("a port that is taken is told with the flag that moves it: %s", async (flag) => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const bound = holder.address();
    const taken = { address: "127.0.0.1", port: typeof bound === "object" && bound !== null ? bound.port : 0 };
    const second = await createAdminServer({ ...options(), ...(flag === "--admin" ? { listen: taken } : { metricsListen: taken }) });
    const error = await second.start().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({ code: "address-in-use", message: expect.stringMatching(`127.0.0.1:${taken.port} is in use.*${flag}`) });
    holder.close();
  });

  test("stopping ends open streams and frees the port", async () => {
    const stream = await get("/v1/stream");
    const { port } = server.address();
    const read = stream.text();
    await server.stop();
    expect(await read).toContain("retry:");
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });
});

describe("the OpenAPI document", () => {
  test("every JSON answer is what it says, with no field that it does not name", async () => {
    view.setHealth("eu-west", "Unhealthy");
    view.patchStatus({
      overrides: [
        { name: "default/drain-eu-west", target: "MemberCluster eu-west", action: "Drain", reason: "test", until: "2026-11-21T14:00:00Z" },
      ],
      config: {
        path: "/etc/globalroute",
        problems: [{ severity: "error", code: "field-type", file: "a.yaml", line: 1, column: 2, path: "x", message: "m", remedy: "r" }],
      },
    });
    const document = openApiDocument.parse(await (await get("/openapi.json")).json());
    expect(document).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
    closeObjects(document.components.schemas);
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: "doc", components: document.components });

    const asked: Record<string, string> = {
      "/v1/routes/{namespace}/{name}": "/v1/routes/default/shop",
      "/v1/drills/{namespace}/{name}": "/v1/drills/default/drill-eu-west",
      "/v1/map/if-drained": "/v1/map/if-drained?cluster=eu-west",
      "/v1/explain": "/v1/explain?host=shop.example.org&client=192.0.2.1",
    };
    const checked: string[] = [];
    for (const [path, operations] of Object.entries(document.paths)) {
      const reference = operations.get?.responses["200"]?.content?.["application/json"]?.schema.$ref;
      if (reference === undefined) continue;
      const answer: unknown = await (await get(asked[path] ?? path)).json();
      const validate = ajv.compile({ $ref: `doc${reference}` });
      expect(validate(answer), `${path}: ${ajv.errorsText(validate.errors)}`).toBe(true);
      checked.push(path);
    }
    expect(checked.sort()).toEqual([
      "/healthz",
      "/readyz",
      "/v1/clusters",
      "/v1/drills",
      "/v1/drills/{namespace}/{name}",
      "/v1/explain",
      "/v1/map",
      "/v1/map/frames",
      "/v1/map/if-drained",
      "/v1/map/load",
      "/v1/overview",
      "/v1/plan",
      "/v1/routes",
      "/v1/routes/{namespace}/{name}",
      "/v1/status",
      "/v1/timeline",
    ]);

    const refusal = await (await get("/v1/routes/default/other")).json();
    expect(ajv.validate({ $ref: "doc#/components/schemas/Error" }, refusal), ajv.errorsText()).toBe(true);
    const confirmed = await (await confirm(`Bearer ${TOKEN}`)).json();
    expect(ajv.validate({ $ref: "doc#/components/schemas/Confirmed" }, confirmed), ajv.errorsText()).toBe(true);
  });

  test("says which act needs the token", async () => {
    expect(await (await get("/openapi.json")).json()).toMatchObject({
      paths: { "/v1/confirm": { post: { security: [{ adminToken: [] }] } } },
      components: { securitySchemes: { adminToken: { type: "http", scheme: "bearer" } } },
    });
  });
});

const openApiDocument = z.looseObject({
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        responses: z.record(
          z.string(),
          z.object({ content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })).optional() }),
        ),
      }),
    ),
  ),
});

/** Makes every object of the schemas refuse fields that it does not name. */
function closeObjects(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  if ("properties" in schema && !("additionalProperties" in schema)) Object.assign(schema, { additionalProperties: false });
  for (const part of Object.values(schema)) closeObjects(part);
}
