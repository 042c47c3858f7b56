/** Where two readings of the same bytes differ in a way that a smuggler could use. */

import { chunkStart, LAST_CHUNK } from "../../../src/proxy/embedded/http1/chunked.ts";
import type { Fault } from "../../../src/proxy/embedded/http1/faults.ts";
import type { NodeReading } from "./node-reader.ts";
import type { Reading } from "./our-reader.ts";

/** What we refuse and `node:http` does not, and why. Any other fault of ours must be one of Node's, too. */
export const STRICTER: Readonly<Partial<Record<Fault, string>>> = {
  "bad-start-line": "Node takes several spaces between the parts of the first line, and HTTP/0.9",
  "unknown-method": "we pass on neither CONNECT nor methods that are no HTTP, such as those of RTSP",
  "bad-target": "Node takes any scheme, `*` with any method, user information and fragments",
  "unsupported-version": "Node takes HTTP/2.0 and HTTP/0.9 in the first line",
  "bad-status": "RFC 9110 §15 ends at 599",
  "interim-with-body": "RFC 9110 §8.6; Node reads a body for some of them and for some not",
  "bad-line-end": "Node skips any CR and LF before a message",
  "target-too-long": "Node has one limit for the whole head",
  "head-too-large": "Node counts a head's bytes otherwise",
  "too-many-fields": "Node's server cuts the list, its parser does not count",
  "host-missing": "Node's server refuses it, its parser does not know of it",
  "host-repeated": "RFC 9112 §3.2; Node takes the first",
  "bad-host": "RFC 9112 §3.2; Node does not look at it",
  "host-differs": "RFC 9112 §3.2.2 has the URL win, but whoever stands behind us may believe the field",
  "bad-content-length": "Node counts to 2^64, JavaScript to 2^53",
  "unsupported-transfer-encoding": "Node takes any list that ends in chunked, and in responses anything",
  "transfer-encoding-repeated": "Node joins repeated fields to a list",
  "transfer-encoding-in-1.0": "RFC 9112 §6.1: its framing is faulty",
  "unsupported-expectation": "Node's server refuses it, its parser does not know of it",
  "bad-chunk-size": "more than 16 digits, or beyond 2^53",
  "bad-chunk-extension": "an empty name or value",
  "chunk-extensions-too-long": "our limit is lower",
  "trailers-too-large": "our limit is lower",
  "bad-trailer": "Host and the fields of a connection do not belong there",
};

/** What an endpoint receives when these requests are sent on, one behind the other. */
export function sentOn({ messages }: Reading): Buffer {
  const parts = messages
    .filter(({ isWhole }) => isWhole)
    .map(({ onward = "", body }) => {
      const isChunked = onward.includes("\r\nTransfer-Encoding: chunked\r\n");
      return onward + (isChunked ? (body === "" ? "" : `${chunkStart(body.length)}${body}\r\n`) + LAST_CHUNK : body);
    });
  return Buffer.from(parts.join(""), "latin1");
}

/** @returns what is wrong when an endpoint would not read exactly the requests that we did, each with its body; undefined when it would */
export function onwardFault({ messages }: Reading, endpoint: NodeReading): string | undefined {
  const sent = messages.filter(({ isWhole }) => isWhole);
  if (endpoint.error !== undefined) return `sent on, it is refused (${endpoint.error})`;
  if (sent.length !== endpoint.messages.length) return `sent on, ${sent.length} requests become ${endpoint.messages.length}`;
  const odd = sent.findIndex(({ line, body }, i) => {
    const got = endpoint.messages[i]!;
    return !got.isWhole || got.body !== body || got.line.split(" ")[0] !== line.split(" ")[0] || !/^(\/|\*$)/.test(got.line.split(" ")[1]!);
  });
  return odd < 0 ? undefined : `sent on, ${sent[odd]!.line} becomes ${endpoint.messages[odd]!.line}`;
}

/** @returns what is wrong, for people; undefined when ours is as strict as Node's or stricter, and both agree on all that is passed on */
export function laxity(ours: Reading, node: NodeReading): string | undefined {
  for (const [i, mine] of ours.messages.entries()) {
    const theirs = node.messages[i];
    if (theirs === undefined) return `message ${i}: Node sees none (${node.error}), we see ${mine.line}`;
    if (mine.line !== theirs.line) return `message ${i}: Node sees ${theirs.line}, we see ${mine.line}`;
    if (mine.fields.join("\n") !== theirs.fields.join("\n")) {
      return `message ${i}: Node sees ${JSON.stringify(theirs.fields)}, we see ${JSON.stringify(mine.fields)}`;
    }
    if (theirs.upgrades) return undefined; // Node reads no further
    const isCut = i === ours.messages.length - 1 && !["more", "closed"].includes(ours.end); // Node may have gone on where we stopped
    if (isCut ? !theirs.body.startsWith(mine.body) : mine.body !== theirs.body) {
      return `message ${i}: Node sees a body of ${JSON.stringify(theirs.body)}, we see ${JSON.stringify(mine.body)}`;
    }
    if (mine.isWhole && !theirs.isWhole) return `message ${i}: we see its end and Node does not (${node.error})`;
  }
  if (ours.end === "closed") return undefined;
  const reached = ours.messages.at(-1);
  if (ours.end === "more") {
    if (node.messages.length > ours.messages.length) return `Node sees another message, ${node.messages[ours.messages.length]!.line}`;
    // within a head nothing has been passed on, so that it does not matter who notices first; within a body it does
    return node.error !== undefined && reached !== undefined && !reached.isWhole ? `Node refuses the body (${node.error})` : undefined;
  }
  return node.error === undefined && STRICTER[ours.end] === undefined
    ? `we refuse what Node takes (${ours.end}), and no reason is listed`
    : undefined;
}
