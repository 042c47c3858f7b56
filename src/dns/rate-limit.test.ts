import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseNetwork } from "../model/ip.ts";
import { Transport } from "./counters.ts";
import { AnswerKind, limitRate, newRateLimiter, RateAction, type RateLimitSettings, SEED_WORDS } from "./rate-limit.ts";
import { newSource, setSource } from "./source.ts";
import { newQuery } from "./wire/query.ts";

const seedOf = (seed: number): Int32Array => {
  let state = seed | 1;
  return Int32Array.from({ length: SEED_WORDS }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39) + 0x9e3779b9;
    return state;
  });
};
const settings = (more: Partial<RateLimitSettings> = {}): RateLimitSettings => ({
  limit: 200,
  sourceLimit: 0,
  slip: 0,
  exempt: [],
  seed: seedOf(1),
  ...more,
});

interface One {
  /** Milliseconds since the one before. */
  readonly after?: number;
  readonly from?: string;
  readonly subnet?: number;
  readonly kind?: AnswerKind;
  readonly name?: number;
}

/** A limiter with a clock; each call counts one answer. */
function limiterOf(given: RateLimitSettings, workers = 1, start = 1_800_000_000_000) {
  const limiter = newRateLimiter(given, workers);
  const source = newSource(Transport.UDP);
  const query = newQuery();
  let now = start;
  return {
    count: ({ after = 0, from = "192.0.2.1", subnet = -1, kind = AnswerKind.Data, name = 1 }: One = {}): RateAction => {
      now += after;
      setSource(source, from);
      query.hasSubnet = subnet >= 0;
      query.subnet.family = 1;
      query.subnet.source = 24;
      query.subnet.address.set([10, subnet >> 8, subnet, 0]);
      return limitRate(limiter, source, query, kind, name, now);
    },
  };
}

/** The definition: a second's worth of credit at most, refilled continuously. Exact, in whole units of 1/1024 ms, for one key. */
function oracleOf(limit: number, workers: number) {
  const step = Math.floor((1_024_000 * workers) / limit);
  let until = Number.NEGATIVE_INFINITY;
  return (now: number): boolean => {
    until = Math.max(until, 1024 * now);
    if (until - 1024 * now > Math.max(1_024_000, step) - Math.floor(step / 2)) return false;
    until += step;
    return true;
  };
}

describe("one bucket", () => {
  test.each([
    { limit: 1, workers: 1, burst: 1 },
    { limit: 3, workers: 1, burst: 3 },
    { limit: 7, workers: 1, burst: 7 },
    { limit: 200, workers: 1, burst: 226 }, // what passes before a source is loud is not counted: an eighth more, once
    { limit: 200, workers: 8, burst: 25 },
    { limit: 1, workers: 4, burst: 1 },
    { limit: 10_000, workers: 1, burst: 11_294 }, // and steps are rounded down: 0.4 % more
  ])("$limit a second over $workers workers: $burst at once", ({ limit, workers, burst }) => {
    const { count } = limiterOf(settings({ limit }), workers);
    let passed = 0;
    while (count() === RateAction.Answer) passed++;
    expect(passed).toBe(burst);
  });

  test("a share of less than one a second passes one each time it is due", () => {
    const { count } = limiterOf(settings({ limit: 1 }), 4);
    const passed = Array.from({ length: 13 }, (_, i) => count({ after: i === 0 ? 0 : 1000 })).filter((one) => one === RateAction.Answer);
    expect(passed).toHaveLength(4);
  });

  test("any sequence of arrivals is judged as by the definition", () => {
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(3000)), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 63 }), fc.integer({ min: 1, max: 4 }), gaps, (limit, workers, after) => {
        const { count } = limiterOf(settings({ limit }), workers, 0);
        const oracle = oracleOf(limit, workers);
        let now = 0;
        for (const gap of after) {
          now += gap;
          expect(count({ after: gap }) === RateAction.Answer).toBe(oracle(now));
        }
      }),
    );
  });

  test("over any time no more than limit × (time + 1.125 s) pass, and a source below its limit always does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }), (limit, gap) => {
        const { count } = limiterOf(settings({ limit }));
        let passed = 0;
        for (let i = 0; i < 2000; i++) if (count({ after: gap }) === RateAction.Answer) passed++;
        expect(passed).toBeLessThanOrEqual(1.01 * limit * ((2000 * gap) / 1000 + 1.125) + 2);
        if (1000 / gap <= limit) expect(passed).toBe(2000);
      }),
    );
  });

  test.each([2000, 60_000, 3_600_000, 86_400_000])(
    "a clock that is put back by %i ms forgives once, and does not limit for as long",
    (back) => {
      const { count } = limiterOf(settings({ limit: 5 }));
      for (let i = 0; i < 6; i++) count();
      expect(count()).toBe(RateAction.Drop);
      expect(count({ after: -back })).toBe(RateAction.Answer);
      expect(Array.from({ length: 5 }, () => count())).toEqual([0, 0, 0, 0, RateAction.Drop]);
    },
  );

  test("the 32 bits of a bucket's time wrap unseen", () => {
    for (const start of [2 ** 31 / 1024 - 500, 2 ** 32 / 1024 - 500, 1_800_000_000_000]) {
      const { count } = limiterOf(settings({ limit: 10 }), 1, start);
      const passed = Array.from({ length: 300 }, () => count({ after: 10 })).filter((one) => one === RateAction.Answer);
      expect(passed.length).toBeGreaterThanOrEqual(39);
      expect(passed.length).toBeLessThanOrEqual(40);
    }
  });
});

