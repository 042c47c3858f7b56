import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Health } from "../src/model/health.ts";
import type { Quorum } from "../src/model/inventory.ts";
import { ms } from "../src/model/units.ts";
import { freshFor, type Opinion, tally, type Vote } from "./quorum.ts";

const NOW = 1_000_000;
const FRESH = freshFor({ interval: ms(5000), timeout: ms(2000) });

const vote = (site: string, opinion: Opinion, over: Partial<Vote> = {}): Vote => ({
  site,
  replica: "a",
  opinion,
  at: NOW - 100,
  reason: opinion === "unhealthy" ? "timeout" : "ok",
  proven: false,
  firstSign: NOW - 5000,
  nextChange: NOW + 5000,
  ...over,
});
const majority: Quorum = { type: "Majority" };
const count = (n: number): Quorum => ({ type: "Count", count: n });
const sites = (text: string): Vote[] =>
  [...text].map((letter, i) => vote(`s${i}`, letter === "H" ? "healthy" : letter === "U" ? "unhealthy" : "abstain"));

const cases: readonly { name: string; votes: string; quorum: Quorum; previous: Health; to: Health }[] = [
  { name: "one vantage decides alone", votes: "U", quorum: majority, previous: "Healthy", to: "Unhealthy" },
  { name: "one vantage decides alone under Count 3", votes: "U", quorum: count(3), previous: "Healthy", to: "Unhealthy" },
  { name: "one vantage that abstains freezes", votes: "a", quorum: majority, previous: "Healthy", to: "Healthy" },
  { name: "nobody votes: Unknown stays Unknown", votes: "aa", quorum: majority, previous: "Unknown", to: "Unknown" },
  { name: "no sites at all: the verdict stays", votes: "", quorum: count(1), previous: "Unhealthy", to: "Unhealthy" },
  { name: "two sites that disagree freeze", votes: "HU", quorum: majority, previous: "Healthy", to: "Healthy" },
  { name: "of two sites, one may be lost", votes: "Ua", quorum: majority, previous: "Healthy", to: "Unhealthy" },
  { name: "of three sites, one alone is too few", votes: "Uaa", quorum: majority, previous: "Healthy", to: "Healthy" },
  { name: "two of three agree", votes: "UUH", quorum: majority, previous: "Healthy", to: "Unhealthy" },
  { name: "two of three agree on the way back", votes: "UHH", quorum: majority, previous: "Unhealthy", to: "Healthy" },
  { name: "half is not a majority", votes: "UUHH", quorum: majority, previous: "Healthy", to: "Healthy" },
  { name: "Count 2 of 5 suffices to take out", votes: "UUHHH", quorum: count(2), previous: "Healthy", to: "Unhealthy" },
  { name: "Count 2: one complaint returns it", votes: "UHHHH", quorum: count(2), previous: "Unhealthy", to: "Healthy" },
  { name: "Count 3 with two lost sites freezes", votes: "UUaaa", quorum: count(3), previous: "Healthy", to: "Healthy" },
];
test.each(cases)("$name", (c) => expect(tally(sites(c.votes), c.quorum, c.previous, FRESH, NOW).health).toBe(c.to));

