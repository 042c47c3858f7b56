/** Weighted clients in columns: millions of them, without an object each. */

/** Each row is a client: an address, what it weighs, and where it is if its place does not say. */
export interface Clients {
  readonly count: number;
  /** Client → its first 32 bits, as a signed number; of an IPv6 client unused. */
  readonly v4: Int32Array;
  /** Client → 16 bytes, for those of IPv6; empty when there are none. */
  readonly v6: Uint8Array;
  /** Client → 1 for IPv6; empty when there are none. */
  readonly isV6: Uint8Array;
  /** Client → people, or requests/s, or what the list counts. */
  readonly weight: Float64Array;
  /** Client → index into the homes of the population, or {@link NO_HOME}: it is where its place is. */
  readonly home: Uint16Array;
}

export const NO_HOME = 0xffff;

/** @param withV6 whether some of them have IPv6 addresses */
export function newClients(count: number, withV6: boolean): Clients {
  return {
    count,
    v4: new Int32Array(count),
    v6: new Uint8Array(withV6 ? 16 * count : 0),
    isV6: new Uint8Array(withV6 ? count : 0),
    weight: new Float64Array(count),
    home: new Uint16Array(count).fill(NO_HOME),
  };
}

/** Whether a client's address is of IPv6. */
export const isV6 = (clients: Clients, client: number): boolean => clients.isV6.length > 0 && clients.isV6[client] === 1;

/** Of all clients. */
export function totalWeight({ weight }: Clients): number {
  let sum = 0;
  for (const one of weight) sum += one;
  return sum;
}
