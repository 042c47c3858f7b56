import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hex } from "../../test/support/hex.ts";
import { type CookieChecker, CookieState, checkCookie, newCookieChecker, newCookieSecrets, setCookieSecrets } from "./cookies.ts";
import { Transport } from "./counters.ts";
import { newSource, setSource } from "./source.ts";

interface Given {
  readonly secret: string;
  readonly previous?: string;
  readonly from: string;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly cookie: string;
}

/** @returns the verdict and the cookie of the answer, in hex */
function check({ secret, previous, from, at, cookie }: Given): readonly [number, string] {
  const checker = newCookieChecker(newCookieSecrets(hex(secret), previous === undefined ? undefined : hex(previous)));
  const source = newSource(Transport.UDP);
  setSource(source, from);
  const message = hex(`ffff ${cookie} ffff`);
  const out = new Uint8Array(24);
  const state = checkCookie(checker, message, 2, message.length - 4, source, 1000 * at, out);
  return [state, Buffer.from(out).toString("hex")];
}

const SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf";

describe("RFC 9018 appendix A", () => {
  const client = { secret: SECRET, from: "198.51.100.100" };
  test("A.1: learning a new server cookie", () => {
    const learnt = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    expect(check({ ...client, at: 1_559_731_985, cookie: "2464c4abcf10c957" })).toEqual([CookieState.ClientOnly, learnt]);
  });
  test("A.2: 40 minutes later it is good, and renewed", () => {
    const learnt = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    const renewed = "2464c4abcf10c957010000005cf7a871d4a564a1442aca77";
    expect(check({ ...client, at: 1_559_734_385, cookie: learnt })).toEqual([CookieState.Valid, renewed]);
  });
  const other = { secret: SECRET, from: "203.0.113.203", cookie: "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5" };
  test("A.3: another client; its cookie is older than an hour", () => {
    const renewed = "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e";
    expect(check({ ...other, at: 1_559_734_700 })).toEqual([CookieState.Invalid, renewed]);
  });
  test("A.3: reserved bytes of a good cookie are hashed as they came", () => {
    expect(check({ ...other, at: 0x5cf78f71 + 60 })).toEqual([CookieState.Valid, other.cookie]);
  });
  test("A.3: those of a renewed one are zero", () => {
    const [state, renewed] = check({ ...other, at: 0x5cf78f71 + 2000 });
    expect([state, renewed.slice(16, 24)]).toEqual([CookieState.Valid, "01000000"]);
  });
  test("A.4: an IPv6 client, and a secret that has been rolled", () => {
    const rolled = {
      secret: "445536bcd2513298075a5d379663c962",
      previous: "dd3bdf9344b678b185a6f5cb60fca715",
      from: "2001:db8:220:1:59de:d0f4:8769:82b8",
      at: 1_559_741_961,
      cookie: "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
    };
    const renewed = "22681ab97d52c298010000005cf7c609a6bb79d16625507a";
    expect(check(rolled)).toEqual([CookieState.Valid, renewed]);
    const { previous: _, ...without } = rolled;
    expect(check(without)).toEqual([CookieState.Invalid, renewed]);
  });
});

describe("how long a cookie counts (RFC 9018 §4.3)", () => {
  const given = { secret: SECRET, from: "192.0.2.1" };
  const cookie = check({ ...given, at: 2_000_000_000, cookie: "0102030405060708" })[1];
  const cases: readonly { age: number; state: number; kept: boolean }[] = [
    { age: -301, state: CookieState.Invalid, kept: false },
    { age: -300, state: CookieState.Valid, kept: true },
    { age: 0, state: CookieState.Valid, kept: true },
    { age: 1800, state: CookieState.Valid, kept: true },
    { age: 1801, state: CookieState.Valid, kept: false },
    { age: 3600, state: CookieState.Valid, kept: false },
    { age: 3601, state: CookieState.Invalid, kept: false },
  ];
  test.each(cases)("age $age s", ({ age, state, kept }) => {
    const [seen, answered] = check({ ...given, at: 2_000_000_000 + age, cookie });
    expect([seen, answered === cookie]).toEqual([state, kept]);
    expect(check({ ...given, at: 2_000_000_000 + age, cookie: answered })[0]).toBe(CookieState.Valid);
  });

  test("the clock's 32 bits may wrap", () => {
    const late = check({ ...given, at: 2 ** 32 - 10, cookie: "0102030405060708" })[1];
    expect(check({ ...given, at: 2 ** 32 + 10, cookie: late })).toEqual([CookieState.Valid, late]);
  });
});

