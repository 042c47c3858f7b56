/** The forms of a request's target (RFC 9112 §3.2) that a reverse proxy takes: a path, an absolute URL, or `*`. */
import { isWord, wordBytes } from "./characters.ts";
import { hostEnd } from "./host.ts";
import { type Method, OPTIONS } from "./method.ts";

const SLASH = 0x2f;
const QUESTION = 0x3f;
const ASTERISK = 0x2a;
const SCHEMES = ["http", "https"].map(wordBytes);
const COLON_SLASH_SLASH = 3;

/** What a target says. Offsets into the head; filled by {@link readTarget}. */
export interface Target {
  /** Path and query begin here; they end where the target ends. Nothing there for `http://example.org` alone. */
  pathStart: number;
  /** What goes between method and path: "" but where an absolute URL has no path of its own (RFC 9112 §3.2.1, §3.2.4). */
  prefix: "" | "/" | "*";
  /** Host and port of an absolute URL; both 0 otherwise. */
  authorityStart: number;
  authorityEnd: number;
}

/** @returns false when it is none of the forms, or one that the method does not go with. `CONNECT` and its form are not taken at all. */
export function readTarget(target: Target, method: Method, bytes: Uint8Array, start: number, end: number): boolean {
  target.pathStart = start;
  target.prefix = "";
  target.authorityStart = 0;
  target.authorityEnd = 0;
  if (bytes[start] === SLASH) return true;
  if (bytes[start] === ASTERISK) return end === start + 1 && method === OPTIONS;
  const scheme = SCHEMES.find(
    (word) => isWord(bytes, start, Math.min(end, start + word.length), word) && isAuthorityAt(bytes, start + word.length),
  );
  if (scheme === undefined) return false;
  const from = start + scheme.length + COLON_SLASH_SLASH;
  let at = from;
  while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION) at++;
  if (hostEnd(bytes, from, at) < 0) return false;
  target.authorityStart = from;
  target.authorityEnd = at;
  target.pathStart = at;
  if (at === end) target.prefix = method === OPTIONS ? "*" : "/";
  else if (bytes[at] === QUESTION) target.prefix = "/";
  return true;
}

const isAuthorityAt = (bytes: Uint8Array, at: number): boolean => bytes[at] === 0x3a && bytes[at + 1] === SLASH && bytes[at + 2] === SLASH;
