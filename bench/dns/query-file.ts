/**
 * Query files: messages one after another, each behind its length in two bytes (as DNS over TCP frames them, and as `dnsperf -B` reads
 * them). All are equally long and message number n has id n, so that a load generator sends a piece of the file as it is.
 */
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";

/** As many as there are ids. */
export const QUERIES = 1 << 16;

export interface QueryMix {
  /** Asked in turn, type A; equally long. */
  readonly names: readonly string[];
  /** IPv4 networks /24 as unsigned numbers, one for each query as its client subnet (RFC 7871). Without: no EDNS. */
  readonly clients?: Uint32Array;
}

/**
 * @returns {@link QUERIES} messages
 * @throws RangeError when names are not equally long, or there are fewer clients than messages
 */
export function encodeQueryFile({ names, clients }: QueryMix): Uint8Array {
  if (clients !== undefined && clients.length < QUERIES) throw new RangeError(`${clients.length} clients for ${QUERIES} queries`);
  let file = new Uint8Array(0);
  for (let id = 0; id < QUERIES; id++) {
    const name = names[id % names.length];
    if (name === undefined) throw new RangeError("a query file needs a name");
    const client = clients?.[id];
    const message = encodeQuery({ id, name, type: 1, ...(client === undefined ? {} : { edns: { clientSubnet: subnetOf(client) } }) });
    if (id === 0) file = new Uint8Array(QUERIES * (2 + message.length));
    if (file.length !== QUERIES * (2 + message.length)) throw new RangeError(`${name} is not as long as ${names[0]}`);
    const at = id * (2 + message.length);
    file[at] = message.length >> 8;
    file[at + 1] = message.length & 255;
    file.set(message, at + 2);
  }
  return file;
}

const subnetOf = (client: number) => ({
  family: 4 as const,
  address: Uint8Array.of(client >>> 24, (client >>> 16) & 255, (client >>> 8) & 255),
  source: 24,
});

export interface QueryBlock {
  /** All messages without their lengths: number n starts at n × `length`. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/**
 * @returns the messages side by side
 * @throws RangeError for anything but the whole output of {@link encodeQueryFile}
 */
export function readQueryFile(file: Uint8Array): QueryBlock {
  const length = (file[0]! << 8) | file[1]!;
  if (file.length !== QUERIES * (2 + length))
    throw new RangeError(`a query file of ${file.length} bytes does not hold ${QUERIES} messages`);
  const bytes = new Uint8Array(QUERIES * length);
  for (let id = 0; id < QUERIES; id++) {
    const at = id * (2 + length);
    if (((file[at]! << 8) | file[at + 1]!) !== length) throw new RangeError(`message ${id} is not ${length} bytes long`);
    if (((file[at + 2]! << 8) | file[at + 3]!) !== id) throw new RangeError(`message ${id} has another id`);
    bytes.set(file.subarray(at + 2, at + 2 + length), id * length);
  }
  return { bytes, length };
}
