import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type Socket } from "node:net";
import { createSecureContext, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Endpoint } from "../../src/model/health.ts";
import type { Probe } from "../../src/model/inventory.ts";
import { createLoopback, type Loopback, limits } from "../support/loopback.ts";
import { endpointOf } from "../support/simulated-world.ts";
import { createHttpProber } from "./http.ts";

const ANSWER_AFTER_50_MS = `
  const server = require("node:http").createServer((_, response) => {
    console.log("asked");
    setTimeout(() => response.end(), 50);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

let loopback: Loopback;
beforeEach(() => {
  loopback = createLoopback();
});
afterEach(() => loopback.close());

const at = (port: number, probe: Partial<Probe> = {}): Endpoint => {
  const endpoint = endpointOf("c0", {}, { port, ...probe });
  return { ...endpoint, key: `${port}|${JSON.stringify(probe)}`, address: "127.0.0.1" };
};
const https = { scheme: "HTTPS" } as const;
const withBody = (body: string): Partial<Probe> => ({ expect: { status: [{ from: 200, to: 299 }], body } });
const serve = (handler: RequestListener) => loopback.listen(createServer(handler));
const serveTls = (handler: RequestListener, cert = loopback.certificates.cert) =>
  loopback.listen(createTlsServer({ key: loopback.certificates.key, cert, keepAliveTimeout: 0 }, handler));
const probe = (endpoint: Endpoint, timeout?: number) => loopback.prober.probe(endpoint, limits(timeout));
const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(code, headers).end("body");
  };

describe("status and body", () => {
  test.each([
    [200, "ok"],
    [399, "ok"],
    [400, "status"],
    [503, "status"],
  ] as const)("%i is %s", async (code, reason) => {
    expect(await probe(at(await serve(status(code))))).toMatchObject({ ok: reason === "ok", reason });
  });

  test("a redirect is a status, not followed", async () => {
    let asked = 0;
    const port = await serve((_, response) => {
      asked++;
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    expect((await probe(at(port, { expect: { status: [{ from: 200, to: 299 }] } }))).reason).toBe("status");
    expect(asked).toBe(1);
  });

  test("asks for the path at the address, in the name of the host", async () => {
    const requests: IncomingMessage[] = [];
    const port = await serve((request, response) => {
      requests.push(request);
      response.end();
    });
    const result = await probe(at(port, { path: "/healthz?full=1", host: "shop.example.org" }));
    expect(result).toMatchObject({ ok: true, reason: "ok" });
    expect(requests.map(({ method, url, headers }) => [method, url, headers.host])).toEqual([
      ["GET", "/healthz?full=1", `shop.example.org:${port}`],
    ]);
    expect(result.roundTrip).toBeGreaterThan(0);
    expect(result.roundTrip).toBeLessThanOrEqual(result.latency);
  });

  test.each([
    ["all is ok", "ok"],
    ["all is well", "body"],
    ["", "body"],
    [`${"x".repeat(65_534)}ok`, "ok"],
    [`${"x".repeat(65_535)}ok`, "body"],
    [`${"x".repeat(10_000_000)}`, "body"],
  ])("expected body, case %#", async (body, reason) => {
    const port = await serve((_, response) => response.end(body));
    expect((await probe(at(port, withBody("ok")))).reason).toBe(reason);
    await loopback.allClosed();
  });

  test.each([
    [{ "content-length": "100" }, "reset"],
    [{ "transfer-encoding": "chunked" }, "protocol"],
  ])("a body cut off before its end (%j) is no answer: %s", async (framing, reason) => {
    const port = await serve((_, response) => {
      response.writeHead(200, framing);
      response.write("ok so far", () => response.destroy());
    });
    expect((await probe(at(port, withBody("fine")))).reason).toBe(reason);
  });

  test("interim responses are not the response", async () => {
    const port = await serve((_, response) => {
      response.writeProcessing();
      response.writeHead(503).end();
    });
    expect((await probe(at(port))).reason).toBe("status");
  });

  test("the load that the endpoint reports is passed on, whatever its status", async () => {
    const headers = { "endpoint-load-metrics": "TEXT application_utilization=0.8" };
    expect((await probe(at(await serve(status(200, headers))))).load).toBe(0.8);
    expect((await probe(at(await serve(status(503, headers))))).load).toBe(0.8);
  });
});

describe("faults", () => {
  const serveRaw = (answer: (socket: Socket) => void) =>
    loopback.listen(createTcpServer((socket) => socket.once("data", () => answer(socket))));

  test("nobody listens: refused", async () => {
    const server = createServer();
    const port = await loopback.listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect((await probe(at(port))).reason).toBe("refused");
    expect((await probe(at(port, https))).reason).toBe("refused");
    server.listen(0); // so that the fixture can close it
  });

  test.each([
    ["garbage", "\x00\x01\x02 what\r\n\r\n", "protocol"],
    ["a header without end", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}`, "protocol"],
    ["SMTP", "220 mail.example.org ESMTP\r\n", "protocol"],
  ])("%s: %s", async (_, bytes, reason) => {
    const port = await serveRaw((socket) => socket.write(bytes));
    expect((await probe(at(port))).reason).toBe(reason);
  });

  test("closed without an answer: reset", async () => {
    expect((await probe(at(await serveRaw((socket) => socket.end())))).reason).toBe("reset");
    expect((await probe(at(await serveRaw((socket) => socket.resetAndDestroy())))).reason).toBe("reset");
  });

  test.each([
    ["no byte", (): void => {}],
    ["a trickle of header", (socket: Socket) => drip(socket, "HTTP/1.1 200 OK\r\nx-long: ")],
    ["a trickle of body", (socket: Socket) => drip(socket, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")],
  ])("%s until the deadline: timeout, and the connection is gone", async (_, answer) => {
    const port = await serveRaw(answer);
    const result = await probe(at(port, withBody("never")), 100);
    expect(result.reason).toBe("timeout");
    expect(result.latency).toBeGreaterThanOrEqual(99);
    expect(result.latency).toBeLessThan(1000);
    await loopback.allClosed();
  });

  test("a handshake that never ends: timeout, and the connection is gone", async () => {
    const port = await serveRaw(() => {});
    expect((await probe(at(port, https), 100)).reason).toBe("timeout");
    await loopback.allClosed();
  });

  test("an answer that waits while this process stands still is not a timeout", async () => {
    const child = spawn(process.execPath, ["-e", ANSWER_AFTER_50_MS], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const said = (): Promise<unknown> => new Promise((resolve) => child.stdout.once("data", resolve));
      const port = Number(await said());
      const asked = said();
      const result = probe(at(port), 200);
      await asked;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      expect((await result).reason).toBe("ok");
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("a cancelled probe ends at once and closes its connection", async () => {
    const abort = new AbortController();
    const port = await serveRaw(() => abort.abort());
    const result = await loopback.prober.probe(at(port), limits(60_000, abort.signal));
    expect(result.ok).toBe(false);
    await loopback.allClosed();
    expect((await loopback.prober.probe(at(port), limits(60_000, abort.signal))).ok).toBe(false);
  });

  test("an address that may not be probed is not connected to", async () => {
    let asked = 0;
    const port = await serve((_, response) => {
      asked++;
      response.end();
    });
    expect((await probe({ ...at(port), address: "::1" })).reason).toBe("forbidden-address");
    expect((await probe({ ...at(port), address: "localhost" })).reason).toBe("forbidden-address");
    expect(asked).toBe(0);
  });
});

/** Sends a byte every few milliseconds for as long as the peer listens. */
function drip(socket: Socket, start: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write("z"), 5);
  socket.once("close", () => clearInterval(timer));
}

describe("HTTPS", () => {
  const answer = (_: IncomingMessage, response: ServerResponse): void => void response.end("ok");

  test("verifies the certificate against the host and sends it as SNI", async () => {
    const names: (string | false | null)[] = [];
    const port = await serveTls((request, response) => {
      names.push((request.socket as TLSSocket & { servername?: string | false }).servername ?? null);
      response.end();
    });
    expect((await probe(at(port, https))).reason).toBe("ok");
    expect((await probe(at(port, { ...https, host: "other.example.org" }))).reason).toBe("tls");
    expect((await probe(at(port, { ...https, host: "other.example.org", verify: false }))).reason).toBe("ok");
    expect((await probe(at(port, { ...https, host: "127.0.0.1" }))).reason).toBe("ok");
    expect((await probe(at(port, { ...https, host: "127.0.0.2" }))).reason).toBe("tls");
    expect(names).toEqual(["shop.example.org", "other.example.org", false]);
  });

  test("an expired certificate and plain HTTP on the port: tls", async () => {
    expect((await probe(at(await serveTls(answer, loopback.certificates.expired), https))).reason).toBe("tls");
    expect((await probe(at(await serve(answer), https))).reason).toBe("tls");
    expect((await probe(at(await serveTls(answer)))).ok).toBe(false);
  });

  test("keeps the connection from probe to probe, and measures a round trip only when it connects", async () => {
    const sockets = new Set<Socket>();
    const port = await serveTls((request, response) => {
      sockets.add(request.socket);
      answer(request, response);
    });
    const results = [await probe(at(port, https)), await probe(at(port, https)), await probe(at(port, https))];
    expect(results.map((result) => [result.reason, result.roundTrip !== undefined])).toEqual([
      ["ok", true],
      ["ok", false],
      ["ok", false],
    ]);
    expect(sockets.size).toBe(1);
    expect(loopback.open()).toBe(1);
    await loopback.prober.close();
    await loopback.allClosed();
  });

  test("a connection that has reached its age is replaced, so that an expired certificate is seen", async () => {
    const sockets: Socket[] = [];
    const port = await serveTls((request, response) => {
      sockets.push(request.socket);
      answer(request, response);
    });
    const http = createHttpProber(createSecureContext({ ca: loopback.certificates.ca }), 0);
    for (let i = 0; i < 3; i++) expect((await http.probe(at(port, https), limits())).reason).toBe("ok");
    expect(new Set(sockets).size).toBe(3);
    await http.close();
    await loopback.allClosed();
  });

  test("a probe that ends after the prober was closed keeps nothing open", async () => {
    let respond: (() => void) | undefined;
    const port = await serveTls((request, response) => {
      respond = () => answer(request, response);
    });
    const asked = probe(at(port, https));
    while (respond === undefined) await new Promise((resolve) => setImmediate(resolve));
    await loopback.prober.close();
    respond();
    expect((await asked).reason).toBe("ok");
    await loopback.allClosed();
  });

  test("plain HTTP connects anew each time", async () => {
    const sockets = new Set<Socket>();
    const port = await serve((request, response) => {
      sockets.add(request.socket);
      answer(request, response);
    });
    for (let i = 0; i < 3; i++) expect((await probe(at(port))).roundTrip).toBeGreaterThan(0);
    expect(sockets.size).toBe(3);
    await loopback.allClosed();
  });

  test("a kept connection that the server closes under the request is no failure: it is asked on a new one", async () => {
    let requests = 0;
    const port = await serveTls((request, response) => {
      requests++;
      if (requests === 2) request.socket.destroy();
      else answer(request, response);
    });
    await probe(at(port, https));
    expect((await probe(at(port, https))).reason).toBe("ok");
    expect(requests).toBe(3);
  });

  test("a server that resets new connections as well is a reset", async () => {
    let requests = 0;
    const port = await serveTls((request, response) => {
      requests++;
      if (requests > 1) request.socket.destroy();
      else answer(request, response);
    });
    await probe(at(port, https));
    expect((await probe(at(port, https))).reason).toBe("reset");
    expect(requests).toBe(3);
  });

  test("a kept connection that dies between probes is replaced", async () => {
    const sockets: Socket[] = [];
    const port = await serveTls((request, response) => {
      sockets.push(request.socket);
      answer(request, response);
    });
    await probe(at(port, https));
    sockets[0]?.destroy();
    await loopback.allClosed();
    expect((await probe(at(port, https))).reason).toBe("ok");
    expect(sockets).toHaveLength(2);
  });

  test("silence on a kept connection is a timeout and closes it", async () => {
    let requests = 0;
    const port = await serveTls((request, response) => {
      if (++requests === 1) answer(request, response);
    });
    await probe(at(port, https));
    expect((await probe(at(port, https), 100)).reason).toBe("timeout");
    await loopback.allClosed();
  });

  test("a body that is not wanted and never ends does not change a good status", async () => {
    const port = await serveTls((_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("x");
    });
    expect((await probe(at(port, https), 100)).reason).toBe("ok");
    await loopback.allClosed();
  });
});
