/** What an API server was asked, by its own audit log. */
import { readFileSync } from "node:fs";

export interface AuditEntry {
  readonly user: string;
  readonly userAgent: string;
  /** `list`, `watch`, `create`, `patch`, … */
  readonly verb: string;
  /** Empty for the core group and for what is no resource. */
  readonly group: string;
  /** Plural; empty for what is no resource. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uri: string;
  /** HTTP status; of a watch as it starts. */
  readonly status: number;
  /** Why it was refused, where the server says so. */
  readonly message: string;
  /** Milliseconds since the epoch at which the request came. */
  readonly at: number;
  /** Body of requests for our own kinds, Events and Leases. */
  readonly object: unknown;
}

/** @returns each request once: a watch from its start on, others from their end on. Empty before there is a log. */
export function readAudit(path: string): readonly AuditEntry[] {
  return readLines(path)
    .map((line) => fields(JSON.parse(line)))
    .filter((event) => text(event.stage) === (text(event.verb) === "watch" ? "ResponseStarted" : "ResponseComplete"))
    .map((event) => {
      const object = fields(event.objectRef);
      return {
        user: text(fields(event.user).username),
        userAgent: text(event.userAgent),
        verb: text(event.verb),
        group: text(object.apiGroup),
        resource: text(object.resource),
        subresource: text(object.subresource),
        namespace: text(object.namespace),
        name: text(object.name),
        uri: text(event.requestURI),
        status: Number(fields(event.responseStatus).code ?? 0),
        message: text(fields(event.responseStatus).message),
        at: Date.parse(text(event.requestReceivedTimestamp)),
        object: event.requestObject,
      };
    });
}

/** The last line may be half written. */
function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

const fields = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === "object" && value !== null ? { ...value } : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");
