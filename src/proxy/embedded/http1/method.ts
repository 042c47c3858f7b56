/** The methods that are passed on. */

export interface Method {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Twice is as good as once (RFC 9110 §9.2.2), so it may be sent to another endpoint when one did not answer. */
  readonly isIdempotent: boolean;
}

/**
 * Those registered with IANA that others' parsers know too; an unknown one is answered 501 (RFC 9110 §9.1), because what follows it may be
 * understood in two ways. CONNECT is not among them: this is no forward proxy. The commonest come first.
 */
const IDEMPOTENT =
  "GET HEAD PUT DELETE OPTIONS TRACE PROPFIND REPORT SEARCH MKCOL COPY MOVE UNLOCK PROPPATCH ACL BIND UNBIND REBIND LINK UNLINK";
const ONCE_ONLY = "POST PATCH LOCK CHECKOUT MERGE MKACTIVITY MKCALENDAR";

export const METHODS: readonly Method[] = [
  ...IDEMPOTENT.split(" ").map((name) => methodOf(name, true)),
  ...ONCE_ONLY.split(" ").map((name) => methodOf(name, false)),
];

export const LONGEST_METHOD = Math.max(...METHODS.map(({ name }) => name.length));

export const GET = METHODS[0]!;
export const HEAD = METHODS[1]!;
export const OPTIONS = METHODS.find(({ name }) => name === "OPTIONS")!;

function methodOf(name: string, isIdempotent: boolean): Method {
  return { name, bytes: Uint8Array.from(name, (letter) => letter.charCodeAt(0)), isIdempotent };
}

/** @returns undefined for any other; case matters (RFC 9110 §9.1) */
export function findMethod(bytes: Uint8Array, start: number, end: number): Method | undefined {
  for (let i = 0; i < METHODS.length; i++) {
    const method = METHODS[i]!;
    const length = method.bytes.length;
    if (end - start !== length) continue;
    let same = 0;
    while (same < length && method.bytes[same] === bytes[start + same]) same++;
    if (same === length) return method;
  }
  return undefined;
}
