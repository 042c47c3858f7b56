import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { ms } from "../model/units.ts";
import type { Told } from "./messages.ts";
import { createOutbox, type Delivery, GIVE_UP_MS, MOST_WAITING } from "./outbox.ts";

const told = (id: string): Told => ({
  ...{ id, more: 0 },
  notification: { key: id, notice: "Failover", phase: "Moment", severity: "warning", object: "o", message: "m", startedAt: 0, details: {} },
});

/** A receiver that answers each try as it is told to, and says yes when it was told nothing. */
function scene(answers: readonly (Delivery | "throws")[] = [], random = () => 0) {
  const clock = createSimulatedClock();
  const tries: string[] = [];
  const counts: string[] = [];
  const troubles: string[] = [];
  const outbox = createOutbox({
    now: clock.now,
    random,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    async deliver({ id }) {
      const answer = answers[tries.length] ?? { outcome: "sent" };
      tries.push(`${id}@${clock.now()}`);
      if (answer === "throws") throw new TypeError("a bug");
      return answer;
    },
    count: (result) => counts.push(result),
    onTrouble: (reason, isFinal) => troubles.push(`${reason} ${isFinal}`),
  });
  return { clock, tries, counts, troubles, outbox };
}

const later: Delivery = { outcome: "later", reason: "ECONNREFUSED" };

test("notifications go one after the other, in order", async () => {
  const { clock, tries, counts, outbox } = scene();
  for (const id of ["a", "b", "c"]) outbox.add(told(id));
  expect(tries).toEqual(["a@0"]);
  await clock.advance(0);
  expect([tries, counts]).toEqual([
    ["a@0", "b@0", "c@0"],
    ["sent", "sent", "sent"],
  ]);
});

test("what fails is tried again after pauses that double, and the order is kept", async () => {
  const { clock, tries, counts, outbox } = scene([later, later, later, "throws"]);
  outbox.add(told("a"));
  outbox.add(told("b"));
  await clock.advance(20_000);
  expect(tries).toEqual(["a@0", "a@500", "a@1500", "a@3500", "a@7500", "b@7500"]);
  expect(counts).toEqual(["retried", "retried", "retried", "retried", "sent", "sent"]);
});

test("pauses have jitter of half, and grow to a minute at most", async () => {
  const answers = Array.from({ length: 12 }, () => later);
  const { clock, tries, outbox } = scene(answers, () => 0.999_999);
  outbox.add(told("a"));
  await clock.advance(500_000);
  const times = tries.map((one) => Math.round(Number(one.split("@")[1]) / 1000));
  expect(times.slice(0, 9)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
});

test.each([
  { asked: 30_000, waits: 30_000 },
  { asked: 1, waits: 500 },
  { asked: 86_400_000, waits: 600_000 },
])("a receiver that asks for $asked ms is left alone for $waits", async ({ asked, waits }) => {
  const { clock, tries, outbox } = scene([{ ...later, after: asked }]);
  outbox.add(told("a"));
  await clock.advance(waits - 1);
  expect(tries).toHaveLength(1);
  await clock.advance(1);
  expect(tries).toHaveLength(2);
});

test("what is refused is given up at once, and the next one goes", async () => {
  const { clock, tries, counts, troubles, outbox } = scene([{ outcome: "refused", reason: "status 404" }]);
  outbox.add(told("a"));
  outbox.add(told("b"));
  await clock.advance(0);
  expect([tries, counts, troubles]).toEqual([["a@0", "b@0"], ["failed", "sent"], ["status 404 true"]]);
});

test("after an hour it is given up", async () => {
  const { clock, counts, outbox } = scene(Array.from({ length: 1000 }, () => later));
  outbox.add(told("a"));
  await clock.advance(GIVE_UP_MS + 60_001);
  expect(counts.at(-1)).toBe("failed");
  expect(outbox.waiting()).toBe(0);
});

test("when too many wait the oldest go, and are counted", async () => {
  const { clock, tries, counts, outbox } = scene([later]);
  for (let i = 0; i < MOST_WAITING + 3; i++) outbox.add(told(`n${i}`));
  expect(outbox.waiting()).toBe(MOST_WAITING);
  expect(counts.filter((one) => one === "dropped")).toHaveLength(3);
  await clock.advance(1000);
  expect(tries[1]).toMatch(/^n3@/);
  expect(counts.filter((one) => one === "sent")).toHaveLength(MOST_WAITING);
});

test("closed, it sends nothing more and arms no timer", async () => {
  const { clock, tries, outbox } = scene([later]);
  outbox.add(told("a"));
  await clock.advance(0);
  outbox.close();
  outbox.add(told("b"));
  await clock.advance(100_000);
  expect([tries, clock.pending()]).toEqual([["a@0"], 0]);
});
