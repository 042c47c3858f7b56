/** `struct sockaddr_in` and `sockaddr_in6` of Linux, little-endian. */
import { parseIpv4, parseIpv6 } from "../../model/ip.ts";
import { AF_INET, AF_INET6 } from "./libc.ts";

/**
 * ```
 * 0 family 2 · 2 port 2, network order · 4 address 4                                        IPv4, 16 bytes with padding
 * 0 family 2 · 2 port 2 · 4 flow 4 · 8 address 16 · 24 scope 4                              IPv6, 28 bytes
 * ```
 */
export const SOCKADDR_V4 = { length: 16, port: 2, address: 4 } as const;
export const SOCKADDR_V6 = { length: 28, port: 2, address: 8 } as const;

/** @returns undefined when the text is no address */
export function encodeSockaddr(address: string, port: number): Uint8Array | undefined {
  const v6 = address.includes(":");
  const bytes = v6 ? parseIpv6(address) : parseIpv4(address);
  if (bytes === undefined) return undefined;
  const layout = v6 ? SOCKADDR_V6 : SOCKADDR_V4;
  const out = new Uint8Array(layout.length);
  out[0] = v6 ? AF_INET6 : AF_INET;
  out[layout.port] = port >>> 8;
  out[layout.port + 1] = port;
  out.set(bytes, layout.address);
  return out;
}

export const portOf = (sockaddr: Uint8Array): number => (sockaddr[2]! << 8) | sockaddr[3]!;
