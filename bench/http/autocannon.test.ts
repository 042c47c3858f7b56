import { describe, expect, test } from "vitest";
import { autocannonCanAsk, parseAutocannon } from "./autocannon.ts";

const printed = (more: object = {}): string =>
  JSON.stringify({
    ...{ connections: 64, duration: 3.07, errors: 0, timeouts: 0, mismatches: 0, non2xx: 0 },
    latency: { average: 6.33, p50: 6, p97_5: 15, p99: 22 },
    requests: { average: 9426, total: 28_278, sent: 28_342 },
    ...more,
  });

describe("what autocannon prints", () => {
  test("all went well", () =>
    expect(parseAutocannon(printed())).toEqual({ seconds: 3.07, requests: 28_278, failed: 0, p50: 6000, p99: 22_000 }));

  test("connections that failed, and other statuses, are added up; silent ones are among the failed", () =>
    expect(parseAutocannon(printed({ errors: 21, timeouts: 20, non2xx: 300 })).failed).toBe(321));

  test.each(["", "autocannon: no such option", "{}"])("%j is no result", (text) => expect(() => parseAutocannon(text)).toThrow());
});

test.each([
  { rate: 7_000, limit: 20_000, can: true },
  { rate: 10_000, limit: 20_000, can: true },
  { rate: 10_001, limit: 20_000, can: false },
])("a proxy of $rate a second, of at most $limit: $can", ({ rate, limit, can }) => expect(autocannonCanAsk(rate, limit)).toBe(can));
