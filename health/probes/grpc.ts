/**
 * The gRPC health protocol over node:http2: one unary `grpc.health.v1.Health/Check`, over TLS or cleartext with prior knowledge.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md, PROTOCOL-HTTP2.md for the framing.
 */
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { SecureContext } from "node:tls";
import type { Endpoint, ProbeReason, ProbeResult } from "../../src/model/health.ts";
import type { ProbeLimits } from "../ports.ts";
import { attempt } from "./attempt.ts";
import { dialTcp, dialTls } from "./dial.ts";
import { probeReason } from "./probe-reason.ts";

const SERVING = 1;
/** A HealthCheckResponse is two bytes; whatever sends more is no health service. Bytes. */
const MAX_RESPONSE = 4096;
const OK = "0";
const UNIMPLEMENTED = "12";

/** Ok when the server says SERVING of `probe.service` (empty = of itself); `not-serving` when it says anything else. */
export const probeGrpc = (endpoint: Endpoint, context: SecureContext, limits: ProbeLimits): Promise<ProbeResult> =>
  attempt(limits, (run) => {
    const secure = endpoint.probe.scheme === "HTTPS";
    const authority = endpoint.probe.host || (endpoint.address.includes(":") ? `[${endpoint.address}]` : endpoint.address);
    const onConnect = (): void => {
      const session = connect(`${secure ? "https" : "http"}://${authority}`, { createConnection: () => socket });
      session.on("error", run.fail);
      run.release(() => session.destroy());
      const stream = session.request({
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        "user-agent": "globalroute-probe",
        te: "trailers",
      });
      readAnswer(stream, run.finish);
      stream.end(encodeRequest(endpoint.probe.service));
    };
    const socket = secure ? dialTls(endpoint, context, ["h2"], run, onConnect) : dialTcp(endpoint, run, onConnect);
    run.release(() => socket.destroy());
  });

function readAnswer(stream: ClientHttp2Stream, finish: (reason: ProbeReason) => void): void {
  let httpStatus = 0;
  let grpcStatus: string | undefined;
  let size = 0;
  const chunks: Buffer[] = [];
  const readStatus = (headers: IncomingHttpHeaders): void => {
    const value = headers["grpc-status"];
    if (typeof value === "string") grpcStatus = value;
  };
  stream.on("response", (headers) => {
    httpStatus = Number(headers[":status"]);
    readStatus(headers); // an answer without a message carries it here
  });
  stream.on("trailers", readStatus);
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_RESPONSE) finish("protocol");
    else chunks.push(chunk);
  });
  stream.on("error", (error) => finish(probeReason(error)));
  stream.on("end", () => {
    if (httpStatus !== 200) return finish(httpStatus === 0 ? "protocol" : "status");
    if (grpcStatus === undefined || grpcStatus === UNIMPLEMENTED) return finish("protocol");
    if (grpcStatus !== OK) return finish("not-serving");
    const serving = decodeResponse(Buffer.concat(chunks));
    finish(serving === undefined ? "protocol" : serving === SERVING ? "ok" : "not-serving");
  });
}

/** A length-prefixed message (1 byte compressed = 0, 4 bytes length) holding `HealthCheckRequest { string service = 1; }`. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  // field 1, wire type 2 (length-delimited): tag 0x0a; an empty string is left out (proto3)
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Reads `HealthCheckResponse { ServingStatus status = 1; }`. @returns the status (0 when left out), undefined for bytes that are no such message */
export function decodeResponse(bytes: Buffer): number | undefined {
  if (bytes.length < 5 || bytes[0] !== 0 || bytes.readUInt32BE(1) !== bytes.length - 5) return undefined;
  let status = 0;
  let offset = 5;
  const readVarint = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[offset++];
      if (byte === undefined) return undefined;
      if (shift < 28) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (offset < bytes.length) {
    const tag = readVarint();
    const value = readVarint();
    if (tag === undefined || value === undefined) return undefined;
    const wireType = tag & 7;
    if (wireType === 2) offset += value;
    else if (wireType !== 0) return undefined;
    else if (tag >> 3 === 1) status = value;
  }
  return offset === bytes.length ? status : undefined;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
