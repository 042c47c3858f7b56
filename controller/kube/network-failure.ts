/** Why no answer came from an API server, in words. Pure. */
import { field, textField } from "./kube-status.ts";

export interface NetworkFailure {
  /** CamelCase, `reason` of the KubeError. */
  readonly reason: "Refused" | "Unresolved" | "Timeout" | "Cut" | "NotTrusted" | "AddressForbidden" | "Network";
  readonly fact: string;
  readonly remedy: string;
}

const unreached = "See that the API server runs, and that nothing on the way blocks it.";
const distrusted = "Give the certificate authority of that API server in the kubeconfig.";

const failures: readonly (NetworkFailure & { readonly codes: readonly string[] })[] = [
  { codes: ["ECONNREFUSED"], reason: "Refused", fact: "the connection was refused", remedy: unreached },
  {
    codes: ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_NONAME"],
    reason: "Unresolved",
    fact: "the name of the server was not resolved",
    remedy: "See that the name is right and that the resolver of this machine knows it.",
  },
  {
    codes: ["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN"],
    reason: "Timeout",
    fact: "the server could not be reached",
    remedy: unreached,
  },
  {
    codes: [
      "ECONNRESET",
      "EPIPE",
      "UND_ERR_SOCKET",
      "UND_ERR_CLOSED",
      "UND_ERR_DESTROYED",
      "UND_ERR_ABORTED",
      "ERR_STREAM_PREMATURE_CLOSE",
    ],
    reason: "Cut",
    fact: "the connection was cut",
    remedy: unreached,
  },
  {
    codes: [
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "CERT_SIGNATURE_FAILURE",
      "CERT_UNTRUSTED",
    ],
    reason: "NotTrusted",
    fact: "the server's certificate is not trusted",
    remedy: distrusted,
  },
  {
    codes: ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"],
    reason: "NotTrusted",
    fact: "the server's certificate has expired or is not valid yet",
    remedy: "Renew the certificate of the API server, or set this machine's clock.",
  },
  {
    codes: ["ERR_TLS_CERT_ALTNAME_INVALID"],
    reason: "NotTrusted",
    fact: "the server's certificate is for another name",
    remedy: "Use a name that the certificate holds, or give it as tls-server-name in the kubeconfig.",
  },
];

/** Raised by our own connector, see `guarded-connector.ts`. */
export const ADDRESS_FORBIDDEN = "ERR_ADDRESS_FORBIDDEN";

/** @returns a class of failure; nothing that the other side sent is in its words */
export function describeFailure(error: unknown): NetworkFailure {
  const code = failureCode(error);
  if (code === ADDRESS_FORBIDDEN) {
    return {
      reason: "AddressForbidden",
      fact: textField(error, "message"),
      remedy: "Use an address of the API server that is no local one, or allow the network with --cluster-allow.",
    };
  }
  const known = failures.find(({ codes }) => codes.includes(code));
  if (known !== undefined) return known;
  return { reason: "Network", fact: `the connection failed (${code === "" ? "no code" : code})`, remedy: unreached };
}

/** The first code along the causes: undici wraps, and several addresses make an AggregateError. */
function failureCode(error: unknown): string {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at !== undefined && at !== null; depth++) {
    const code = textField(at, "code") || propertyText(at, "code");
    if (code !== "" && code !== "UND_ERR_SOCKET") return code;
    const errors = field(at, "errors");
    at = field(at, "cause") ?? (Array.isArray(errors) ? errors[0] : undefined) ?? (code === "" ? undefined : { code: "ECONNRESET" });
  }
  return "";
}

/** Codes may be getters of the error's class. */
function propertyText(value: unknown, name: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === "string" ? found : "";
}
