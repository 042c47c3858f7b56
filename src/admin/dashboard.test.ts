import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeView } from "../../test/support/fake-view.ts";
import { createMetrics } from "../observe/metrics.ts";
import { readDashboard } from "./dashboard.ts";
import { type AdminServer, createAdminServer } from "./server.ts";

const SCRIPT = `export const long = "${"x".repeat(2000)}";`;
let folder: string;
let server: AdminServer;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
  mkdirSync(join(folder, "bundle", "assets"), { recursive: true });
  writeFileSync(join(folder, "secret.js"), "secret");
  writeFileSync(join(folder, "bundle", "index.html"), "<!doctype html><title>GlobalRoute</title>");
  writeFileSync(join(folder, "bundle", "assets", "index-abc.js"), SCRIPT);
  writeFileSync(join(folder, "bundle", "sources.sha256"), "no file of the page");
  server = await start(join(folder, "bundle"));
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function start(bundle: string): Promise<AdminServer> {
  const loopback = { address: "127.0.0.1", port: 0 };
  const started = await createAdminServer({
    view: createFakeView(),
    metrics: createMetrics(),
    listen: loopback,
    metricsListen: loopback,
    flag: "--admin",
    token: "0123456789abcdef0123",
    version: "1.2.3",
    log: { error: () => {} },
    every: () => () => {},
    dashboard: { files: () => readDashboard(bundle), missing: () => ({ fact: "It is <gone>.", remedy: "Run `npm ci`." }) },
  });
  await started.start();
  port = started.address().port;
  return started;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** The path as it is written: `fetch` would tidy `..` away. */
function get(path: string, headers: Record<string, string> = {}, at = port): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: at, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    sent.on("error", reject).end();
  });
}

describe("the page", () => {
  test("comes with headers that let nothing from elsewhere in, and is asked for anew each time", async () => {
    const { status, headers, body } = await get("/");
    expect([status, headers["content-type"], body.toString()]).toEqual([
      200,
      "text/html; charset=utf-8",
      "<!doctype html><title>GlobalRoute</title>",
    ]);
    expect(headers["content-security-policy"]).toMatch(/^default-src 'self'; .*frame-ancestors 'none'/);
    expect(headers["content-security-policy"]).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    });
  });

  test("is not sent again to who has it", async () => {
    const { headers } = await get("/");
    const etag = String(headers.etag);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await get("/", { "if-none-match": known });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    }
    expect((await get("/", { "if-none-match": '"other"' })).status).toBe(200);
  });

  test("is not on the listener of metrics", async () => {
    const metrics = server.metricsAddress()?.port ?? 0;
    expect((await get("/", {}, metrics)).status).toBe(404);
    expect((await get("/assets/index-abc.js", {}, metrics)).status).toBe(404);
  });

  test("is not given to a foreign host name", async () => {
    expect((await get("/", { host: "evil.example.org" })).status).toBe(403);
  });
});

describe("its assets", () => {
  test("are kept for ever, and packed for who can unpack them", async () => {
    const plain = await get("/assets/index-abc.js");
    expect([plain.status, plain.headers["content-type"], plain.headers["content-encoding"], plain.body.toString()]).toEqual([
      200,
      "text/javascript; charset=utf-8",
      undefined,
      SCRIPT,
    ]);
    expect(plain.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    const packed = await get("/assets/index-abc.js", { "accept-encoding": "br, gzip" });
    expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(packed.body.length).toBeLessThan(plain.body.length / 10);
    expect((await get("/assets/index-abc.js", { "accept-encoding": "gzip;q=0" })).headers["content-encoding"]).toBeUndefined();
  });

  test.each([
    "/assets/../index.html",
    "/assets/..%2f..%2fsecret.js",
    "/assets/%2e%2e/%2e%2e/secret.js",
    "/assets/..\\..\\secret.js",
    "/assets/index-abc.js%00.html",
    "/assets/",
    "/../secret.js",
    "/sources.sha256",
    "/assets/sources.sha256",
    "//secret.js",
  ])("nothing else can be had: %s", async (path) => {
    const { status, body } = await get(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body.toString()).not.toMatch(/^secret|no file of the page/);
  });
});

test("without a bundle the page says what to do, and the API goes on", async () => {
  await server.stop();
  server = await start(join(folder, "nothing"));
  const { status, headers, body } = await get("/");
  expect([status, headers["retry-after"]]).toEqual([503, "3"]);
  expect(body.toString()).toContain("Run `npm ci`.");
  expect(body.toString()).toContain("It is &#60;gone&#62;.");
  expect((await get("/assets/index-abc.js")).status).toBe(404);
  expect((await get("/v1/status")).status).toBe(200);
});
