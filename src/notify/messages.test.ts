import { expect, test } from "vitest";
import { bodyFor, type Told } from "./messages.ts";
import type { Notification } from "./notification.ts";

const ORIGIN = { instance: "dublin", version: "1.2.3" };
const AT = Date.UTC(2026, 10, 21, 12);
const moved: Notification = {
  ...{ key: "Failover GlobalRoute default/shop", notice: "Failover", phase: "Moment", severity: "warning" },
  ...{ object: "GlobalRoute default/shop", route: "default/shop", message: "clients moved from a to b: <timeout> & more", startedAt: AT },
  details: { from: "a", to: "b", reason: "timeout" },
};
const open: Notification = { ...moved, key: "FailOpen x", notice: "FailOpen", phase: "Begun", severity: "critical", details: {} };
const body = (type: "Webhook" | "Slack" | "Alertmanager", notification: Notification, more = 0, now = AT): unknown => {
  const told: Told = { id: "4711", notification, more };
  return JSON.parse(bodyFor(type, told, ORIGIN, now));
};

test("a webhook gets everything, flat", () => {
  expect(body("Webhook", { ...open, phase: "Ended", endedAt: AT + 1000 }, 2)).toEqual({
    id: "4711",
    from: { name: "globalroute", instance: "dublin", version: "1.2.3" },
    notice: "FailOpen",
    phase: "Ended",
    severity: "critical",
    object: "GlobalRoute default/shop",
    route: "default/shop",
    message: "clients moved from a to b: <timeout> & more",
    startedAt: "2026-11-21T12:00:00.000Z",
    endedAt: "2026-11-21T12:00:01.000Z",
    more: 2,
    details: {},
  });
});

test("Slack gets a text for the telephone and blocks, with nothing in them that it would obey", () => {
  expect(body("Slack", moved, 12)).toEqual({
    text: "🟠 Failover: GlobalRoute default/shop: clients moved from a to b: &lt;timeout&gt; &amp; more (and 12 more)",
    blocks: [
      {
        type: "section",
        text: {
          type: "mrkdwn",
          text: "*🟠 Failover: GlobalRoute default/shop*\nclients moved from a to b: &lt;timeout&gt; &amp; more (and 12 more)",
        },
      },
      { type: "context", elements: [{ type: "mrkdwn", text: "globalroute dublin" }] },
    ],
  });
  expect(body("Slack", { ...open, phase: "Ended", severity: "info" })).toMatchObject({ text: expect.stringMatching(/^🟢 over: FailOpen/) });
});

const labels = {
  alertname: "GlobalRouteFailOpen",
  severity: "critical",
  instance: "dublin",
  object: "GlobalRoute default/shop",
  route: "default/shop",
};

test.each([
  { name: "what lasts is believed for four minutes more", notification: open, now: AT + 60_000, ends: "2026-11-21T12:05:00.000Z" },
  {
    name: "what ended has its end",
    notification: { ...open, phase: "Ended" as const, endedAt: AT + 5000 },
    now: AT + 60_000,
    ends: "2026-11-21T12:00:05.000Z",
  },
])("of alerts: $name, and the labels stay the same", ({ notification, now, ends }) => {
  expect(body("Alertmanager", notification, 0, now)).toEqual([
    { labels, annotations: { summary: open.message, key: "FailOpen x" }, startsAt: "2026-11-21T12:00:00.000Z", endsAt: ends },
  ]);
});

test("held withdrawals of two families of one backend are two alerts", () => {
  const held = (family: number): Notification => ({
    ...open,
    notice: "WithdrawalHeld",
    details: { cluster: "eu-west", backend: "eu", family },
  });
  expect(body("Alertmanager", held(6))).toMatchObject([{ labels: { cluster: "eu-west", backend: "eu", family: "6" } }]);
  expect(body("Alertmanager", held(4))).toMatchObject([{ labels: { family: "4" } }]);
});

test("a moment shows as an alert for five minutes, and says from where to where", () => {
  expect(body("Alertmanager", moved)).toMatchObject([{ labels: { from: "a", to: "b" }, endsAt: "2026-11-21T12:05:00.000Z" }]);
});
