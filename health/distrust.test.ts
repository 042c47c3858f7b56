import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClusterEvidence, distrust, type References, surroundings } from "./distrust.ts";

const BEGAN = 100;
/** One letter a cluster: h = answered since, s = silent since, - = not probed since, d = dead long before, o = silent before, heard since. */
const world = (letters: string): ClusterEvidence[] =>
  [...letters].map((letter) => {
    if (letter === "h") return { heardAt: 120, silentAt: Number.NEGATIVE_INFINITY, dead: false };
    if (letter === "s") return { heardAt: 90, silentAt: 110, dead: false };
    if (letter === "d") return { heardAt: 10, silentAt: 110, dead: true };
    if (letter === "o") return { heardAt: 130, silentAt: 110, dead: false };
    return { heardAt: 90, silentAt: 20, dead: false };
  });

const JUDGED = 1000;
const HOLD = 300;
const believe = { trust: "believe" };
const held = (suspect: boolean, until: number | null = JUDGED + HOLD) => ({ trust: "abstain", suspect, until });

const cases: readonly { name: string; world: string; references?: References; now?: number; expect: object }[] = [
  { name: "1 of 5 clusters: an outage", world: "shhhh", expect: believe },
  { name: "2 of 5 clusters: an outage", world: "sshhh", expect: believe },
  { name: "3 of 5 clusters: it may be us", world: "ssshh", expect: held(true) },
  { name: "5 of 5 clusters", world: "sssss", expect: held(true) },
  { name: "2 of 4 is no more than half", world: "sshh", expect: believe },
  { name: "1 of 3 clusters", world: "shh", expect: believe },
  { name: "2 of 3 clusters", world: "ssh", expect: held(true) },
  { name: "two clusters can always fail over", world: "ss", expect: believe },
  { name: "a single cluster too", world: "s", expect: believe },
  { name: "until enough clusters have been heard, evidence is awaited", world: "s----", expect: held(false) },
  { name: "half of them suffice", world: "s-hhh", expect: believe },
  { name: "one that was silent and has answered since is heard", world: "ssohh", expect: believe },
  { name: "a cluster dead since yesterday does not count as silent now", world: "sdhhh", expect: believe },
  { name: "with two dead, both of the last two falling silent are suspicious", world: "ddss", expect: held(true) },
  { name: "with two dead, one of three is an outage", world: "ddshh", expect: believe },
  { name: "held until three intervals are over", world: "sssss", now: JUDGED + HOLD - 1, expect: held(true) },
  { name: "then believed", world: "sssss", now: JUDGED + HOLD, expect: believe },
  { name: "missing evidence is awaited no longer either", world: "s----", now: JUDGED + HOLD, expect: believe },
  { name: "control targets that answer: believed at once", world: "sssss", references: "answering", expect: believe },
  { name: "control targets silent: held without end", world: "sssss", references: "silent", now: 1e9, expect: held(true, null) },
  { name: "control targets silent, but only 2 of 5 clusters: an outage", world: "sshhh", references: "silent", expect: believe },
  { name: "control targets not yet heard: awaited", world: "sssss", references: "unheard", expect: held(true) },
];
test.each(cases)("$name", (c) =>
  expect(distrust(surroundings(world(c.world), BEGAN, c.references ?? "none"), JUDGED, HOLD, c.now ?? JUDGED)).toEqual(c.expect),
);

describe("properties", () => {
  const letters = fc.array(fc.constantFrom("h", "s", "-", "d", "o"), { maxLength: 12 }).map((list) => list.join(""));

  test("silence of at most half of the live clusters, all heard, is always believed; of more, never at once and without references", () => {
    fc.assert(
      fc.property(letters, (text) => {
        const heardOnly = text.replaceAll("-", "h");
        const silent = [...heardOnly].filter((letter) => letter === "s").length;
        const live = [...heardOnly].filter((letter) => letter !== "d").length;
        const result = distrust(surroundings(world(heardOnly), BEGAN, "none"), JUDGED, HOLD, JUDGED);
        expect(result.trust).toBe(heardOnly.length >= 3 && silent > live / 2 ? "abstain" : "believe");
      }),
    );
  });

  test("more answers never turn belief into doubt", () => {
    fc.assert(
      fc.property(letters, fc.nat(11), fc.constantFrom<References>("none", "answering", "silent", "unheard"), (text, at, references) => {
        const trustOf = (world_: string) => distrust(surroundings(world(world_), BEGAN, references), JUDGED, HOLD, JUDGED).trust;
        const answered = [...text].map((letter, i) => (i === at && letter !== "d" ? "h" : letter)).join("");
        if (trustOf(text) === "believe") expect(trustOf(answered)).toBe("believe");
      }),
    );
  });
});
