/**
 * Damages requests and responses, and has both our codec and Node's read them: never may ours take what Node's refuses, or
 * read it otherwise; and what is sent on of requests must be exactly those requests to Node's.
 */
import { seededRandom } from "../random.ts";
import { laxity, onwardFault, sentOn } from "./compare.ts";
import { readWithNode } from "./node-reader.ts";
import { type Reading, readRequests, readResponses } from "./our-reader.ts";
import { REQUEST_CASES } from "./request-cases.ts";
import { RESPONSE_CASES } from "./response-cases.ts";

export interface FuzzCounts {
  cases: number;
  /** Messages that ours took whole. */
  taken: number;
  /** Bytes of their bodies. */
  bodyBytes: number;
  /** Our fault → how often, and how often Node's parser found none. */
  readonly faults: Map<string, { ours: number; nodeTook: number }>;
  /** What must not be. */
  readonly failures: string[];
}

export const newFuzzCounts = (): FuzzCounts => ({ cases: 0, taken: 0, bodyBytes: 0, faults: new Map(), failures: [] });

/** Long ones are left to the tables: they would only slow this down. */
const LONGEST_SEED = 600;
const MOST_FAILURES = 20;

/** Bytes and words that parsers stumble over. */
const PIECES = [
  ..."\0\t\n\v\f\r \"#%&'*+,-./0159:;<=>?@AFaf[\\]_{}~\x7f\x80\x85\xa0\xff".split(""),
  ...'\r\n|\r\n\r\n|\n\n|\r\r\n|chunked|Transfer-Encoding: chunked\r\n|Content-Length: 5\r\n|Content-Length: |Transfer-Encoding:|, |;a=b|;a="b"'.split(
    "|",
  ),
  ..."0\r\n\r\n|5\r\nhello\r\n|hello|HTTP/1.1|HTTP/1.0|HTTP/0.9|GET / HTTP/1.1\r\nHost: a\r\n\r\n|Host: a\r\n|Connection: close\r\n|Connection: keep-alive\r\n".split(
    "|",
  ),
  ..."Upgrade: websocket\r\n|Connection: Upgrade\r\n|Expect: 100-continue\r\n|HTTP/1.1 200 OK\r\n\r\n|HEAD|POST|OPTIONS|identity|gzip|ffffffffffffffff|18446744073709551615|A: b\r\n".split(
    "|",
  ),
];

const SEEDS = {
  requests: REQUEST_CASES.map(({ bytes }) => bytes).filter((bytes) => bytes.length < LONGEST_SEED),
  responses: RESPONSE_CASES.map(({ bytes }) => bytes).filter((bytes) => bytes.length < LONGEST_SEED),
};

/** Adds `count` cases; the same seed makes the same ones. Failures hold the bytes. */
export function fuzzMessages(count: number, seed: number, counts: FuzzCounts): void {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let i = 0; i < count && counts.failures.length < MOST_FAILURES; i++) {
    const kind = below(4) === 0 ? "responses" : "requests";
    const bytes = Buffer.from(damagedMessages(kind, below), "latin1");
    const read = kind === "requests" ? readRequests : readResponses;
    const ours = read([bytes]);
    const cut = read(cutUp(bytes, below));
    const node = readWithNode(kind, bytes);
    const wrong =
      laxity(ours, node) ?? onwardOf(kind, ours) ?? (isSame(ours, cut) ? undefined : "cut into pieces the bytes are read otherwise");
    if (wrong !== undefined) counts.failures.push(`${wrong}: ${kind} ${JSON.stringify(bytes.toString("latin1"))}`);
    note(counts, ours, node.error === undefined);
  }
}

/** An upgrade would change the protocol on the endpoint's connection, and is the last request on the client's. */
function onwardOf(kind: "requests" | "responses", ours: Reading): string | undefined {
  if (kind === "responses" || !ours.messages.some(({ isWhole }) => isWhole) || ours.messages.some(({ upgrades }) => upgrades))
    return undefined;
  return onwardFault(ours, readWithNode("requests", sentOn(ours)));
}

function note(counts: FuzzCounts, ours: Reading, nodeTook: boolean): void {
  counts.cases++;
  for (const { isWhole, body } of ours.messages) {
    if (!isWhole) continue;
    counts.taken++;
    counts.bodyBytes += body.length;
  }
  const entry = counts.faults.get(ours.end) ?? { ours: 0, nodeTook: 0 };
  entry.ours++;
  if (nodeTook) entry.nodeTook++;
  counts.faults.set(ours.end, entry);
}

/** One or two messages that have been damaged in up to three places, Latin-1. @param below a whole number below its argument, at random */
export function damagedMessages(kind: "requests" | "responses", below: (limit: number) => number): string {
  const seeds = SEEDS[kind];
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  let text = pick(seeds);
  if (below(4) === 0) text += pick(seeds);
  for (let times = below(4); times > 0; times--) {
    const at = below(text.length + 1);
    switch (below(7)) {
      case 0: // another byte
        text = text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
        break;
      case 1: // something put in
        text = text.slice(0, at) + pick(PIECES) + text.slice(at);
        break;
      case 2: // something in its place
        text = text.slice(0, at) + pick(PIECES) + text.slice(at + 1 + below(8));
        break;
      case 3: // something cut out
        text = text.slice(0, at) + text.slice(at + 1 + below(12));
        break;
      case 4: {
        // a line twice, or elsewhere
        const lines = text.split("\r\n");
        lines.splice(below(lines.length + 1), 0, pick(lines));
        text = lines.join("\r\n");
        break;
      }
      case 5: // the rest of another
        text = text.slice(0, at) + pick(seeds).slice(below(40));
        break;
      default: {
        // at a line's edge, where most parsers differ
        const lines = text.split("\r\n");
        const line = below(lines.length);
        lines[line] = below(2) === 0 ? pick(PIECES) + lines[line]! : lines[line]! + pick(PIECES);
        text = lines.join("\r\n");
      }
    }
  }
  return text;
}

function cutUp(bytes: Buffer, below: (limit: number) => number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + below(below(2) === 0 ? 4 : 80));
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

const isSame = (a: Reading, b: Reading): boolean =>
  a.end === b.end &&
  a.messages.length === b.messages.length &&
  a.messages.every(
    ({ line, body, isWhole }, i) => line === b.messages[i]!.line && body === b.messages[i]!.body && isWhole === b.messages[i]!.isWhole,
  );
