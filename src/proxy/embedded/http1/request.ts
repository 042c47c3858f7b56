/** What a proxy knows of a request once its head is whole: framing, host, target, and what it may do with the connection. */
import { isWord, TOKEN, wordBytes } from "./characters.ts";
import type { Fault } from "./faults.ts";
import { valueEndOf, valueStartOf } from "./fields.ts";
import { type Framing, frameRequest, newFraming } from "./framing.ts";
import { hostEnd } from "./host.ts";
import { GET } from "./method.ts";
import type { RequestHead } from "./request-head.ts";
import { readTarget, type Target } from "./target.ts";

/** Used again for every request of a connection. Offsets into the head. */
export interface RequestFacts {
  readonly framing: Framing;
  readonly target: Target;
  /** Host and perhaps port; both 0 in a request of HTTP/1.0 that names none. */
  hostStart: number;
  hostEnd: number;
  /** The client would take another request on the connection (RFC 9112 §9.3). */
  keepAlive: boolean;
  /** The client waits for 100 Continue before it sends the body (RFC 9110 §10.1.1). */
  expectsContinue: boolean;
  /** The client asks to speak WebSocket from here on (RFC 6455 §4.1). */
  upgrades: boolean;
}

export const newRequestFacts = (): RequestFacts => ({
  framing: newFraming(),
  target: { pathStart: 0, prefix: "", authorityStart: 0, authorityEnd: 0 },
  hostStart: 0,
  hostEnd: 0,
  keepAlive: false,
  expectsContinue: false,
  upgrades: false,
});

const CONTINUE = wordBytes("100-continue");
const WEBSOCKET = wordBytes("websocket");

/** @returns undefined when all is well, and `facts` is filled */
export function readRequest(facts: RequestFacts, head: RequestHead, bytes: Uint8Array): Fault | undefined {
  const { framing, target } = facts;
  const { fields, minor } = head;
  const fault = frameRequest(framing, fields, bytes, minor);
  if (fault !== undefined) return fault;
  if (!readTarget(target, head.method, bytes, head.targetStart, head.targetEnd)) return "bad-target";
  const hostFault = readHost(facts, head, bytes);
  if (hostFault !== undefined) return hostFault;

  const { connection, expect, upgrade } = framing;
  facts.keepAlive = !connection.close && (minor === 1 || connection.keepAlive);
  facts.expectsContinue = false;
  if (expect >= 0 && minor === 1) {
    if (!isToken(bytes, valueStartOf(fields, expect), valueEndOf(fields, expect), CONTINUE)) return "unsupported-expectation";
    facts.expectsContinue = framing.body !== "none";
  }
  // only WebSocket: an upgrade to h2c would open a way past everything that is decided here, request by request
  facts.upgrades =
    upgrade >= 0 &&
    connection.upgrade &&
    minor === 1 &&
    head.method === GET &&
    framing.body === "none" &&
    isToken(bytes, valueStartOf(fields, upgrade), valueEndOf(fields, upgrade), WEBSOCKET);
  return undefined;
}

function readHost(facts: RequestFacts, { fields }: RequestHead, bytes: Uint8Array): Fault | undefined {
  const { framing, target } = facts;
  facts.hostStart = target.authorityStart;
  facts.hostEnd = target.authorityEnd;
  if (framing.host < 0) return undefined;
  const start = valueStartOf(fields, framing.host);
  const end = valueEndOf(fields, framing.host);
  if (hostEnd(bytes, start, end) < 0) return "bad-host";
  if (target.authorityEnd > 0 && !isSameHost(bytes, start, end, target)) return "host-differs";
  facts.hostStart = start;
  facts.hostEnd = end;
  return undefined;
}

/** Host and port alike, whatever the case: RFC 9112 §3.2.2 has the URL's win, but somebody behind us may believe the field. */
function isSameHost(bytes: Uint8Array, start: number, end: number, { authorityStart, authorityEnd }: Target): boolean {
  if (end - start !== authorityEnd - authorityStart) return false;
  for (let i = 0; i < end - start; i++) if ((bytes[start + i]! | 0x20) !== (bytes[authorityStart + i]! | 0x20)) return false;
  return true;
}

function isToken(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  for (let at = start; at < end; at++) if (TOKEN[bytes[at]!] !== 1) return false;
  return isWord(bytes, start, end, word);
}
