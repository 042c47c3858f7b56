/** What can be wrong with a message, and what its sender is told. */

/** A fault of a message's head or body. As a response's fault all of them mean 502. */
export type Fault =
  | "bad-start-line"
  | "unknown-method"
  | "bad-target"
  | "target-too-long"
  | "unsupported-version"
  | "bad-status"
  | "interim-with-body"
  | "bad-line-end"
  | "folded-line"
  | "bad-field-name"
  | "bad-field-value"
  | "too-many-fields"
  | "head-too-large"
  | "host-missing"
  | "host-repeated"
  | "bad-host"
  | "host-differs"
  | "bad-content-length"
  | "content-length-repeated"
  | "length-and-transfer-encoding"
  | "transfer-encoding-repeated"
  | "transfer-encoding-in-1.0"
  | "unsupported-transfer-encoding"
  | "unsupported-expectation"
  | "bad-chunk-size"
  | "bad-chunk-extension"
  | "chunk-extensions-too-long"
  | "bad-chunk-end"
  | "bad-trailer"
  | "trailers-too-large";

/** Where an incremental parser stands: it wants more bytes, it is through, or there is a fault and the connection cannot be read on. */
export type Progress = "more" | "done" | Fault;

export interface FaultAnswer {
  readonly status: number;
  /** For people, one sentence. */
  readonly text: string;
}

const bad = (text: string): FaultAnswer => ({ status: 400, text });

/** What a client is told whose request has the fault. */
export const FAULT_ANSWERS: Readonly<Record<Fault, FaultAnswer>> = {
  "bad-start-line": bad("The first line is not a method, a target and a version with one space between them."),
  "unknown-method": { status: 501, text: "The method is not one that this server passes on." },
  "bad-target": bad("The target is neither a path nor an absolute http URL."),
  "target-too-long": { status: 414, text: "The target is too long." },
  "unsupported-version": { status: 505, text: "The version is neither HTTP/1.1 nor HTTP/1.0." },
  "bad-status": bad("The status is not a number from 100 to 599."),
  "interim-with-body": bad("An interim response speaks of a body."),
  "bad-line-end": bad("A line does not end with CR LF."),
  "folded-line": bad("A line begins with a space or a tab."),
  "bad-field-name": bad("A field name is empty, or a character in it or behind it is not allowed."),
  "bad-field-value": bad("A field value holds a control character."),
  "too-many-fields": { status: 431, text: "There are too many fields." },
  "head-too-large": { status: 431, text: "The fields are too large." },
  "host-missing": bad("There is no Host field."),
  "host-repeated": bad("There is more than one Host field."),
  "bad-host": bad("The Host field is not the name or address of a host."),
  "host-differs": bad("The Host field and the target name different hosts."),
  "bad-content-length": bad("Content-Length is not a number, or too large."),
  "content-length-repeated": bad("There is more than one Content-Length field."),
  "length-and-transfer-encoding": bad("There are both Content-Length and Transfer-Encoding."),
  "transfer-encoding-repeated": bad("There is more than one Transfer-Encoding field."),
  "transfer-encoding-in-1.0": bad("HTTP/1.0 has no Transfer-Encoding."),
  "unsupported-transfer-encoding": { status: 501, text: "The only Transfer-Encoding that is understood is chunked." },
  "unsupported-expectation": { status: 417, text: "The only expectation that is understood is 100-continue." },
  "bad-chunk-size": bad("A chunk's size is not a hexadecimal number, or too large."),
  "bad-chunk-extension": bad("A chunk's extension is not a name or a name and a value."),
  "chunk-extensions-too-long": bad("The extensions of chunks are too long."),
  "bad-chunk-end": bad("A chunk does not end with CR LF."),
  "bad-trailer": bad("A trailer field is not allowed there."),
  "trailers-too-large": { status: 431, text: "The trailer fields are too large." },
};
