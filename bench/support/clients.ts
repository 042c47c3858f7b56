/** Clients for `bench/routing.ts`, the same in every run. */
import type { MmdbTree } from "../../src/geo/mmdb-tree.ts";

/** A power of two, so that client i is `i & (CLIENTS - 1)`. */
export const CLIENTS = 1 << 16;

/** [0, 1), by a linear congruence. */
export function newRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

export interface Clients {
  /** Signed 32-bit addresses, every one as likely as any other: 1.0.0.0 to 223.255.255.255. */
  readonly v4: Int32Array;
  /** As `v4`, but every network of the file is as likely as any other, so that short prefixes do not outweigh the rest. */
  readonly v4Networks: Int32Array;
  /** 16 bytes each. Every network of the file is as likely as any other: of all addresses of IPv6, hardly one is in use. */
  readonly v6: Uint8Array;
}

/** @param file whose networks count */
export function newClients(file: MmdbTree): Clients {
  const random = newRandom(1);
  const v4 = Int32Array.from({ length: CLIENTS }, () => 0x0100_0000 + Math.floor(random() * 0xdeff_ffff));
  const v4Networks = new Int32Array(CLIENTS);
  pickNetworks(file, file.v4Root, 32, random, (i, address) => {
    v4Networks[i] = (address[0]! << 24) | (address[1]! << 16) | (address[2]! << 8) | address[3]!;
  });
  const v6 = new Uint8Array(16 * CLIENTS);
  pickNetworks(file, file.v6Root, 128, random, (i, address) => v6.set(address, 16 * i));
  return { v4, v4Networks, v6 };
}

/** Takes random networks of which the file knows something, and a random address in each. */
function pickNetworks(
  { children }: MmdbTree,
  root: number,
  bits: 32 | 128,
  random: () => number,
  take: (index: number, address: Uint8Array) => void,
): void {
  const found: Uint8Array[] = [];
  const address = new Uint8Array(bits / 8);
  let seen = 0;
  const visit = (at: number, depth: number): void => {
    if (at < 0) {
      if (at === ~0) return;
      // of n networks each is kept with the same chance (reservoir)
      const slot = seen < CLIENTS ? seen : Math.floor(random() * (seen + 1));
      if (slot < CLIENTS) found[slot] = withRandomRest(address, depth, random);
      seen++;
      return;
    }
    // ::/96 mirrors IPv4 in these files
    if (bits === 128 && depth === 16 && address[0] === 0 && address[1] === 0) return;
    visit(children[2 * at]!, depth + 1);
    address[depth >>> 3]! |= 0x80 >>> (depth & 7);
    visit(children[2 * at + 1]!, depth + 1);
    address[depth >>> 3]! &= ~(0x80 >>> (depth & 7));
  };
  visit(root, 0);
  // the reservoir is in address order at first
  for (let i = 0; i < CLIENTS; i++) take(i, found[(i * 40_503) % found.length]!);
}

function withRandomRest(address: Uint8Array, depth: number, random: () => number): Uint8Array {
  return address.map((byte, i) => {
    const fixed = Math.min(8, Math.max(0, depth - 8 * i));
    return byte | (Math.floor(random() * 256) & (0xff >>> fixed));
  });
}
