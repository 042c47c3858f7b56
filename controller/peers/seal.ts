/**
 * The signature of each message (HMAC-SHA256), below which nothing is believed although the stream is encrypted already.
 *
 * A line is `{"mac":"…","from":"instance","seq":7,"time":1800000000000,"body":{…}}`. The MAC covers the bytes behind it: who, which,
 * when and what. Its key is made of the shared secret *and* of keying material of this very TLS connection (RFC 5705), one for each direction:
 * a line of another connection, of the other direction or of an earlier run verifies nowhere, so no clocks have to agree. Within the
 * stream the numbers rise by one each time, so that nothing can be replayed, left out or put in another order.
 */
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/** Shared secrets are text of at least this many characters: shorter ones could be guessed by whoever records one handshake. */
export const SHORTEST_SECRET = 32;

/** Longest line, bytes: an object of Kubernetes has at most 1.5 MiB. */
export const LONGEST_LINE = 2 << 20;

/** Label of the keying material of a connection (RFC 5705 §4: one of our own, with the prefix for such). */
export const BINDING_LABEL = "EXPORTER-globalroute-peers";
export const BINDING_LENGTH = 32;

/** Who speaks: whoever opened the connection, or whoever accepted it. */
export type Direction = "dialler" | "listener";

/** The pre-shared key of TLS. Derived, so that the handshake and the signatures never use the same key. */
export const tlsKey = (secret: string): Buffer => derive(secret, Buffer.alloc(0), "tls");

/** @param binding keying material of the connection, {@link BINDING_LENGTH} bytes */
export const sealKey = (secret: string, binding: Buffer, direction: Direction): Buffer => derive(secret, binding, `seal ${direction}`);

const derive = (secret: string, salt: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, salt, `globalroute peers 1 ${purpose}`, 32));

const HEAD = '{"mac":"';
/** Of 32 bytes in base64url. */
const MAC_LENGTH = 43;
const BODY_START = HEAD.length + MAC_LENGTH + 2;

/** Signs what one side says. */
export interface Sealer {
  /** @param body JSON @param time ms since the epoch @returns a line, with its newline */
  seal(body: string, time: number): string;
}

export function createSealer(key: Buffer, from: string): Sealer {
  let sequence = 0;
  return {
    seal(body, time) {
      const rest = `"from":${JSON.stringify(from)},"seq":${++sequence},"time":${Math.round(time)},"body":${body}}`;
      return `${HEAD}${mac(key, rest).toString("base64url")}",${rest}\n`;
    },
  };
}

/** What a line said, or why it is not believed. */
export type Opened =
  | { readonly ok: true; readonly from: string; readonly time: number; readonly body: unknown }
  | { readonly ok: false; readonly why: "malformed" | "signature" | "sequence" | "sender" };

/** Verifies what the other side says. */
export interface Opener {
  /** @param line without its newline. After anything but ok the stream is to be ended. */
  open(line: Buffer): Opened;
}

/** The first line that verifies says who speaks; nobody else can on this stream. */
export function createOpener(key: Buffer): Opener {
  let sequence = 0;
  let sender: string | undefined;
  return {
    open(line) {
      const text = line.toString("utf8");
      if (!text.startsWith(HEAD) || text.slice(BODY_START - 2, BODY_START) !== '",') return { ok: false, why: "malformed" };
      const claimed = Buffer.from(text.slice(HEAD.length, HEAD.length + MAC_LENGTH), "base64url");
      const rest = text.slice(BODY_START);
      const real = mac(key, rest);
      if (claimed.length !== real.length || !timingSafeEqual(claimed, real)) return { ok: false, why: "signature" };
      const message = parse(text);
      if (message === undefined) return { ok: false, why: "malformed" };
      if (message.seq !== sequence + 1) return { ok: false, why: "sequence" };
      if (sender !== undefined && message.from !== sender) return { ok: false, why: "sender" };
      sequence++;
      sender = message.from;
      return { ok: true, from: message.from, time: message.time, body: message.body };
    },
  };
}

const mac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

function parse(text: string): { readonly from: string; readonly seq: number; readonly time: number; readonly body: unknown } | undefined {
  try {
    const { from, seq, time, body } = JSON.parse(text);
    return typeof from === "string" && Number.isSafeInteger(seq) && Number.isSafeInteger(time) ? { from, seq, time, body } : undefined;
  } catch {
    return undefined;
  }
}
