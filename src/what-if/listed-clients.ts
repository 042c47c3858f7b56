/** Clients that a list names: networks with weights, cut up so that each client is in one place and has one slot. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import { nodeOfV4, nodeOfV6 } from "../geo/lookup.ts";
import type { Network } from "../model/ip.ts";
import { ipNumber } from "../routing/decide.ts";
import { type Clients, newClients } from "./clients.ts";
import { eachNetwork } from "./networks.ts";

export interface ListedNetwork {
  readonly network: Network;
  /** Above 0. */
  readonly weight: number;
}

/** What sticky routes look at of a client. */
const SLOT_LENGTH = { 4: 24, 6: 48 } as const;
/** A network is cut into up to so many clients of each of its places: enough for shares to show. */
const PIECES = 256;
/** Clients of one network of the list at most; a whole country's networks are fewer. */
export const MOST_CLIENTS_OF_NETWORK = 1_000_000;

/**
 * A network that spans several places counts in each by its share of the addresses.
 *
 * @returns the position of the first entry that would be more than {@link MOST_CLIENTS_OF_NETWORK} clients, or the clients
 */
export function listClients(geo: GeoTable, list: readonly ListedNetwork[]): Clients | { readonly tooWide: number } {
  const addresses: number[] = [];
  const weights: number[] = [];
  const v6: Uint8Array[] = [];
  for (const [entry, { network, weight }] of list.entries()) {
    const { family, bytes, length } = network;
    const start = family === 4 ? nodeOfV4(geo, ipNumber(bytes), length) : nodeOfV6(geo, bytes, 0, length);
    const first = weights.length;
    let isTooWide = false;
    const add = (at: Uint8Array, depth: number): void => {
      const pieces = Math.min(PIECES, 2 ** Math.max(0, SLOT_LENGTH[family] - depth));
      if (weights.length - first + pieces > MOST_CLIENTS_OF_NETWORK) {
        isTooWide = true;
        return;
      }
      const share = weight * 2 ** (length - depth);
      for (let piece = 0; piece < pieces; piece++) {
        const address = pieceOf(at, depth, piece, Math.log2(pieces));
        if (family === 4) addresses.push(ipNumber(address));
        else v6[weights.length] = address;
        weights.push(share / pieces);
      }
    };
    if (start < 0) add(bytes, length);
    else eachNetwork(geo, start, bytes, length, (at, depth) => isTooWide || add(at, depth));
    if (isTooWide) return { tooWide: entry };
  }
  return columns(addresses, v6, weights);
}

/** The first address of the nth of 2^bits equal parts of a network. */
function pieceOf(network: Uint8Array, length: number, nth: number, bits: number): Uint8Array {
  const out = network.slice();
  for (let bit = 0; bit < bits; bit++) {
    const at = length + bit;
    if ((nth >>> (bits - 1 - bit)) & 1) out[at >>> 3]! |= 0x80 >>> (at & 7);
  }
  return out;
}

/** @param v6 by client; those without are of IPv4, in order */
function columns(v4: readonly number[], v6: readonly Uint8Array[], weights: readonly number[]): Clients {
  const clients = newClients(weights.length, v6.length > 0);
  let next = 0;
  weights.forEach((weight, client) => {
    clients.weight[client] = weight;
    const bytes = v6[client];
    if (bytes === undefined) clients.v4[client] = v4[next++]! | 0;
    else {
      clients.v6.set(bytes, 16 * client);
      clients.isV6[client] = 1;
    }
  });
  return clients;
}
