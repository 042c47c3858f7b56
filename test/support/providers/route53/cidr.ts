/** CIDR blocks as numbers. */
import { isIPv4, isIPv6 } from "node:net";

export interface CidrBlock {
  readonly family: 4 | 6;
  /** Bits of the network, those beyond the length cleared, shifted to the right: equal for equal networks of one length. */
  readonly bits: bigint;
  readonly length: number;
}

const MOST_BITS = { 4: 24, 6: 48 } as const;
const WIDTH = { 4: 32, 6: 128 } as const;

/**
 * @param text an address and a length: 1 to 24 bits of IPv4, 1 to 48 of IPv6
 * @returns undefined when it is none of these
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-ipbased.html
 */
export function parseBlock(text: string): CidrBlock | undefined {
  const [, address = "", digits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const length = Number(digits);
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes("%") ? 6 : undefined;
  if (family === undefined || length < 1 || length > MOST_BITS[family]) return undefined;
  return { family, bits: addressBits(address) >> BigInt(WIDTH[family] - length), length };
}

export const blockKey = ({ family, bits, length }: CidrBlock): string => `${family}/${bits}/${length}`;

/** True when the block holds all of a client's network, such as the one of EDNS Client Subnet. A client's that is wider is not held. */
export function holds(block: CidrBlock, client: { readonly address: string; readonly length: number }): boolean {
  const family = isIPv4(client.address) ? 4 : 6;
  return (
    block.family === family &&
    client.length >= block.length &&
    addressBits(client.address) >> BigInt(WIDTH[family] - block.length) === block.bits
  );
}

function addressBits(address: string): bigint {
  if (isIPv4(address)) return address.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  // The URL parser writes IPv4 tails as hexadecimal and leaves at most one gap.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
