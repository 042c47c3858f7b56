import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { ms } from "../model/units.ts";
import { createTimeline } from "../observe/timeline.ts";
import { createNotifier } from "./notifier.ts";
import { NOTICES } from "./notify-file.ts";

function scene() {
  const clock = createSimulatedClock();
  const timeline = createTimeline(100, clock.wallClock);
  const sent: string[] = [];
  const world = { degraded: [] as readonly string[] };
  let ids = 0;
  const notifier = createNotifier({
    windowMs: 60_000,
    receivers: [
      { name: "chat", type: "Slack", events: ["Failover", "FailOpen"] },
      { name: "alerts", type: "Alertmanager", events: NOTICES, routes: ["default/*"] },
    ],
    timeline,
    degraded: () => world.degraded,
    deliver: async (receiver, { notification: { notice, phase }, more }) => {
      sent.push(`${receiver} ${notice} ${phase} +${more}`);
      return { outcome: "sent" };
    },
    count: () => {},
    onTrouble: () => {},
    wallClock: clock.wallClock,
    now: clock.now,
    random: () => 0,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    newId: () => String(ids++),
  });
  /** As the engine: what lasts is a reason of degradation too. */
  const happen = (kind: "Failover" | "FailOpen" | "FailOpenEnded", route = "default/shop"): void => {
    if (kind !== "Failover") world.degraded = kind === "FailOpen" ? ["fail-open"] : [];
    timeline.add({ kind, object: `GlobalRoute ${route}`, message: kind, details: {} });
  };
  return { clock, notifier, sent, world, happen };
}

test("each receiver hears what it chose, and the timeline is not held up by it", async () => {
  const { clock, notifier, sent, happen } = scene();
  notifier.tells(true);
  happen("Failover");
  happen("Failover", "other/shop");
  await clock.advance(0);
  expect(sent).toEqual(["chat Failover Moment +0", "alerts Failover Moment +0", "chat Failover Moment +0"]);
});

test("a chat hears of a flapping route once and then how often; Alertmanager hears all, and of what lasts every minute", async () => {
  const { clock, notifier, sent, happen } = scene();
  notifier.tells(true);
  for (let i = 0; i < 5; i++) happen("Failover");
  happen("FailOpen");
  await clock.advance(61_000);
  expect(sent.filter((line) => line.startsWith("chat"))).toEqual([
    "chat Failover Moment +0",
    "chat FailOpen Begun +0",
    "chat Failover Moment +3",
  ]);
  expect(sent.filter((line) => line.startsWith("alerts Failover"))).toHaveLength(5);
  expect(sent.filter((line) => line === "alerts FailOpen Begun +0")).toHaveLength(2);
  happen("FailOpenEnded");
  await clock.advance(200_000);
  expect(sent.filter((line) => line === "alerts FailOpen Begun +0")).toHaveLength(2);
  expect(sent.at(-1)).toBe("alerts FailOpen Ended +0");
});

test("degradation is looked for every five seconds", async () => {
  const { clock, notifier, sent, world } = scene();
  notifier.tells(true);
  world.degraded = ["geo-stale"];
  await clock.advance(5000);
  expect(sent).toEqual(["alerts Degraded Begun +0"]);
  world.degraded = [];
  await clock.advance(5000);
  expect(sent.at(-1)).toBe("alerts Degraded Ended +0");
});

test("a replica that does not write is silent; when it takes over it reminds Alertmanager of what lasts, and nobody hears the past", async () => {
  const { clock, notifier, sent, happen } = scene();
  happen("FailOpen");
  happen("Failover");
  await clock.advance(120_000);
  expect(sent).toEqual([]);
  notifier.tells(true);
  await clock.advance(0);
  expect(sent).toEqual(["alerts FailOpen Begun +0"]);
  notifier.tells(false);
  happen("Failover");
  await clock.advance(120_000);
  expect(sent).toHaveLength(1);
});

test("closed, it hears nothing and arms no timer", async () => {
  const { clock, notifier, sent, happen } = scene();
  notifier.tells(true);
  notifier.close();
  happen("Failover");
  await clock.advance(120_000);
  expect([sent, clock.pending()]).toEqual([[], 0]);
});
