import fc from "fast-check";
import { expect, test } from "vitest";
import { oracleHash, oracleMix, oracleScore } from "../../test/support/oracle/slots.ts";
import { hashText, mix32, rendezvousScore } from "./hash.ts";

// Slots are a promise to clients that come back, across versions: these numbers must never change.
const promised = [
  { text: "default/shop", hash: 3_793_996_340 },
  { text: "eu-west#0", hash: 1_005_478_709 },
  { text: "", hash: 2_872_998_923 },
];
test.each(promised)("the hash of '$text' is what it always was", ({ text, hash }) => expect(hashText(text)).toBe(hash));

test("the finaliser is MurmurHash3's", () => {
  expect([0, 1, 2, 0xffff_ffff].map(mix32)).toEqual([0, 0x514e28b7, 0x30f4c306, 0x81f16f39]);
});

test("equals long-hand arithmetic", () => {
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(
      word,
      fc.stringMatching(/^[ -~]{0,40}$/),
      fc.nat({ max: 65_535 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      (hash, text, slot, weight) => {
        expect(mix32(hash)).toBe(oracleMix(hash));
        expect(hashText(text)).toBe(oracleHash(text));
        expect(rendezvousScore(slot, hash, weight)).toBe(oracleScore(slot, { hash, weight }));
      },
    ),
  );
});
