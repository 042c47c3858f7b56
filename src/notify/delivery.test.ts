import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { createCourier, verdictOf } from "./delivery.ts";
import type { Told } from "./messages.ts";
import { signatureOf } from "./signature.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const told: Told = {
  ...{ id: "4711", more: 0 },
  notification: {
    key: "k",
    notice: "Failover",
    phase: "Moment",
    severity: "warning",
    object: "o",
    message: "é",
    startedAt: NOW,
    details: {},
  },
};

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function receiver(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    requests.push({ request, body });
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const courier = createCourier({ instance: "dublin", version: "1.2.3" }, () => NOW);
  closers.push(
    () => server.close(),
    () => server.closeAllConnections(),
    courier.close,
  );
  return { requests, courier, url: `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}` };
}

test("a webhook is signed, named and authorised", async () => {
  const { requests, courier, url } = await receiver((_request, response) => void response.end());
  const target = { type: "Webhook", url: `${url}/hook?a=b`, signingKey: "key", token: "token" } as const;
  expect(await courier.deliver(target, told)).toEqual({ outcome: "sent" });
  const [{ request, body }] = requests as [(typeof requests)[number]];
  expect([request.method, request.url]).toEqual(["POST", "/hook?a=b"]);
  expect(request.headers).toMatchObject({
    "content-type": "application/json",
    authorization: "Bearer token",
    "globalroute-delivery": "4711",
    "globalroute-timestamp": String(NOW / 1000),
    "globalroute-signature": signatureOf("key", String(NOW / 1000), body),
  });
});

test("without a key there is no signature; Alertmanager is found below its base", async () => {
  const { requests, courier, url } = await receiver((_request, response) => void response.end());
  await courier.deliver({ type: "Alertmanager", url: `${url}/alertmanager/` }, told);
  expect(requests[0]?.request.url).toBe("/alertmanager/api/v2/alerts");
  expect(Object.keys(requests[0]?.request.headers ?? {}).filter((name) => /signature|timestamp|authorization/.test(name))).toEqual([]);
});

test("a redirect is refused, not followed", async () => {
  const { requests, courier, url } = await receiver((_request, response) => void response.writeHead(307, { location: "/other" }).end());
  expect(await courier.deliver({ type: "Slack", url }, told)).toEqual({ outcome: "refused", reason: "status 307" });
  expect(requests).toHaveLength(1);
});

test("what cannot be reached or breaks off may be reached later, and the reason names no address", async () => {
  const { courier, url } = await receiver((request) => void request.socket.destroy());
  const broken = await courier.deliver({ type: "Slack", url: `${url}/secret` }, told);
  expect(broken.outcome).toBe("later");
  const none = await courier.deliver({ type: "Slack", url: "http://127.0.0.1:1/secret" }, told);
  expect(none).toEqual({ outcome: "later", reason: "ECONNREFUSED" });
  expect(JSON.stringify([broken, none])).not.toMatch(/secret|127\.0/);
});

test.each([
  { status: 204, retryAfter: undefined, verdict: { outcome: "sent" } },
  { status: 429, retryAfter: "30", verdict: { outcome: "later", reason: "status 429", after: 30_000 } },
  { status: 503, retryAfter: new Date(NOW + 7000).toUTCString(), verdict: { outcome: "later", reason: "status 503", after: 7000 } },
  { status: 503, retryAfter: new Date(NOW - 7000).toUTCString(), verdict: { outcome: "later", reason: "status 503", after: 0 } },
  { status: 500, retryAfter: "soon", verdict: { outcome: "later", reason: "status 500" } },
  { status: 408, retryAfter: undefined, verdict: { outcome: "later", reason: "status 408" } },
  { status: 404, retryAfter: "30", verdict: { outcome: "refused", reason: "status 404" } },
])("status $status with Retry-After $retryAfter", ({ status, retryAfter, verdict }) =>
  expect(verdictOf(status, retryAfter, NOW)).toEqual(verdict),
);

test("the verification that docs/notifications.md shows takes ours and nothing else", async () => {
  const page = readFileSync(new URL("../../docs/notifications.md", import.meta.url), "utf8");
  const snippet = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const module: unknown = await import(`data:text/javascript,${encodeURIComponent(snippet)}`);
  const verify = (headers: Record<string, string>, body: string, now = NOW): unknown => {
    if (typeof module !== "object" || module === null || !("isFromGlobalRoute" in module) || typeof module.isFromGlobalRoute !== "function")
      throw new Error("the snippet has no isFromGlobalRoute");
    return module.isFromGlobalRoute(headers, body, "key", now);
  };
  const timestamp = String(NOW / 1000);
  const headers = { "globalroute-timestamp": timestamp, "globalroute-signature": signatureOf("key", timestamp, "bódy") };
  expect(verify(headers, "bódy")).toBe(true);
  expect(verify(headers, "body")).toBe(false);
  expect(verify({ ...headers, "globalroute-timestamp": String(NOW / 1000 + 1) }, "bódy")).toBe(false);
  expect(verify(headers, "bódy", NOW + 400_000)).toBe(false);
  expect(verify({}, "bódy")).toBe(false);
  expect(verify({ ...headers, "globalroute-signature": signatureOf("other", timestamp, "bódy") }, "bódy")).toBe(false);
});
