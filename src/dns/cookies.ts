/**
 * DNS cookies (RFC 7873) as RFC 9018 makes them, so that servers of different make can share a secret. Hot: nothing is allocated.
 *
 * ```
 * client cookie 8 │ version 1 · reserved 3 · timestamp 4 · hash 8     the COOKIE option of an answer
 *
 * hash = SipHash-2-4(secret, client cookie │ version │ reserved │ timestamp │ client address)
 * ```
 */
import { sharedInt32 } from "../model/shared-array.ts";
import { sipHash, sipHashKey } from "./siphash.ts";
import type { Source } from "./source.ts";

/** What a query's COOKIE option says of its sender. */
export const CookieState = { None: 0, Valid: 1, ClientOnly: 2, Invalid: 3 } as const;
export type CookieState = (typeof CookieState)[keyof typeof CookieState];

/** Bytes of a secret. */
export const SECRET_SIZE = 16;
/** Bytes of the COOKIE option in an answer. */
export const COOKIE_SIZE = 24;
const CLIENT_COOKIE = 8;
const HASH_AT = 16;
const VERSION = 1;

/** Seconds for which a cookie counts, for which one may be ahead of our clock, and after which a new one is given (RFC 9018 §4.3). */
const MAX_AGE = 3600;
const MAX_AHEAD = 300;
const RENEW_AFTER = 1800;

/**
 * The secrets that all threads read: `words` is shared memory.
 *
 * ```
 * 0  sequence: odd while somebody writes    1  1 if there is a predecessor    2–5  current    6–9  predecessor
 * ```
 */
export interface CookieSecrets {
  readonly words: Int32Array<SharedArrayBuffer>;
}

const WORDS = 10;

/** @param current,previous {@link SECRET_SIZE} bytes; cookies are made with the first and accepted by both */
export function newCookieSecrets(current: Uint8Array, previous?: Uint8Array): CookieSecrets {
  const secrets = { words: sharedInt32(WORDS) };
  setCookieSecrets(secrets, current, previous);
  return secrets;
}

/** Replaces both secrets; every thread takes them from its next query with a cookie on. One writer. */
export function setCookieSecrets({ words }: CookieSecrets, current: Uint8Array, previous?: Uint8Array): void {
  Atomics.add(words, 0, 1);
  Atomics.store(words, 1, previous === undefined ? 0 : 1);
  sipHashKey(current).forEach((word, i) => {
    Atomics.store(words, 2 + i, word);
  });
  if (previous !== undefined) {
    sipHashKey(previous).forEach((word, i) => {
      Atomics.store(words, 6 + i, word);
    });
  }
  Atomics.add(words, 0, 1);
}

interface Keys {
  sequence: number;
  hasPrevious: boolean;
  readonly current: Int32Array;
  readonly previous: Int32Array;
}

/** One thread's copy of the secrets, and its scratch. */
export interface CookieChecker {
  readonly secrets: CookieSecrets;
  keys: Keys;
  /** What the next change is read into, so that a change read by halves is never used. */
  spare: Keys;
  /** What is hashed. */
  readonly input: Uint8Array;
  readonly hash: Int32Array;
}

const newKeys = (): Keys => ({ sequence: -1, hasPrevious: false, current: new Int32Array(4), previous: new Int32Array(4) });

export const newCookieChecker = (secrets: CookieSecrets): CookieChecker => ({
  secrets,
  keys: newKeys(),
  spare: newKeys(),
  input: new Uint8Array(32),
  hash: new Int32Array(2),
});

function takeSecrets(checker: CookieChecker): void {
  const { words } = checker.secrets;
  const sequence = Atomics.load(words, 0);
  if (sequence === checker.keys.sequence || (sequence & 1) !== 0) return;
  const next = checker.spare;
  next.hasPrevious = Atomics.load(words, 1) !== 0;
  for (let i = 0; i < 4; i++) {
    next.current[i] = Atomics.load(words, 2 + i);
    next.previous[i] = Atomics.load(words, 6 + i);
  }
  if (Atomics.load(words, 0) !== sequence) return;
  next.sequence = sequence;
  checker.spare = checker.keys;
  checker.keys = next;
}

/**
 * Judges the cookie of a query and writes the one that its answer shall hold: the same while it is fresh, else a new one.
 *
 * @param at     offset of the COOKIE option's data in `message`
 * @param length of that data: 8, or 16 to 40 bytes
 * @param now    milliseconds since the epoch
 * @param out    gets {@link COOKIE_SIZE} bytes
 */
export function checkCookie(
  checker: CookieChecker,
  message: Uint8Array,
  at: number,
  length: number,
  source: Source,
  now: number,
  out: Uint8Array,
): CookieState {
  takeSecrets(checker);
  const { keys, input } = checker;
  const time = Math.floor(now / 1000) | 0;
  const inputLength = setAddress(input, source);
  let state: CookieState = CookieState.ClientOnly;
  for (let i = 0; i < CLIENT_COOKIE; i++) input[i] = message[at + i]!;
  if (length > CLIENT_COOKIE) {
    state = CookieState.Invalid;
    // serial arithmetic: the clock's 32 bits may wrap (RFC 9018 §4.3)
    const age = length === COOKIE_SIZE ? (time - readTime(message, at + 12)) | 0 : MAX_AGE + 1;
    if (message[at + CLIENT_COOKIE] === VERSION && age <= MAX_AGE && age >= -MAX_AHEAD) {
      for (let i = CLIENT_COOKIE; i < HASH_AT; i++) input[i] = message[at + i]!; // reserved bytes count as they came
      if (isHash(checker, keys.current, inputLength, message, at + HASH_AT)) {
        state = CookieState.Valid;
        if (age <= RENEW_AFTER) {
          for (let i = 0; i < COOKIE_SIZE; i++) out[i] = message[at + i]!;
          return state;
        }
      } else if (keys.hasPrevious && isHash(checker, keys.previous, inputLength, message, at + HASH_AT)) {
        state = CookieState.Valid;
      }
    }
  }
  writeCookie(checker, inputLength, time, out);
  return state;
}

/** The address stands behind client cookie, version, reserved and timestamp. @returns bytes to hash */
function setAddress(input: Uint8Array, source: Source): number {
  if (source.isV6) {
    for (let i = 0; i < 16; i++) input[HASH_AT + i] = source.v6[i]!;
    return HASH_AT + 16;
  }
  writeTime(input, HASH_AT, source.v4);
  return HASH_AT + 4;
}

/** Compares in a time that does not depend on how much is right. */
function isHash({ input, hash }: CookieChecker, key: Int32Array, inputLength: number, message: Uint8Array, at: number): boolean {
  sipHash(key, input, 0, inputLength, hash);
  let wrong = 0;
  for (let i = 0; i < 8; i++) wrong |= message[at + i]! ^ ((hash[i >> 2]! >>> (8 * (i & 3))) & 0xff);
  return wrong === 0;
}

/** A new cookie for the client cookie and address in `input`. */
function writeCookie({ keys, input, hash }: CookieChecker, inputLength: number, time: number, out: Uint8Array): void {
  input[CLIENT_COOKIE] = VERSION;
  for (let i = 1; i < 4; i++) input[CLIENT_COOKIE + i] = 0;
  writeTime(input, 12, time);
  sipHash(keys.current, input, 0, inputLength, hash);
  for (let i = 0; i < HASH_AT; i++) out[i] = input[i]!;
  for (let i = 0; i < 8; i++) out[HASH_AT + i] = hash[i >> 2]! >>> (8 * (i & 3));
}

const readTime = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

function writeTime(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}
