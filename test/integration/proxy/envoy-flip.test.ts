import { expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { measureFlips } from "../../support/envoy/flip-times.ts";

test.skipIf(!requireComponent("envoy", "envoy"))("Envoy itself shows each flip soon after we say so", async () => {
  const times = await measureFlips(5);
  expect(times).toHaveLength(5);
  // Milliseconds on a machine with nothing else to do (`npm run shows:envoy-flip`).
  for (const { written, acknowledged, shown } of times) {
    expect(written).toBeLessThan(1_000);
    expect(acknowledged).toBeLessThan(5_000);
    expect(shown).toBeLessThan(5_000);
  }
});
