/**
 * Endless DNS queries built part by part: every opcode, type, class and EDNS option, records where none belong, names of every shape.
 * Most are well-formed; each part also has malformed forms, so that every branch of a parser is met without a lucky accident.
 */

/** The forge's names have these below or as their own; the world that answers should know them. */
export interface ForgeOptions {
  /** Presentation form. */
  readonly names: readonly string[];
  /** [0, 1) */
  readonly random: () => number;
}

export interface QueryForge {
  /** Writes the next query at the start of a buffer of at least {@link FORGE_ROOM} bytes. @returns its length */
  readonly next: (buffer: Uint8Array) => number;
  /** Remembers a COOKIE option that a server gave, to send it again now and then. */
  readonly learn: (cookie: Uint8Array) => void;
}

/** Cookies that are remembered. */
const COOKIES = 64;
/** Questions of class CH (RFC 4892), and one that nobody answers. */
const CHAOS = ["version.bind", "version.server", "id.server", "hostname.bind", "authors.bind"];

/** The longest query that is made. */
export const FORGE_ROOM = 4000;

const TYPES = [1, 28, 65, 16, 15, 2, 6, 5, 33, 257, 43, 46, 47, 48, 59, 60, 64, 12, 13, 35, 128, 41, 0, 0xffff];
const META_TYPES = [249, 250, 251, 252, 253, 254, 255];
const CLASSES = [3, 4, 254, 255, 0, 2, 0xffff];
const UDP_SIZES = [0, 1, 511, 512, 513, 1231, 1232, 1233, 4096, 0xffff];
const TYPE = { SOA: 6, OPT: 41, TSIG: 250 } as const;
const TSIG_ALGORITHMS = ["hmac-sha256", "hmac-sha512", "hmac-md5.sig-alg.reg.int", "none.invalid"];

