import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFakeView, type FakeView } from "../../test/support/fake-view.ts";
import { createMetrics } from "../observe/metrics.ts";
import { type AdminServer, createAdminServer } from "./server.ts";

let view: FakeView;
let server: AdminServer;
let port: number;
const sockets: Socket[] = [];

beforeEach(async () => {
  view = createFakeView();
  server = await createAdminServer({
    view,
    metrics: createMetrics(),
    listen: { address: "127.0.0.1", port: 0 },
    flag: "--admin",
    token: "0123456789abcdef",
    version: "0.0.0",
    log: { error: () => {} },
    every: () => () => {},
  });
  await server.start();
  port = server.address().port;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.stop();
});

/** Reads until the text holds what is wanted. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(wanted)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended before ${wanted}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

const open = async (headers: Record<string, string> = {}, query = ""): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/stream${query}`, { headers });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  if (response.body === null) throw new Error("no body");
  return response.body.getReader();
};

test("a failover reaches a client that waits, and one that comes back gets it by Last-Event-ID", async () => {
  const waiting = await open();
  await readUntil(waiting, "retry");
  view.setHealth("eu-west", "Unhealthy");
  expect(await readUntil(waiting, "event: Failover")).toContain("id: 1\nevent: EndpointUnhealthy\n");
  await waiting.cancel();

  const back = await open({ "last-event-id": "1" }, "?after=0");
  const text = await readUntil(back, "event: Failover");
  expect(text).not.toContain("id: 1\n");
  await back.cancel();
});

test.each(["-1", "x", "1e99"])("Last-Event-ID %s is refused", async (id) => {
  expect((await fetch(`http://127.0.0.1:${port}/v1/stream`, { headers: { "last-event-id": id } })).status).toBe(400);
});

test("one stream too many is refused, and a place that is given up can be taken", async () => {
  const readers = await Promise.all(Array.from({ length: 64 }, () => open()));
  const refused = await fetch(`http://127.0.0.1:${port}/v1/stream`);
  expect([refused.status, await refused.json()]).toEqual([503, { error: expect.objectContaining({ code: "too-many-streams" }) }]);
  await readers[0]!.cancel();
  let status = 503;
  while (status === 503) {
    const again = await fetch(`http://127.0.0.1:${port}/v1/stream`);
    status = again.status;
    await again.body?.cancel();
  }
  expect(status).toBe(200);
  await Promise.all(readers.slice(1).map((reader) => reader.cancel()));
});

test("a client that never reads is cut off while others go on", async () => {
  const deaf = connect(port, "127.0.0.1");
  sockets.push(deaf);
  await once(deaf, "connect");
  deaf.write(`GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await once(deaf, "readable"); // the head has come; nothing is read from now on
  const gone = once(deaf, "close");
  const listener = await open();
  const message = "x".repeat(100_000);
  for (let i = 0; i < 400; i++) {
    view.timeline.add({ kind: "TablePublished", object: "table", message, details: {} });
    if (i % 5 === 0) await new Promise(setImmediate);
  }
  view.setHealth("eu-west", "Unhealthy");
  deaf.resume(); // what lay in the system's buffers comes first, then the end
  await gone;
  await listener.cancel();
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
}, 20_000);
