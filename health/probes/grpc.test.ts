import { createSecureServer, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Endpoint } from "../../src/model/health.ts";
import type { Probe } from "../../src/model/inventory.ts";
import { createLoopback, type Loopback, limits } from "../support/loopback.ts";
import { endpointOf } from "../support/simulated-world.ts";
import { decodeResponse, encodeRequest } from "./grpc.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("messages", () => {
  test.each([
    ["", "00 00000000"],
    ["shop", "00 00000006 0a 04 73686f70"],
    ["x".repeat(200), `00 000000cb 0a c801 ${"78".repeat(200)}`],
  ])("request %#", (service, bytes) => expect(encodeRequest(service)).toEqual(hex(bytes)));

  test.each([
    ["00 00000002 08 01", 1], // SERVING
    ["00 00000002 08 02", 2], // NOT_SERVING
    ["00 00000000", 0], // UNKNOWN is left out
    ["00 00000005 12 01 78 08 01", 1], // an unknown field before it
    ["00 00000002 08", undefined], // shorter than it says
    ["00 00000001 08 01", undefined], // longer than it says
    ["01 00000002 08 01", undefined], // compressed, which was not offered
    ["00 00000001 08", undefined], // a tag without value
    ["00 00000002 12 05", undefined], // a string that ends outside
    ["00 00000002 0d 01", undefined], // a wire type that the message does not have
    ["", undefined],
  ])("response %s: %s", (bytes, status) => expect(decodeResponse(hex(bytes))).toBe(status));

  test("no bytes crash the decoder", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), bytes]);
        for (const input of [Buffer.from(bytes), framed]) expect(["number", "undefined"]).toContain(typeof decodeResponse(input));
      }),
    );
  });
});

let loopback: Loopback;
beforeEach(() => {
  loopback = createLoopback();
});
afterEach(() => loopback.close());

const probe = (port: number, over: Partial<Probe> = {}, timeout?: number) => {
  const endpoint: Endpoint = { ...endpointOf("c0", {}, { type: "GRPC", port, ...over }), address: "127.0.0.1" };
  return loopback.prober.probe(endpoint, limits(timeout));
};

/** A health service that knows `shop` (serving) and `cart` (not serving). */
async function health(stream: ServerHttp2Stream, headers: { ":path"?: string | undefined }): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const service = body.subarray(7).toString();
  const known = headers[":path"] === "/grpc.health.v1.Health/Check" && ["", "shop", "cart"].includes(service);
  if (!known) {
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5" }, { endStream: true });
    return;
  }
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(hex(service === "cart" ? "00 00000002 08 02" : "00 00000002 08 01"));
}

const plain = (onStream: (stream: ServerHttp2Stream, headers: { ":path"?: string | undefined }) => void) => {
  const server = createServer();
  server.on("session", (session: ServerHttp2Session) => session.on("error", () => session.destroy()));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => stream.destroy());
    onStream(stream, headers);
  });
  return loopback.listen(server);
};
const respond = (headers: Record<string, string | number>, body = "") =>
  plain((stream) => {
    stream.respond({ "content-type": "application/grpc", ...headers });
    stream.end(hex(body));
  });

describe("check", () => {
  test.each([
    ["", "ok"],
    ["shop", "ok"],
    ["cart", "not-serving"],
    ["nothing", "not-serving"],
  ])("service '%s' is %s, and the connection is closed", async (service, reason) => {
    const result = await probe(await plain(health), { service });
    expect(result.reason).toBe(reason);
    expect(result.roundTrip).toBeGreaterThan(0);
    await loopback.allClosed();
  });

  test("over TLS, verified", async () => {
    const { key, cert, expired } = loopback.certificates;
    const secure = (certificate: string) => {
      const server = createSecureServer({ key, cert: certificate });
      server.on("stream", health);
      return loopback.listen(server);
    };
    expect((await probe(await secure(cert), { scheme: "HTTPS" })).reason).toBe("ok");
    expect((await probe(await secure(cert), { scheme: "HTTPS", host: "example.org" })).reason).toBe("tls");
    expect((await probe(await secure(expired), { scheme: "HTTPS" })).reason).toBe("tls");
  });

  test.each([
    [{ ":status": 503 }, "", "status"],
    [{ ":status": 200, "grpc-status": "12" }, "", "protocol"],
    [{ ":status": 200, "grpc-status": "14" }, "", "not-serving"],
    [{ ":status": 200 }, "00 00000002 08 01", "protocol"], // no grpc-status at all
    [{ ":status": 200, "grpc-status": "0" }, "ff", "protocol"],
    [{ ":status": 200, "grpc-status": "0" }, "00".repeat(10_000), "protocol"],
  ])("%j %#: %s", async (headers, body, reason) => expect((await probe(await respond(headers, body))).reason).toBe(reason));

  test("silence, another protocol, a reset and nobody", async () => {
    expect((await probe(await plain(() => {}), {}, 100)).reason).toBe("timeout");
    await loopback.allClosed();
    const smtp = await loopback.listen(createTcpServer((socket) => socket.write("220 mail.example.org ESMTP\r\n")));
    expect((await probe(smtp)).reason).toBe("protocol");
    const reset = await loopback.listen(createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())));
    expect((await probe(reset)).reason).toBe("reset");
    expect((await probe(await plain((stream) => stream.close(2)))).reason).toBe("protocol");
  });
});
