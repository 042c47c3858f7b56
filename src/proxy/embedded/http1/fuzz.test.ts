import { expect, test } from "vitest";
import { fuzzMessages, newFuzzCounts } from "../../../../test/support/http1/fuzz-messages.ts";

/** `npm run fuzz:http1` runs a million. */
const CASES = 20_000;

test("of damaged messages nothing is taken that node:http refuses or reads otherwise, however they are cut", () => {
  const counts = newFuzzCounts();
  fuzzMessages(CASES, 1, counts);
  expect(counts.failures).toEqual([]);
  expect(counts.taken).toBeGreaterThan(CASES / 10); // or else it proves nothing
});