test("no change of a cookie, of its client or of its secret goes unnoticed", () => {
  const given = { secret: SECRET, from: "192.0.2.1", at: 1_800_000_000 };
  const good = check({ ...given, cookie: "0102030405060708" })[1];
  expect(check({ ...given, cookie: good })[0]).toBe(CookieState.Valid);
  expect(check({ ...given, cookie: good, from: "192.0.2.2" })[0]).toBe(CookieState.Invalid);
  expect(check({ ...given, cookie: good, from: "2001:db8::1" })[0]).toBe(CookieState.Invalid);
  expect(check({ ...given, cookie: good, secret: SECRET.replace("e5", "e4") })[0]).toBe(CookieState.Invalid);
  for (let bit = 0; bit < 8 * 24; bit++) {
    const changed = hex(good);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(check({ ...given, cookie: Buffer.from(changed).toString("hex") })[0], `bit ${bit}`).toBe(CookieState.Invalid);
  }
});

test.each([16, 23, 25, 40])("a cookie of %i bytes is not ours", (size) => {
  const given = { secret: SECRET, from: "192.0.2.1", at: 1_800_000_000 };
  const good = check({ ...given, cookie: "0102030405060708" })[1];
  const other = `${good}${"00".repeat(16)}`.slice(0, 2 * size);
  expect(check({ ...given, cookie: other })).toEqual([CookieState.Invalid, good]);
});

test("whatever is asked, the cookie that is given is good for that client", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  const cookie = fc
    .oneof(fc.constant(8), fc.integer({ min: 16, max: 40 }))
    .chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));
  fc.assert(
    fc.property(address, cookie, fc.integer({ min: 0, max: 2 ** 33 }), (from, bytes, at) => {
      const given = { secret: SECRET, from, at };
      const [, answered] = check({ ...given, cookie: Buffer.from(bytes).toString("hex") });
      expect(check({ ...given, cookie: answered })).toEqual([CookieState.Valid, answered]);
    }),
  );
});

test("a rotation is seen by every thread's checker at its next query", () => {
  const secrets = newCookieSecrets(hex(SECRET));
  const [one, other] = [newCookieChecker(secrets), newCookieChecker(structuredClone(secrets))];
  const source = newSource(Transport.UDP);
  setSource(source, "192.0.2.1");
  const [first, second] = [new Uint8Array(24), new Uint8Array(24)];
  const at = 1_800_000_000_000;
  checkCookie(one, hex("0102030405060708"), 0, 8, source, at, first);
  expect(checkCookie(other, first, 0, 24, source, at, second)).toBe(CookieState.Valid);
  setCookieSecrets(secrets, hex("00".repeat(16)), hex(SECRET));
  for (const checker of [one, other]) {
    expect(checkCookie(checker, first, 0, 24, source, at, second)).toBe(CookieState.Valid);
    expect(second).not.toEqual(first); // renewed at once: the next rotation would end it
  }
  setCookieSecrets(secrets, hex("11".repeat(16)));
  expect(checkCookie(one, second, 0, 24, source, at, first)).toBe(CookieState.Invalid);
});

test("secrets are never mixed, however fast another thread changes them", async () => {
  const secrets = newCookieSecrets(hex("00".repeat(16)));
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const cookies = new URL("./cookies.ts", import.meta.url).href;
  const code = `const { workerData: { secrets, stop } } = require("node:worker_threads");
    import(${JSON.stringify(cookies)}).then(({ setCookieSecrets }) => {
      for (let i = 0; Atomics.load(stop, 0) === 0; i++) setCookieSecrets(secrets, new Uint8Array(16).fill(i & 1 ? 0xff : 0));
    });`;
  const worker = new Worker(code, { eval: true, workerData: { secrets, stop } });
  const source = newSource(Transport.UDP);
  const cookieOf = (checker: CookieChecker): string => {
    const out = new Uint8Array(24);
    checkCookie(checker, hex("0102030405060708"), 0, 8, source, 0, out);
    return Buffer.from(out).toString("hex");
  };
  const wanted = [0x00, 0xff].map((byte) => cookieOf(newCookieChecker(newCookieSecrets(new Uint8Array(16).fill(byte)))));
  const checker = newCookieChecker(secrets);
  const seen = new Set<string>();
  while (seen.size < 2) seen.add(cookieOf(checker));
  for (let i = 0; i < 100_000; i++) seen.add(cookieOf(checker));
  Atomics.store(stop, 0, 1);
  await worker.terminate();
  expect([...seen].sort()).toEqual([...wanted].sort());
});

test("secrets that somebody is writing are not used: the ones before count on", () => {
  const secrets = newCookieSecrets(hex(SECRET));
  const checker = newCookieChecker(secrets);
  const source = newSource(Transport.UDP);
  const [first, second] = [new Uint8Array(24), new Uint8Array(24)];
  checkCookie(checker, hex("0102030405060708"), 0, 8, source, 0, first);
  secrets.words[0]! += 1;
  secrets.words[2] = 4711;
  checkCookie(checker, hex("0102030405060708"), 0, 8, source, 0, second);
  expect(second).toEqual(first);
});