export function createQueryForge({ names, random }: ForgeOptions): QueryForge {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const chance = (share: number): boolean => random() < share;
  const wire = (name: string): readonly Uint8Array[] =>
    name === "." ? [] : name.split(".").map((label) => Uint8Array.from(label, (one) => one.charCodeAt(0)));
  const known = names.map(wire);
  const algorithms = TSIG_ALGORITHMS.map(wire);
  const chaos = CHAOS.map(wire);
  const cookies: Uint8Array[] = [];
  let learned = 0;
  let out: Uint8Array = new Uint8Array(0);
  let at = 0;

  const put8 = (value: number): void => {
    if (at < FORGE_ROOM) out[at++] = value;
  };
  const put16 = (value: number): void => {
    put8(value >>> 8);
    put8(value);
  };
  const put32 = (value: number): void => {
    put16(value >>> 16);
    put16(value);
  };
  const noise = (count: number): void => {
    for (let i = 0; i < count; i++) put8(below(256));
  };
  /** A length that is right, or now and then a little off, or far. */
  const putLength = (value: number): void => put16(chance(0.98) ? value : chance(0.5) ? value + below(5) - 2 : below(0x1_0000));
  /** What `write` appends, behind its length in two bytes. */
  const measured = (write: () => void): void => {
    const start = at;
    put16(0);
    write();
    const end = at;
    at = start;
    putLength(end - start - 2);
    at = Math.max(at, end);
  };

  function putLabel(bytes: Uint8Array, mixCase: boolean): void {
    put8(bytes.length);
    for (const byte of bytes) put8(mixCase && byte >= 0x61 && byte <= 0x7a && chance(0.5) ? byte - 32 : byte);
  }

  function noiseLabel(length: number): void {
    put8(length);
    for (let i = 0; i < length; i++) put8(chance(0.9) ? 0x61 + below(26) : below(256));
  }

  /** Labels in front of a name, so that the whole is as long as wished or as 255 bytes allow, and a little longer. */
  function fill(total: number): void {
    for (let left = total; left > 1; ) {
      const length = Math.min(63, left - 1, 1 + below(63));
      noiseLabel(length);
      left -= length + 1;
    }
  }

  function putName(): void {
    const mixCase = chance(0.3);
    const labels = pick(known);
    const bytes = labels.reduce((sum, label) => sum + label.length + 1, 1);
    const kind = random();
    if (kind < 0.1)
      noiseLabel(1 + below(12)); // a child, perhaps by a wildcard
    else if (kind < 0.14)
      fill(255 - bytes + below(4) - 2); // about as long as a name may be
    else if (kind < 0.16) for (let i = below(130); i > 0; i--) noiseLabel(1);
    else if (kind < 0.17)
      noiseLabel(60 + below(8)); // 63 is the longest label; 64 and above are other label types
    else if (kind < 0.18) put8(pick([0x40, 0x41, 0x80, 0xbf])); // label types that nobody uses
    const skipped = chance(0.1) ? below(labels.length + 1) : 0;
    for (const label of labels.slice(skipped)) putLabel(label, mixCase);
    if (chance(0.01))
      put16(0xc000 | below(0x40)); // a pointer where the name should end
    else put8(0);
  }

  function putQuestion(): void {
    if (chance(0.01)) {
      for (const label of pick(chaos)) putLabel(label, chance(0.3));
      put8(0);
      put16(chance(0.9) ? 16 : 255);
      put16(chance(0.9) ? 3 : 1);
      return;
    }
    if (chance(0.005)) put16(0xc00c);
    else putName();
    put16(chance(0.05) ? below(0x1_0000) : chance(0.1) ? pick(META_TYPES) : chance(0.5) ? pick(TYPES.slice(0, 3)) : pick(TYPES));
    put16(chance(0.94) ? 1 : pick(CLASSES));
  }

  /** A record of any type with any data. */
  function putRecord(type: number, write: () => void): void {
    if (chance(0.5)) put16(0xc00c);
    else putName();
    put16(type);
    put16(chance(0.9) ? 1 : pick(CLASSES));
    put32(below(0x1_0000_0000));
    measured(write);
  }

  const putSoa = (): void =>
    putRecord(TYPE.SOA, () => {
      put16(0xc00c);
      put16(0xc00c);
      for (let i = 0; i < 5; i++) put32(below(0x1_0000_0000));
    });

  function putClientSubnet(): void {
    const family = chance(0.95) ? 1 + below(2) : pick([0, 3, 0xffff]);
    const bits = family === 2 ? 128 : 32;
    const source = chance(0.95) ? (chance(0.3) ? pick([0, 1, 8, 24, 31, 32, 48, 56, 64, 127, 128]) : below(bits + 1)) : below(256);
    put16(family);
    put8(source);
    put8(chance(0.97) ? 0 : below(256)); // SCOPE PREFIX-LENGTH of a query is 0
    const bytes = Math.max(0, ((source + 7) >>> 3) + (chance(0.97) ? 0 : below(5) - 2));
    const start = at;
    noise(bytes);
    if (bytes > 0 && (source & 7) !== 0 && chance(0.97)) out[Math.min(start + bytes, FORGE_ROOM) - 1]! &= 0xff00 >>> (source & 7);
  }

  /** Client cookie alone, or with a server cookie of 8 to 32 bytes (RFC 7873 §4), or of no such length. */
  function putCookie(): void {
    if (cookies.length > 0 && chance(0.3)) for (const byte of pick(cookies)) put8(byte);
    else noise(chance(0.5) ? 8 : chance(0.5) ? 24 : chance(0.8) ? 16 + below(25) : below(60));
  }

  const options: readonly (readonly [code: number, write: () => void])[] = [
    [8, putClientSubnet],
    [8, putClientSubnet],
    [10, putCookie],
    [10, putCookie],
    [3, () => noise(chance(0.9) ? 0 : below(20))], // NSID
    [11, () => noise(pick([0, 0, 2, 1, 3]))], // edns-tcp-keepalive
    [12, () => noise(below(chance(0.9) ? 64 : 1200))], // Padding
    [15, () => noise(below(30))], // Extended DNS Error, which only answers have
    [5, () => noise(below(8))], // DAU
    [9, () => noise(pick([0, 4]))], // EXPIRE
    [13, () => noise(below(40))], // CHAIN
    [14, () => noise(2 * below(4))], // edns-key-tag
    [18, putName], // Report-Channel
    [19, () => noise(below(5))], // ZONEVERSION
    [65_001, () => noise(below(16))],
  ];

  function putOpt(): void {
    if (chance(0.98)) put8(0);
    else putName();
    put16(TYPE.OPT);
    put16(chance(0.5) ? 1232 : pick(UDP_SIZES));
    put8(chance(0.97) ? 0 : below(256)); // extended RCODE
    put8(chance(0.96) ? 0 : pick([1, 2, 255])); // VERSION
    put16(chance(0.5) ? 0 : chance(0.5) ? 0x8000 : chance(0.5) ? 0xc000 : below(0x1_0000)); // DO, CO (RFC 9824 §5)
    measured(() => {
      for (let count = chance(0.1) ? below(8) : below(3); count > 0; count--) {
        const [code, write] = chance(0.9) ? pick(options) : ([below(0x1_0000), () => noise(below(12))] as const);
        put16(code);
        measured(write);
        if (chance(0.02)) count++; // and the same sort of thing again
      }
      if (chance(0.01)) noise(1 + below(3)); // less than an option's head
    });
  }

  /** RFC 8945 §4.2; no key is known, so none verifies. */
  function putTsig(): void {
    putName();
    put16(TYPE.TSIG);
    put16(255);
    put32(chance(0.95) ? 0 : 1);
    measured(() => {
      for (const label of pick(algorithms)) putLabel(label, false);
      put8(0);
      put16(0);
      put32(below(0x1_0000_0000));
      put16(300);
      measured(() => noise(pick([32, 64, 16, 0, 10])));
      put16(below(0x1_0000));
      put16(pick([0, 0, 0, 16, 18]));
      measured(() => noise(chance(0.9) ? 0 : 6));
    });
  }

  return {
    learn(cookie) {
      cookies[learned++ % COOKIES] = cookie;
    },
    next(buffer) {
      out = buffer;
      at = 0;
      const questions = chance(0.985) ? 1 : pick([0, 0, 2, 3]);
      const answers = chance(0.98) ? 0 : 1 + below(2);
      const authorities = chance(0.96) ? 0 : 1;
      const opts = chance(0.75) ? 1 : chance(0.9) ? 0 : 2;
      const others = chance(0.96) ? 0 : 1 + below(2);
      const tsig = chance(0.04) ? 1 : 0;
      noise(2);
      const opcode = chance(0.97) ? 0 : below(16);
      put16((opcode << 11) | (chance(0.5) ? 0x0100 : 0) | (chance(0.05) ? below(0x1_0000) & 0x87ff : 0));
      for (const count of [questions, answers, authorities, opts + others + tsig])
        put16(chance(0.995) ? count : below(chance(0.5) ? 4 : 0x1_0000));
      for (let i = 0; i < questions; i++) putQuestion();
      for (let i = 0; i < answers; i++) putRecord(pick(TYPES), () => noise(below(20)));
      for (let i = 0; i < authorities; i++) putSoa();
      const isEarly = chance(0.02); // a TSIG that is not last (RFC 8945 §5.1)
      if (isEarly && tsig === 1) putTsig();
      const before = below(others + 1);
      for (let i = 0; i < before; i++) putRecord(pick(TYPES), () => noise(below(20)));
      for (let i = 0; i < opts; i++) putOpt();
      for (let i = before; i < others; i++) putRecord(pick(TYPES), () => noise(below(20)));
      if (!isEarly && tsig === 1) putTsig();
      return at;
    },
  };
}
