/** Errors of sockets, TLS and HTTP as classes that a person and the judge understand. Pure. */
import type { ProbeReason } from "../../src/model/health.ts";

/** Where the kernel or the library says exactly what happened. */
const byCode: Readonly<Record<string, ProbeReason>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  // closed in the middle of a response
  HPE_INVALID_EOF_STATE: "reset",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "reset",
  EPROTO: "tls",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls",
  SELF_SIGNED_CERT_IN_CHAIN: "tls",
  HOSTNAME_MISMATCH: "tls",
  INVALID_CA: "tls",
  INVALID_PURPOSE: "tls",
  PATH_LENGTH_EXCEEDED: "tls",
  ETIMEDOUT: "timeout",
  EMFILE: "descriptors",
  ENFILE: "descriptors",
  ENOBUFS: "descriptors",
  ENOMEM: "descriptors",
  ENOTFOUND: "resolution",
  EAI_AGAIN: "resolution",
  ENODATA: "resolution",
};

/** OpenSSL's and Node's families of codes. */
const byPrefix: readonly (readonly [string, ProbeReason])[] = [
  ["ERR_TLS_", "tls"],
  ["ERR_SSL_", "tls"],
  ["ERR_OSSL_", "tls"],
  ["CERT_", "tls"],
  ["CRL_", "tls"],
  ["UNABLE_TO_", "tls"],
  ["ERROR_IN_CERT_", "tls"],
  ["ERROR_IN_CRL_", "tls"],
  ["HPE_", "protocol"],
  ["UND_ERR_", "protocol"],
  ["ERR_HTTP2_", "protocol"],
  ["EAI_", "resolution"],
];

/**
 * The class of an error. One that nobody has classified counts as `unreachable`, which proves nothing: an unknown fault must not take
 * an endpoint out as if it had answered.
 */
export function probeReason(error: unknown): ProbeReason {
  if (error instanceof AggregateError && error.errors.length > 0) return probeReason(error.errors[0]);
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  if (code === "undefined" && error instanceof Error && error.name === "HTTPParserError") return "protocol"; // undici leaves out some codes
  return byCode[code] ?? byPrefix.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "unreachable";
}
