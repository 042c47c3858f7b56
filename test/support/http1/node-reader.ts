/**
 * Reads the same bytes with the parser of `node:http` (llhttp, strict, as `insecureHTTPParser: false` leaves it). It shares no code with ours.
 * Node does not publish its parser; if it moves, this file is the only one to change.
 */
import { createRequire } from "node:module";
import type { ReadMessage } from "./our-reader.ts";

interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenientFlags: number): void;
  execute(bytes: Buffer): number | Error;
  finish(): Error | undefined;
  free(): void;
  [callback: number]: (...args: never[]) => unknown;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const common: { readonly HTTPParser: ParserClass; readonly methods: readonly string[] } = createRequire(import.meta.url)(
  "node:_http_common",
);
const { HTTPParser } = common;
// the parser numbers methods as llhttp does, which is how Node's own table is ordered
const METHODS = common.methods;

export interface NodeReading {
  readonly messages: readonly ReadMessage[];
  /** Undefined when nothing was wrong, as far as the bytes went. */
  readonly error: string | undefined;
}

/** @param maxHeaderSize as Node's default; its count leaves out some of a head's bytes */
export function readWithNode(kind: "requests" | "responses", bytes: Buffer, maxHeaderSize = 16 << 10): NodeReading {
  const parser = new HTTPParser();
  parser.initialize(kind === "requests" ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, maxHeaderSize, 0);
  const messages: ReadMessage[] = [];
  let early: string[] = [];
  let earlyUrl = "";
  parser[HTTPParser.kOnHeaders] = (fields: string[], url: string) => {
    early.push(...fields);
    earlyUrl += url;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    fields: string[] | undefined,
    method: number | undefined,
    url: string,
    status: number,
    _reason: string,
    upgrades: boolean,
  ) => {
    const line = kind === "requests" ? `${METHODS[method!]} ${url ?? earlyUrl}` : String(status);
    messages.push({ line, fields: fields ?? early, body: "", isWhole: false, upgrades });
    early = [];
    earlyUrl = "";
    return 0;
  };
  parser[HTTPParser.kOnBody] = (piece: Buffer) => {
    messages.at(-1)!.body += piece.toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages.at(-1)!.isWhole = true;
    early = []; // trailers come the same way, with the target once more
    earlyUrl = "";
  };
  const outcome = parser.execute(bytes);
  parser.free();
  return {
    messages,
    error: outcome instanceof Error ? ((outcome as Error & { readonly code?: string }).code ?? outcome.message) : undefined,
  };
}
