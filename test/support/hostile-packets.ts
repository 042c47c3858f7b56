/** Endless hostile DNS packets from a seed: queries with structure-aware damage, and plain noise. */

import { encodeQuery, type QueryInput } from "../../src/dns/wire/encode-query.ts";
import { parseIp } from "../../src/model/ip.ts";
import { createQueryForge, FORGE_ROOM } from "./query-forge.ts";
import { seededRandom } from "./random.ts";

export interface HostilePackets {
  /** Holds the newest packet at its start. */
  readonly buffer: Uint8Array;
  /** Makes the next packet. @returns its length, 0..{@link LONGEST} */
  readonly next: () => number;
  /** The generator's own randomness, [0, 1). */
  readonly random: () => number;
  /** Remembers a COOKIE option that a server gave. */
  readonly learn: (cookie: Uint8Array) => void;
}

export const LONGEST = 1500;

export interface HostileOptions {
  /** Share of the queries that are forged part by part instead of taken from the fixed corpus. Default 0. */
  readonly forged?: number;
  /** Signs some of the forged queries (RFC 8945): writes a TSIG record behind a message. @returns the new length */
  readonly sign?: (message: Uint8Array, length: number) => number;
}

/** Share of the forged queries that are signed. */
const SIGNED = 0.01;

const NAMES = [
  "shop.example.org",
  "ShOp.ExAmPlE.oRg",
  "example.org",
  "no.such.example.org",
  "a.b.wild.example.org",
  "www.child.example.org",
  "large.example.org",
  "many.example.org",
  "most.example.org",
  "nothing.example.org",
  "www.inner.example.org",
  "www.example.net",
  ".",
  `${"x".repeat(63)}.${"y".repeat(63)}.${"z".repeat(63)}.${"w".repeat(49)}.example.org`,
];
const TYPES = [1, 28, 2, 5, 6, 15, 16, 33, 41, 43, 46, 65, 250, 251, 252, 255, 257, 0, 0xffff];
const SUBNETS = [
  { ip: "198.51.100.7", lengths: [0, 1, 16, 24, 31, 32] },
  { ip: "2001:db8:beef:1::1", lengths: [0, 1, 48, 56, 127, 128] },
];
/** Bytes that mean something in DNS: label types, pointers, OPT, limits. */
const TOKENS = [0x00, 0x01, 0x0c, 0x29, 0x3f, 0x40, 0x80, 0xc0, 0xff];

/** Well-formed queries of every kind: name × type × EDNS. */
function corpus(): readonly Uint8Array[] {
  const edns: (QueryInput["edns"] | undefined)[] = [undefined, {}, { udpSize: 100 }, { udpSize: 65_535, dnssecOk: true }, { version: 1 }];
  for (const { ip, lengths } of SUBNETS) {
    const { family, bytes } = parseIp(ip)!;
    for (const source of lengths) edns.push({ clientSubnet: { family, address: bytes, source } });
  }
  return NAMES.flatMap((name) =>
    TYPES.flatMap((type) =>
      edns.map((one) => encodeQuery({ id: 0, name, type, recursionDesired: true, ...(one === undefined ? {} : { edns: one }) })),
    ),
  );
}

export function createHostilePackets(seed: number, { forged = 0, sign }: HostileOptions = {}): HostilePackets {
  const random = seededRandom(seed);
  const forge = createQueryForge({ names: NAMES, random });
  const room = new Uint8Array(FORGE_ROOM);
  const below = (limit: number): number => Math.floor(random() * limit);
  const queries = corpus();
  const buffer = new Uint8Array(LONGEST);
  let length = 0;

  const put = (bytes: Uint8Array, size = bytes.length): void => {
    length = Math.min(size, LONGEST);
    for (let i = 0; i < length; i++) buffer[i] = bytes[i]!;
    buffer[0] = below(256);
    buffer[1] = below(256);
  };

  const damages: readonly (() => void)[] = [
    () => {
      buffer[below(length)] = below(256);
    },
    () => {
      buffer[below(length)]! ^= 1 << below(8);
    },
    () => {
      buffer[below(length)] = TOKENS[below(TOKENS.length)]!;
    },
    () => {
      length = below(length + 1);
    }, // cut short
    () => {
      for (let more = below(40); more > 0 && length < LONGEST; more--) buffer[length++] = below(256);
    },
    () => {
      buffer[4 + below(8)] = below(4);
    }, // a section's count
    () => {
      buffer[2] = below(256);
    }, // QR, OPCODE, AA, TC, RD
    () => {
      splice(below(length), TOKENS[below(TOKENS.length)]!);
    }, // a byte pushed in: all that follows is out of step
    () => {
      copyWithin();
    }, // a piece said twice: a second OPT, option or record
  ];

  function splice(at: number, byte: number): void {
    if (length === LONGEST) return;
    buffer.copyWithin(at + 1, at, length);
    buffer[at] = byte;
    length++;
  }

  function copyWithin(): void {
    const from = below(length);
    const size = Math.min(below(30), length - from, LONGEST - length);
    buffer.copyWithin(length, from, from + size);
    length += size;
    if (random() < 0.7) buffer[11]!++; // ARCOUNT
  }

  return {
    buffer,
    random,
    learn: forge.learn,
    next: () => {
      const kind = random();
      if (kind < 0.04) {
        length = below(random() < 0.9 ? 80 : LONGEST);
        for (let i = 0; i < length; i++) buffer[i] = below(256);
        return length;
      }
      const isForged = forged > 0 && random() < forged;
      if (isForged) {
        const size = forge.next(room);
        put(room, sign !== undefined && size < LONGEST && random() < SIGNED ? sign(room, size) : size);
      } else put(queries[below(queries.length)]!);
      if (kind < (isForged ? 0.6 : 0.2)) return length; // whole: good questions must be among the bad
      for (let rounds = 1 + below(3); rounds > 0; rounds--) if (length > 0) damages[below(damages.length)]!();
      return length;
    },
  };
}
