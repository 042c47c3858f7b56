/**
 * Who the client is, and the fields that tell the endpoint: `X-Forwarded-For`, `-Proto`, `-Host`, and `Forwarded` (RFC 7239) if asked for.
 *
 * Each proxy appends the address of who spoke to it. With `trustedHops` of them in front of us that are known to, the last so many addresses
 * are true, and all before them is what the client says of itself: that part is cut off. Without any the client's fields count for nothing.
 */
import { formatIp, parseIp, unmapped } from "../../../model/ip.ts";
import { FieldKind } from "./field-kind.ts";
import { joinedValues } from "./fields.ts";
import { hostEnd } from "./host.ts";
import type { RequestFacts } from "./request.ts";
import type { RequestHead } from "./request-head.ts";

export interface ForwardedSettings {
  /** How many proxies in front of us append to the fields. */
  readonly trustedHops: number;
  /** Of the connections that requests come by. */
  readonly scheme: "http" | "https";
  /** Write `Forwarded` too. */
  readonly rfc7239: boolean;
}

export interface Forwarded {
  /** Whom to route for: the address farthest from us that is true. */
  readonly client: string;
  /** Whole lines, for the head that is sent on. */
  readonly lines: string;
}

/** @param peer the address that the connection comes from */
export function forwarded(bytes: Buffer, head: RequestHead, facts: RequestFacts, peer: string, settings: ForwardedSettings): Forwarded {
  const ownHost = bytes.toString("latin1", facts.hostStart, facts.hostEnd);
  if (settings.trustedHops === 0) return { client: peer, lines: format([peer], settings.scheme, ownHost, [], peer, ownHost, settings) };
  const value = (kind: FieldKind): string => joinedValues(head.fields, bytes, kind);
  const believed = addressesFrom(value(FieldKind.ForwardedFor), settings.trustedHops);
  const proto = lastItem(value(FieldKind.ForwardedProto)).toLowerCase();
  const host = lastItem(value(FieldKind.ForwardedHost));
  const scheme = proto === "http" || proto === "https" ? proto : settings.scheme;
  const elements = settings.rfc7239 ? splitQuoted(value(FieldKind.Forwarded)).slice(-settings.trustedHops) : [];
  return {
    client: believed[0] ?? peer,
    lines: format([...believed, peer], scheme, isHost(host) ? host : ownHost, elements, peer, ownHost, settings),
  };
}

function format(
  addresses: readonly string[],
  scheme: string,
  host: string,
  elements: readonly string[],
  peer: string,
  ownHost: string,
  settings: ForwardedSettings,
): string {
  const lines = `X-Forwarded-For: ${addresses.join(", ")}\r\nX-Forwarded-Proto: ${scheme}\r\n${host === "" ? "" : `X-Forwarded-Host: ${host}\r\n`}`;
  if (!settings.rfc7239) return lines;
  const by = ownHost === "" ? "" : `;host="${ownHost}"`;
  const own = `for=${peer.includes(":") ? `"[${peer}]"` : peer}${by};proto=${settings.scheme}`;
  return `${lines}Forwarded: ${[...elements, own].join(", ")}\r\n`;
}

/** The last `count` items, up to the first from the end that is no address: who wrote that is not to be believed about the others. */
function addressesFrom(list: string, count: number): readonly string[] {
  const items = list.split(",").map((item) => item.trim());
  const found: string[] = [];
  for (let i = items.length - 1; i >= 0 && found.length < count; i--) {
    const address = addressOf(items[i]!);
    if (address === undefined) break;
    found.unshift(address);
  }
  return found;
}

/**
 * `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1` or `[2001:db8::1]:1234` without port and brackets. Proxies whose sockets are for both families
 * write `::ffff:192.0.2.1`, which no rule, no geo data and no stickiness would know as the client's.
 */
function addressOf(item: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(item)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(item)?.[1] ?? item;
  const ip = parseIp(bare);
  return ip === undefined ? undefined : formatIp(unmapped(ip));
}

const lastItem = (list: string): string => list.slice(list.lastIndexOf(",") + 1).trim();

/** A list whose items may hold quoted commas (RFC 7239 §4); none when a quotation does not end. One pass: it is the client who writes it. */
function splitQuoted(list: string): readonly string[] {
  const items: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at <= list.length; at++) {
    const letter = list[at];
    if (letter === '"') {
      isQuoted = !isQuoted;
    } else if (letter === "\\" && isQuoted) {
      at++;
    } else if (letter === undefined || (letter === "," && !isQuoted)) {
      items.push(list.slice(start, at).trim());
      start = at + 1;
    }
  }
  return isQuoted ? [] : items.filter((item) => item !== "");
}

function isHost(text: string): boolean {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return hostEnd(bytes, 0, bytes.length) >= 0;
}
