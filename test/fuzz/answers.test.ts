/** A slice of `npm run fuzz`: three pieces of its own seeds. */
import { expect, test } from "vitest";
import { fuzzAnswers, newFuzzCounts } from "./fuzz-answers.ts";
import { fuzzSubjects } from "./subjects.ts";

test("300,000 hostile packets: every answer decodes, is the query's own, keeps to its limits and is the same in place", () => {
  const counts = newFuzzCounts();
  const subjects = fuzzSubjects();
  for (const seed of [1, 2, 3]) fuzzAnswers(subjects, 100_000, seed, counts, () => 0);
  expect(counts.packets).toBe(300_000);
  // NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED: every outcome was met, or the run would prove little
  for (const rcode of [0, 1, 2, 3, 4, 5]) expect(counts.rcodes[rcode], `RCODE ${rcode}`).toBeGreaterThan(300);
});