describe("votes", () => {
  test("a stale vote abstains, at the exact millisecond", () => {
    const at = (age: number) => tally([vote("s0", "unhealthy", { at: NOW - age })], majority, "Healthy", FRESH, NOW);
    expect(at(17_000).health).toBe("Unhealthy");
    expect(at(17_001)).toMatchObject({ health: "Healthy", frozen: true, votes: 0 });
  });

  test("three replicas of one site are one vote against two other sites", () => {
    const replicas = ["a", "b", "c"].map((replica) => vote("s0", "unhealthy", { replica }));
    expect(tally([...replicas, vote("s1", "healthy"), vote("s2", "healthy")], majority, "Healthy", FRESH, NOW).health).toBe("Healthy");
  });

  test("replicas of one site that disagree evenly abstain", () => {
    const split = [vote("s0", "unhealthy", { replica: "a" }), vote("s0", "healthy", { replica: "b" })];
    expect(tally(split, majority, "Healthy", FRESH, NOW)).toMatchObject({ health: "Healthy", frozen: true });
  });

  test("proven needs a vote for Unhealthy that is proven", () => {
    const down = (proven: boolean) =>
      tally([vote("s0", "unhealthy", { proven }), vote("s1", "unhealthy")], majority, "Healthy", FRESH, NOW);
    expect(down(true).proven).toBe(true);
    expect(down(false).proven).toBe(false);
    expect(tally([vote("s0", "healthy", { proven: true })], majority, "Healthy", FRESH, NOW).proven).toBe(false);
  });

  test("first sign is the earliest of the votes that carried it", () => {
    const votes = [
      vote("s0", "unhealthy", { firstSign: 30 }),
      vote("s1", "unhealthy", { firstSign: 20 }),
      vote("s2", "healthy", { firstSign: 10 }),
    ];
    expect(tally(votes, majority, "Healthy", FRESH, NOW).grounds?.firstSign).toBe(20);
  });

  test("the reason is the newest, a proven one first", () => {
    const timeout = vote("s0", "unhealthy", { at: NOW, reason: "timeout" });
    const older = vote("s1", "unhealthy", { at: NOW - 10, reason: "unreachable" });
    const refused = vote("s2", "unhealthy", { at: NOW - 20, reason: "refused", proven: true });
    const reasonOf = (votes: Vote[]) => tally(votes, majority, "Healthy", FRESH, NOW).grounds?.reason;
    expect(reasonOf([older, timeout])).toBe("timeout");
    expect(reasonOf([timeout, older])).toBe("timeout");
    expect(reasonOf([timeout, refused, older])).toBe("refused");
  });

  test("the next change waits for as many sites as are missing", () => {
    const votes = [1, 2, 3, 4, 5].map((n) => vote(`s${n}`, "healthy", { nextChange: NOW + n * 1000 }));
    expect(tally(votes, majority, "Healthy", FRESH, NOW).nextChange).toBe(NOW + 3000);
    expect(tally(votes, count(2), "Healthy", FRESH, NOW).nextChange).toBe(NOW + 2000);
    expect(tally([], majority, "Healthy", FRESH, NOW).nextChange).toBe(Number.POSITIVE_INFINITY);
  });
});

/** The rules said in one breath, site by site, without sharing code with the implementation. */
function bruteForce(votes: readonly Vote[], quorum: Quorum, previous: Health): Health {
  const names = [...new Set(votes.map((v) => v.site))];
  const opinionOf = (site: string): number => {
    let balance = 0;
    for (const v of votes) {
      if (v.site !== site || NOW - v.at > FRESH) continue;
      if (v.opinion === "healthy") balance++;
      if (v.opinion === "unhealthy") balance--;
    }
    return Math.sign(balance);
  };
  const up = names.filter((name) => opinionOf(name) > 0).length;
  const down = names.filter((name) => opinionOf(name) < 0).length;
  if (up + down === 0) return previous;
  if (quorum.type === "Count") {
    if (down >= quorum.count || down === names.length) return "Unhealthy";
    return up >= quorum.count || up === names.length ? "Healthy" : previous;
  }
  if (up + down < names.length / 2) return previous;
  return down > up ? "Unhealthy" : up > down ? "Healthy" : previous;
}

const arbitraryVote = fc
  .record({
    site: fc.constantFrom("s0", "s1", "s2", "s3", "s4"),
    replica: fc.constantFrom("a", "b", "c"),
    opinion: fc.constantFrom<Opinion>("healthy", "unhealthy", "abstain"),
    age: fc.constantFrom(0, 100, 16_999, 17_000, 17_001, 60_000),
    proven: fc.boolean(),
  })
  .map(({ age, site, opinion, ...rest }) => vote(site, opinion, { ...rest, at: NOW - age }));
const arbitraryVotes = fc.uniqueArray(arbitraryVote, { maxLength: 12, selector: (v) => `${v.site}/${v.replica}` });
const arbitraryQuorum = fc.oneof(fc.constant(majority), fc.integer({ min: 1, max: 6 }).map(count));
const arbitraryHealth = fc.constantFrom<Health>("Healthy", "Unhealthy", "Unknown");

describe("properties", () => {
  test("equals the brute-force statement of the rules", () => {
    fc.assert(
      fc.property(arbitraryVotes, arbitraryQuorum, arbitraryHealth, (votes, quorum, previous) => {
        const result = tally(votes, quorum, previous, FRESH, NOW);
        expect(result.health).toBe(bruteForce(votes, quorum, previous));
        if (result.frozen) expect(result.health).toBe(previous);
        if (result.proven) expect(votes.some((v) => v.proven && v.opinion === "unhealthy" && NOW - v.at <= FRESH)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test("the order of votes does not matter, and abstaining never changes a verdict by itself", () => {
    fc.assert(
      fc.property(arbitraryVotes, arbitraryQuorum, arbitraryHealth, (votes, quorum, previous) => {
        const result = tally(votes, quorum, previous, FRESH, NOW);
        expect(tally([...votes].reverse(), quorum, previous, FRESH, NOW)).toEqual(result);
        const silent = votes.map((v) => ({ ...v, opinion: "abstain" as const }));
        expect(tally(silent, quorum, previous, FRESH, NOW).health).toBe(previous);
      }),
    );
  });
});
