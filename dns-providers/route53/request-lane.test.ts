import { expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { createRequestLane } from "./request-lane.ts";

function start() {
  const clock = createSimulatedClock();
  const lane = createRequestLane({ now: clock.now, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) });
  const sent: { readonly name: string; readonly at: number }[] = [];
  const send = (name: string, isUrgent = false, action = "ListHealthChecks", signal = new AbortController().signal): Promise<void> =>
    lane.enter(action, isUrgent, signal).then(() => void sent.push({ name, at: clock.now() }));
  return { clock, lane, sent, send };
}

test("so many at once, then so many a second, in their order", async () => {
  const { clock, sent, send } = start();
  const first = clock.now();
  for (let i = 0; i < 60; i++) void send(String(i));
  await clock.advance(1000);
  expect(sent.map(({ name }) => name)).toEqual(Array.from({ length: 48 }, (_, i) => String(i)));
  expect(sent.filter(({ at }) => at === first)).toHaveLength(40);
});

test("urgent ones go before all that wait", async () => {
  const { clock, sent, send } = start();
  for (let i = 0; i < 50; i++) void send(`later ${i}`);
  void send("urgent", true);
  await clock.advance(200);
  expect(sent.slice(40).map(({ name }) => name)).toEqual(["urgent"]);
});

test("an action with a narrower limit waits for itself alone", async () => {
  const { clock, sent, send } = start();
  for (let i = 0; i < 45; i++) void send(`check ${i}`, false, "CreateHealthCheck");
  await clock.advance(1);
  expect(sent).toHaveLength(40);
  await clock.advance(2000);
  void send("other");
  await clock.advance(1);
  expect(sent.at(-1)?.name).toBe("other");
  await clock.advance(12_500);
  expect(sent.filter(({ name }) => name.startsWith("check"))).toHaveLength(45);
});

test("too fast: it slows down to half, and comes back little by little", async () => {
  const { clock, lane, sent, send } = start();
  lane.tooFast("ListHealthChecks");
  for (let i = 0; i < 100; i++) void send(String(i));
  await clock.advance(1000);
  const slow = sent.length;
  expect(slow).toBeGreaterThanOrEqual(3);
  expect(slow).toBeLessThanOrEqual(5);
  await clock.advance(8000);
  const before = sent.length;
  await clock.advance(1000);
  expect(sent.length - before).toBe(8);
});

test("who gives up leaves the queue", async () => {
  const { clock, sent, send } = start();
  for (let i = 0; i < 40; i++) void send(String(i));
  const gone = new AbortController();
  const late = send("gone", false, "GetChange", gone.signal);
  gone.abort(new Error("too late"));
  await expect(late).rejects.toThrow("too late");
  void send("next");
  await clock.advance(200);
  expect(sent.at(-1)?.name).toBe("next");
  await expect(send("never", false, "GetChange", gone.signal)).rejects.toThrow("too late");
});
