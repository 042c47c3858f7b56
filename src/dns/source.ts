/** Who sent a query, as numbers in a reused object. */
import { parseIpv4, parseIpv6 } from "../model/ip.ts";
import type { Transport } from "./counters.ts";

export interface Source {
  transport: Transport;
  /** True when `v6` holds the address; an IPv4 client of an IPv6 socket (IPv4-mapped, RFC 4291 §2.5.5.2) is IPv4. */
  isV6: boolean;
  /** Unsigned 32 bits. */
  v4: number;
  /** 16 bytes, network order. */
  readonly v6: Uint8Array;
}

export const newSource = (transport: Transport): Source => ({ transport, isV6: false, v4: 0, v6: new Uint8Array(16) });

/**
 * Takes over an address as the platform's sockets write it: dotted quad, or IPv6 with an optional zone index.
 *
 * @returns false when it is no address; the source is then unchanged
 */
export function setSource(out: Source, address: string): boolean {
  if (!address.includes(":")) {
    const quad = parseIpv4(address);
    if (quad === undefined) return false;
    setV4(out, quad, 0);
    return true;
  }
  const zone = address.indexOf("%");
  const bytes = parseIpv6(zone < 0 ? address : address.slice(0, zone));
  if (bytes === undefined) return false;
  if (isMapped(bytes)) {
    setV4(out, bytes, 12);
  } else {
    out.isV6 = true;
    out.v6.set(bytes);
  }
  return true;
}

function setV4(out: Source, bytes: Uint8Array, at: number): void {
  out.isV6 = false;
  out.v4 = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}