describe("many buckets", () => {
  test("keys that differ in one part have buckets of their own, for any seed", () => {
    const keys: readonly One[] = [
      {},
      { from: "192.0.3.1" },
      { from: "193.0.2.1" },
      { from: "2001:db8::1" },
      { from: "2001:db8:0:100::1" },
      { from: "2001:db9::1" },
      { subnet: 0 },
      { subnet: 1 },
      { subnet: 256 },
      { kind: AnswerKind.NoName },
      { kind: AnswerKind.Referral },
      { kind: AnswerKind.Error },
      { name: 2 },
      { name: 0x10001 },
      { name: -1 },
    ];
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { count } = limiterOf(settings({ limit: 1, seed: seedOf(seed) }));
        expect(keys.map(count)).toEqual(keys.map(() => RateAction.Answer));
        expect(keys.map(count)).toEqual(keys.map(() => RateAction.Drop));
      }),
    );
  });

  test("a public resolver with many client subnets and names is not limited below its own limit, and is at it", () => {
    const { count } = limiterOf(settings({ limit: 20, sourceLimit: 1000 }));
    const passed = Array.from({ length: 1200 }, (_, i) => count({ subnet: i % 400, name: i % 7 })).filter(
      (one) => one === RateAction.Answer,
    );
    expect(passed.length).toBeGreaterThanOrEqual(1000);
    expect(passed.length).toBeLessThanOrEqual(1010);
  });

  test("a source prefix shares its bucket with no name, not even one whose hash is 0", () => {
    const { count } = limiterOf(settings({ limit: 10, sourceLimit: 10 }));
    for (let i = 0; i < 10; i++) expect(count({ name: 0 })).toBe(RateAction.Answer);
    expect(count({ name: 0 })).toBe(RateAction.Drop);
  });

  test("a source that is loud with many keys has a limit for each of them, and none of a quiet one is ever stopped", () => {
    const { count } = limiterOf(settings({ limit: 200 }));
    const passes = (from: string, rounds: number, keys: number) => {
      let passed = 0;
      for (let i = 0; i < rounds * keys; i++) if (count({ from, name: i % keys }) === RateAction.Answer) passed++;
      return passed;
    };
    expect(passes("192.0.2.1", 200, 10)).toBe(2000);
    expect(passes("192.0.2.1", 200, 10)).toBeLessThanOrEqual(30);
    expect(passes("198.51.100.1", 26, 1)).toBe(26);
  });

  test("what the stricter limit stops is not charged to the source", () => {
    const { count } = limiterOf(settings({ limit: 10, sourceLimit: 100 }));
    for (let i = 0; i < 1000; i++) count({ name: 1 });
    for (let i = 0; i < 80; i++) expect(count({ name: 2 + i })).toBe(RateAction.Answer);
  });

  test("a table that is not overfull judges every key as by the definition", () => {
    // 4,096 busy keys in 16,384 sets of four: one set in 10^9 would have five
    const { count } = limiterOf(settings({ limit: 2 }));
    const passes = () => Array.from({ length: 4096 }, (_, i) => count({ subnet: i & 1023, name: i >> 10 }) === RateAction.Answer);
    expect(passes().every((one) => one)).toBe(true);
    expect(passes().every((one) => one)).toBe(true);
    expect(passes().some((one) => one)).toBe(false);
  });

  test("an overfull table limits less, never more, and keeps the heaviest senders", () => {
    const { count } = limiterOf(settings({ limit: 2 }));
    const heavy = { from: "198.51.100.1" };
    count(heavy);
    count(heavy);
    let wrong = 0;
    for (let i = 0; i < 200_000; i++) if (count({ subnet: i & 0xffff, name: i >> 16 }) !== RateAction.Answer) wrong++;
    expect(wrong).toBe(0);
    expect(count(heavy)).toBe(RateAction.Drop);
  });
});

test.each([
  { slip: 0, shows: "-------" },
  { slip: 1, shows: "TTTTTTT" },
  { slip: 2, shows: "-T-T-T-" },
  { slip: 3, shows: "--T--T-" },
])("slip $slip is counted for each bucket", ({ slip, shows }) => {
  const { count } = limiterOf(settings({ limit: 1, slip }));
  count({ name: 1 });
  count({ name: 2 });
  const letters = { [RateAction.Answer]: "a", [RateAction.Slip]: "T", [RateAction.Drop]: "-" };
  const seen = Array.from({ length: 7 }, () => [count({ name: 1 }), count({ name: 2 })].map((one) => letters[one]));
  expect(seen.map(([one]) => one).join("")).toBe(shows);
  expect(seen.map(([, other]) => other).join("")).toBe(shows);
});

test("exempt networks, to the bit", () => {
  const exempt = ["127.0.0.0/8", "198.51.100.64/26", "203.0.113.7/32", "::1/128", "2001:db8:40::/42"].map((text) => parseNetwork(text)!);
  const cases: readonly [string, boolean][] = [
    ["127.255.0.1", true],
    ["128.0.0.1", false],
    ["198.51.100.127", true],
    ["198.51.100.128", false],
    ["203.0.113.7", true],
    ["203.0.113.6", false],
    ["::1", true],
    ["::2", false],
    ["2001:db8:7f::1", true],
    ["2001:db8:80::1", false],
    ["::ffff:127.0.0.1", true],
  ];
  const { count } = limiterOf(settings({ limit: 1, exempt }));
  for (const [from, isExempt] of cases) {
    count({ from });
    expect([from, count({ from }) === RateAction.Answer]).toEqual([from, isExempt]);
  }
  const everybody = limiterOf(settings({ limit: 1, exempt: [parseNetwork("0.0.0.0/0")!] }));
  for (let i = 0; i < 3; i++) expect(everybody.count({ from: "255.1.2.3" })).toBe(RateAction.Answer);
});
