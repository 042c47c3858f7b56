import { expect, test } from "vitest";
import { isInferred } from "../../src/model/health.ts";
import { probeReason } from "./probe-reason.ts";

const coded = (code: string): Error => Object.assign(new Error("x"), { code });

test.each([
  ["ECONNREFUSED", "refused"],
  ["ECONNRESET", "reset"],
  ["UND_ERR_SOCKET", "reset"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["EADDRNOTAVAIL", "unreachable"],
  ["EMFILE", "descriptors"],
  ["ENFILE", "descriptors"],
  ["ETIMEDOUT", "timeout"],
  ["ENOTFOUND", "resolution"],
  ["EAI_AGAIN", "resolution"],
  ["CERT_HAS_EXPIRED", "tls"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"],
  ["ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "tls"],
  ["HPE_INVALID_CONSTANT", "protocol"],
  ["UND_ERR_HEADERS_OVERFLOW", "protocol"],
  ["ERR_HTTP2_SESSION_ERROR", "protocol"],
] as const)("%s is %s", (code, reason) => {
  expect(probeReason(coded(code))).toBe(reason);
  expect(probeReason(new AggregateError([coded(code), coded("EPIPE")]))).toBe(reason);
});

test.each([new Error("no code"), coded("ESOMETHINGNEW"), "text", undefined, null, new AggregateError([])])("%s proves nothing", (error) =>
  expect(isInferred(probeReason(error))).toBe(true),
);
