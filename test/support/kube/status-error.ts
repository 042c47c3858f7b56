/** Refusals of an API server, worded as kube-apiserver 1.35 words them. */
import type { JsonObject } from "./json.ts";

export interface Cause {
  /** Such as `FieldValueRequired`. */
  readonly reason: string;
  readonly message: string;
  /** Such as `spec.hosts[0]`. */
  readonly field: string;
}

/** What a refusal is about. */
export interface Subject {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
}

const REASONS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
  504: "Timeout",
};

interface Extras {
  readonly reason?: string;
  readonly details?: JsonObject;
  readonly metadata?: JsonObject;
}

/** Ends a request with a `Status` body. */
export class StatusError extends Error {
  readonly code: number;
  readonly body: JsonObject;

  constructor(code: number, message: string, extras: Extras = {}) {
    super(message);
    this.code = code;
    const reason = extras.reason ?? REASONS[code];
    this.body = {
      kind: "Status",
      apiVersion: "v1",
      metadata: extras.metadata ?? {},
      status: "Failure",
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(extras.details === undefined ? {} : { details: extras.details }),
      code,
    };
  }
}

const dotted = (name: string, group: string): string => (group === "" ? name : `${name}.${group}`);
const groupOf = (group: string): JsonObject => (group === "" ? {} : { group });
const detailsOf = ({ group, plural }: Subject, name: string): JsonObject => ({
  ...(name === "" ? {} : { name }),
  ...groupOf(group),
  kind: plural,
});

export const notFound = (subject: Subject, name: string): StatusError =>
  new StatusError(404, `${dotted(subject.plural, subject.group)} "${name}" not found`, { details: detailsOf(subject, name) });

export const alreadyExists = (subject: Subject, name: string, isDeleting: boolean): StatusError =>
  new StatusError(
    409,
    `${isDeleting ? "object is being deleted: " : ""}${dotted(subject.plural, subject.group)} "${name}" already exists`,
    {
      reason: "AlreadyExists",
      details: detailsOf(subject, name),
    },
  );

export const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export const conflict = (subject: Subject, name: string, why: string): StatusError =>
  new StatusError(409, `Operation cannot be fulfilled on ${dotted(subject.plural, subject.group)} "${name}": ${why}`, {
    details: detailsOf(subject, name),
  });

/** @param why as `User "x" cannot list …` */
export const forbidden = (subject: Subject, name: string, why: string, extras: JsonObject = {}): StatusError =>
  new StatusError(403, `${dotted(subject.plural, subject.group)}${name === "" ? "" : ` "${name}"`} is forbidden: ${why}`, {
    details: { ...detailsOf(subject, name), ...extras },
  });

/** Some field holds what it must not. */
export function invalid(of: { readonly group: string; readonly kind: string }, name: string, causes: readonly Cause[]): StatusError {
  const lines = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))];
  const list = lines.length === 1 ? (lines[0] ?? "") : `[${lines.join(", ")}]`;
  return new StatusError(422, `${dotted(of.kind, of.group)} "${name}" is invalid: ${list}`, {
    details: {
      ...(name === "" ? {} : { name }),
      ...groupOf(of.group),
      kind: of.kind,
      causes: causes.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  });
}

export const badRequest = (message: string): StatusError => new StatusError(400, message);

/** A fault of the server itself; kube-apiserver gives no reason with it. */
export const internal = (message: string): StatusError => new StatusError(500, message);

export const required = (field: string, note = ""): Cause => ({
  reason: "FieldValueRequired",
  message: note === "" ? "Required value" : `Required value: ${note}`,
  field,
});

/** @param value as it stands in the message, quoted if it is text */
export const invalidValue = (field: string, value: string, why: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${value}: ${why}`,
  field,
});
