/** IP addresses and networks as values: text to bytes and back. Pure, total, no platform dependency. */

export interface Ip {
  readonly family: 4 | 6;
  /** 4 or 16 bytes, network order. */
  readonly bytes: Uint8Array;
}

export interface Network extends Ip {
  /** Prefix length in bits of its family. Bits behind it are zero. */
  readonly length: number;
}

/** @returns undefined for anything but a whole dotted quad without leading zeros (RFC 6943 §3.1.1 strict form). */
export function parseIpv4(text: string): Uint8Array | undefined {
  if (text.length > LONGEST_IPV4) return undefined;
  const bytes = new Uint8Array(4);
  let part = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit >= 0 && digit <= 9) {
      const value = 10 * bytes[part]! + digit;
      if (value > 255 || (digits > 0 && bytes[part] === 0)) return undefined;
      bytes[part] = value;
      digits++;
    } else {
      if (digits === 0 || part === 3 || text[i] !== ".") return undefined;
      part++;
      digits = 0;
    }
  }
  return part === 3 && digits > 0 ? bytes : undefined;
}

const LONGEST_IPV4 = "255.255.255.255".length;
const ZERO = 0x30;

/** RFC 4291 §2.2 text forms, embedded IPv4 included; no zone index. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string): number[] | undefined => {
    if (half === "") return [];
    const out: number[] = [];
    const parts = half.split(":");
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      if (part.includes(".")) {
        const quad = i === parts.length - 1 ? parseIpv4(part) : undefined;
        if (quad === undefined) return undefined;
        out.push((quad[0]! << 8) | quad[1]!, (quad[2]! << 8) | quad[3]!);
      } else {
        if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
        out.push(Number.parseInt(part, 16));
      }
    }
    return out;
  };
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  if (halves.length === 2 && halves[0]!.includes(".")) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...new Array<number>(halves.length === 2 ? missing : 0).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  all.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

export function parseIp(text: string): Ip | undefined {
  if (text.includes(":")) {
    const bytes = parseIpv6(text);
    return bytes && { family: 6, bytes };
  }
  const bytes = parseIpv4(text);
  return bytes && { family: 4, bytes };
}

/** IPv4 in the clothes of IPv6 (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2), as sockets for both tell it, without them; any other address as it is. */
export function unmapped(ip: Ip): Ip {
  const isMapped = ip.family === 6 && ip.bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
  return isMapped ? { family: 4, bytes: ip.bytes.subarray(12) } : ip;
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatIp(ip: Ip): string {
  if (ip.family === 4) return ip.bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (ip.bytes[2 * i]! << 8) | ip.bytes[2 * i + 1]!);
  let best = -1;
  let bestLength = 1; // RFC 5952 §4.2.2: a single 16-bit zero is not shortened
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) {
      best = i;
      bestLength = end - i;
    }
    i = end + 1;
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  return best < 0 ? hex(groups) : `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

/**
 * `192.0.2.0/24`, or a bare address as a host network.
 *
 * @returns undefined when the text is no network or has bits set behind its prefix length ({@link maskNetwork} mends those)
 */
export function parseNetwork(text: string): Network | undefined {
  const network = parsePrefix(text);
  if (network === undefined) return undefined;
  const masked = maskNetwork(network, network.length);
  return masked.bytes.every((byte, i) => byte === network.bytes[i]) ? network : undefined;
}

/** As {@link parseNetwork}, but bits behind the prefix length are allowed and kept. */
export function parsePrefix(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === undefined) return undefined;
  const bits = ip.family === 4 ? 32 : 128;
  if (slash < 0) return { ...ip, length: bits };
  const lengthText = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText) || Number(lengthText) > bits) return undefined;
  return { ...ip, length: Number(lengthText) };
}

/** The network of `length` bits around an address. */
export function maskNetwork(ip: Ip, length: number): Network {
  const bytes = Uint8Array.from(ip.bytes, (byte, i) => {
    const keep = Math.min(8, Math.max(0, length - 8 * i));
    return byte & (0xff00 >> keep) & 0xff;
  });
  return { family: ip.family, bytes, length };
}

export const formatNetwork = (network: Network): string => `${formatIp(network)}/${network.length}`;

export function networkContains(network: Network, ip: Ip): boolean {
  return network.family === ip.family && maskNetwork(ip, network.length).bytes.every((byte, i) => byte === network.bytes[i]);
}
