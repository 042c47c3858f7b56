/** Answers that come from the proxy itself: why a request was not passed on, or found nobody. */
import type { UpstreamLoss } from "./upstream-connection.ts";

export interface OwnAnswer {
  readonly status: number;
  /** For people, one sentence. */
  readonly text: string;
  /** Seconds after which it may be asked again. */
  readonly retryAfter?: number;
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

export const NO_ROUTE: OwnAnswer = { status: 404, text: "No route has this host." };
/** RFC 9110 §15.5.20: the client may ask again by a connection of its own for this host. */
export const MISDIRECTED: OwnAnswer = { status: 421, text: "This connection's certificate is not for this host." };
export const SLOW_CLIENT: OwnAnswer = { status: 408, text: "The request did not arrive in time." };
export const BODY_TOO_LARGE: OwnAnswer = { status: 413, text: "The body is too large." };
export const LOST: OwnAnswer = { status: 502, text: "The endpoint closed the connection before it answered." };
export const BAD_RESPONSE: OwnAnswer = { status: 502, text: "The endpoint's answer is not valid HTTP." };
export const HEAD_TOO_LARGE: OwnAnswer = { status: 502, text: "The head of the endpoint's answer is too large." };
export const NO_ENDPOINT: OwnAnswer = { status: 503, text: "No endpoint of this host can be reached." };
export const BUSY: OwnAnswer = { status: 503, text: "Too many requests of this host are under way.", retryAfter: 1 };
export const SLOW_ENDPOINT: OwnAnswer = { status: 504, text: "The endpoint did not answer in time." };
export const SLOW_REQUEST: OwnAnswer = { status: 504, text: "The request took longer than it may." };

/** Why nobody has answered, by how the last attempt failed that had reached its endpoint. */
export const LOSS_ANSWERS: Readonly<Record<UpstreamLoss, OwnAnswer>> = {
  unreachable: NO_ENDPOINT,
  lost: LOST,
  timeout: SLOW_ENDPOINT,
  "bad-response": BAD_RESPONSE,
  "head-too-large": HEAD_TOO_LARGE,
};

/** Is the request refused for what it is? Then no endpoint has seen the whole of it, and its connection is closed. */
export const isClientsFault = ({ status }: OwnAnswer): boolean => CLIENTS_FAULTS.has(status);
const CLIENTS_FAULTS: ReadonlySet<number> = new Set([400, 408, 413, 414, 417, 431, 501, 505]);

/**
 * The whole answer.
 *
 * @param toHead the request's method was HEAD: the body is left out, not its length
 */
export function formatOwnAnswer({ status, text, retryAfter }: OwnAnswer, toHead: boolean, keepAlive: boolean, minor: 0 | 1): string {
  const connection = keepAlive ? (minor === 0 ? "Connection: keep-alive\r\n" : "") : "Connection: close\r\n";
  const wait = retryAfter === undefined ? "" : `Retry-After: ${retryAfter}\r\n`;
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\nContent-Type: text/plain\r\nContent-Length: ${text.length + 1}\r\n${wait}${connection}\r\n`;
  return toHead ? head : `${head}${text}\n`;
}
