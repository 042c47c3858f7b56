import { createServer as createTcpServer } from "node:net";
import { createServer } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Endpoint } from "../../src/model/health.ts";
import type { Probe } from "../../src/model/inventory.ts";
import { createLoopback, type Loopback, limits } from "../support/loopback.ts";
import { endpointOf } from "../support/simulated-world.ts";

let loopback: Loopback;
beforeEach(() => {
  loopback = createLoopback();
});
afterEach(() => loopback.close());

const probe = (port: number, over: Partial<Probe>, timeout?: number) => {
  const endpoint: Endpoint = { ...endpointOf("c0", {}, { port, ...over }), address: "127.0.0.1" };
  return loopback.prober.probe(endpoint, limits(timeout));
};
const serve = (cert: string, minVersion?: "TLSv1.3") =>
  loopback.listen(createServer({ key: loopback.certificates.key, cert, ...(minVersion === undefined ? {} : { minVersion }) }));

test("TCP: ok when the connection stands, which is closed again", async () => {
  const result = await probe(await loopback.listen(createTcpServer((socket) => socket.resume())), { type: "TCP" });
  expect(result).toMatchObject({ ok: true, reason: "ok" });
  expect(result.roundTrip).toBeGreaterThan(0);
  await loopback.allClosed();
});

test("TCP and TLS: refused where nobody listens", async () => {
  const server = createTcpServer();
  const port = await loopback.listen(server);
  await new Promise((resolve) => server.close(resolve));
  expect((await probe(port, { type: "TCP" })).reason).toBe("refused");
  expect((await probe(port, { type: "TLS" })).reason).toBe("refused");
  server.listen(0);
});

test("TLS: ok after a handshake with a valid certificate", async () => {
  const port = await serve(loopback.certificates.cert);
  expect((await probe(port, { type: "TLS" })).reason).toBe("ok");
  expect((await probe(port, { type: "TLS", host: "a.shop.example.org" })).reason).toBe("ok");
  expect((await probe(await serve(loopback.certificates.cert, "TLSv1.3"), { type: "TLS" })).reason).toBe("ok");
  await loopback.allClosed();
});

test("TLS: a certificate for another name, an expired one, and no TLS at all", async () => {
  const port = await serve(loopback.certificates.cert);
  expect((await probe(port, { type: "TLS", host: "example.org" })).reason).toBe("tls");
  expect((await probe(port, { type: "TLS", host: "example.org", verify: false })).reason).toBe("ok");
  expect((await probe(await serve(loopback.certificates.expired), { type: "TLS" })).reason).toBe("tls");
  const plain = await loopback.listen(createTcpServer((socket) => socket.end("220 hello\r\n")));
  expect((await probe(plain, { type: "TLS" })).reason).toBe("tls");
});

test("TLS: silence is a timeout and leaves no connection", async () => {
  const port = await loopback.listen(createTcpServer((socket) => socket.resume()));
  expect((await probe(port, { type: "TLS" }, 100)).reason).toBe("timeout");
  await loopback.allClosed();
});
