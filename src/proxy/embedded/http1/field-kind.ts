/** The fields that a proxy has to know, told apart without making strings. */
import { isWord, wordBytes } from "./characters.ts";

/** Those up to HopByHop rule framing, host and connection. */
export const FieldKind = {
  /** Passed on as it is. */
  Other: 0,
  Host: 1,
  ContentLength: 2,
  TransferEncoding: 3,
  Connection: 4,
  Upgrade: 5,
  Expect: 6,
  /** Of one connection only (RFC 9110 §7.6.1): Keep-Alive, Proxy-Connection, Proxy-Authenticate and its kin, TE, Trailer. Never passed on. */
  HopByHop: 7,
  ForwardedFor: 8,
  ForwardedProto: 9,
  ForwardedHost: 10,
  Forwarded: 11,
  /**
   * One of the above but for `_` where `-` should be. Applications behind CGI-like gateways cannot tell the two apart, so that
   * `X_Forwarded_For` would be believed as if we had written it. Never passed on.
   */
  Alias: 12,
  /** ORCA's report of an endpoint's load. It is for whoever chooses endpoints: not passed on to clients. */
  LoadReport: 13,
  /** What an endpoint asks a client to prove. Passed on. */
  Authenticate: 14,
} as const;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

const KNOWN: readonly (readonly [string, FieldKind])[] = [
  ["host", FieldKind.Host],
  ["content-length", FieldKind.ContentLength],
  ["transfer-encoding", FieldKind.TransferEncoding],
  ["connection", FieldKind.Connection],
  ["upgrade", FieldKind.Upgrade],
  ["expect", FieldKind.Expect],
  ["keep-alive", FieldKind.HopByHop],
  ["proxy-connection", FieldKind.HopByHop],
  ["proxy-authenticate", FieldKind.HopByHop],
  ["proxy-authentication-info", FieldKind.HopByHop],
  ["proxy-authorization", FieldKind.HopByHop],
  ["te", FieldKind.HopByHop],
  ["trailer", FieldKind.HopByHop],
  ["http2-settings", FieldKind.HopByHop],
  ["x-forwarded-for", FieldKind.ForwardedFor],
  ["x-forwarded-proto", FieldKind.ForwardedProto],
  ["x-forwarded-host", FieldKind.ForwardedHost],
  ["forwarded", FieldKind.Forwarded],
  ["www-authenticate", FieldKind.Authenticate],
  ["endpoint-load-metrics", FieldKind.LoadReport],
  ["endpoint-load-metrics-bin", FieldKind.LoadReport],
];

interface KnownField {
  readonly word: Uint8Array;
  readonly kind: FieldKind;
}

const LONGEST = Math.max(...KNOWN.map(([name]) => name.length));
/** Length of the name → the fields of that length, and their aliases. */
const BY_LENGTH: readonly (readonly KnownField[])[] = Array.from({ length: LONGEST + 1 }, (_, length) =>
  KNOWN.filter(([name]) => name.length === length).flatMap(([name, kind]) => [
    { word: wordBytes(name), kind },
    ...aliasesOf(name).map((alias) => ({ word: wordBytes(alias), kind: FieldKind.Alias })),
  ]),
);

/** `a-b-c` → `a_b-c`, `a-b_c` and `a_b_c`, with bit 5 set as {@link isWord} sets it: there `_` is 0x7f, which no name can hold. */
function aliasesOf(name: string): readonly string[] {
  const [first, ...rest] = name.split("-");
  let names = [first!];
  for (const part of rest) names = names.flatMap((start) => [`${start}-${part}`, `${start}\u007f${part}`]);
  return names.slice(1);
}

/** @param bytes `start` to `end` are TOKEN characters */
export function fieldKind(bytes: Uint8Array, start: number, end: number): FieldKind {
  if (end - start > LONGEST) return FieldKind.Other;
  const candidates = BY_LENGTH[end - start]!;
  for (let i = 0; i < candidates.length; i++) if (isWord(bytes, start, end, candidates[i]!.word)) return candidates[i]!.kind;
  return FieldKind.Other;
}
