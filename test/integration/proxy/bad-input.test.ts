/** Clients that mean no good, while one that behaves goes on asking: they are refused and counted, and it gets all its answers. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BadInputWorld, openBadInputWorld, type ProxyCounts, percentile } from "../../support/bad-input/bad-input-world.ts";

let world: BadInputWorld;
beforeAll(async () => {
  world = await openBadInputWorld();
  await world.ask(300);
});
afterAll(() => world?.close());

/** Very generous: other programs run on the machine. `npm run shows:proxy-bad-input` measures. */
const LONGEST = 2000;

const cases: readonly {
  readonly name: string;
  readonly attack: string;
  /** Reasons or statuses that must have been counted, one of each list. */
  readonly counted: readonly (readonly string[])[];
}[] = [
  { name: "requests that two servers would read differently", attack: "smuggling", counted: [["400"], ["501"]] },
  { name: "the same from those who do not wait for an answer", attack: "storm", counted: [["refused-too-often"]] },
  { name: "heads without end", attack: "heads", counted: [["431"], ["414"]] },
  { name: "bodies without end", attack: "bodies", counted: [["413"]] },
  { name: "thousands of connections that never say a whole head", attack: "slowHeads", counted: [["too-many-silent-of-one-client"]] },
  { name: "streams that are taken back at once", attack: "resets", counted: [["http2-resets", "http2-frames"]] },
  { name: "handshakes for nobody", attack: "handshakes", counted: [["no-certificate"]] },
];

test.each(cases)("$name", async ({ attack, counted }) => {
  const before = await world.counts();
  const end = await world.attack(attack);
  const isCounted = ({ answers, refused }: ProxyCounts): boolean =>
    counted.every((names) => names.some((name) => isMore(answers, before.answers, name) || isMore(refused, before.refused, name)));
  const times: number[] = [];
  let bad = 0;
  let after = before;
  // thousands of connections take their time to be opened
  for (let seconds = 0; seconds < 3 || (seconds < 30 && !isCounted(after)); seconds++) {
    const asked = await world.ask(1000);
    times.push(...asked.times);
    bad += asked.bad;
    after = await world.counts();
  }
  const tally = await end();
  expect(isCounted(after)).toBe(true);
  expect([bad, tally.taken]).toEqual([0, 0]);
  expect(tally.refused).toBeGreaterThan(0);
  expect(
    percentile(
      times.sort((a, b) => a - b),
      0.99,
    ),
  ).toBeLessThan(LONGEST);
  await expect.poll(async () => (await world.counts()).clients, { timeout: 20_000 }).toBeLessThanOrEqual(8);
});

const isMore = (now: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>, name: string): boolean =>
  (now[name] ?? 0) > (before[name] ?? 0);
