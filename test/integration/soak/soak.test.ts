/** A slice of `npm run soak`, over each transport. */
import { expect, test } from "vitest";
import { runSoak } from "../../soak/run-soak.ts";
import { verdictOf } from "../../soak/verdict.ts";
import { transportsHere } from "../../support/conformance/world.ts";

test.each(transportsHere())(
  "while sites come and go every answer is the oracle's of its instant, and none is missing: %s",
  async (transport) => {
    const result = await runSoak({ seconds: 12, rate: 400, seed: 1, transport, onProgress: () => undefined });
    expect(result.wrong).toEqual([]);
    expect(verdictOf(result).faults).toEqual([]);
  },
);
