import { expect, test } from "vitest";
import type { FleetStatus, ProxyStatus } from "../engine/view.ts";
import { createTimeline } from "../observe/timeline.ts";
import { createFleetNews } from "./fleet-news.ts";

const fleet = (members: readonly ProxyStatus[], problems: readonly string[] = []): FleetStatus => ({
  ...{ name: "edge", type: "Envoy", members, problems },
  proxies: { connected: 2, current: 2 - members.length, rejected: members.length },
});
const rejecting = (name: string, problem = "no such file"): ProxyStatus => ({ name, place: "here", state: "Rejected", problem });

function start() {
  const timeline = createTimeline(100, () => 0);
  const warned: string[] = [];
  const news = createFleetNews({
    timeline,
    now: () => 0,
    log: { info: () => {}, warn: (_: unknown, text?: unknown) => void warned.push(String(text)) } as never,
  });
  const told = () => timeline.list().map(({ kind, details }) => `${kind} ${details.proxy}`);
  return { news, warned, told };
}

test("a rejection is told once, and again when it is another; and its end", () => {
  const { news, warned, told } = start();
  news.review([fleet([rejecting("e1")])], []);
  news.review([fleet([rejecting("e1")])], []);
  news.review([fleet([rejecting("e1", "no such host")])], []);
  news.review([fleet([])], []);
  news.review([fleet([])], []);
  expect(told()).toEqual(["ProxyRejected e1", "ProxyRejected e1", "ProxyRecovered e1"]);
  expect(warned).toEqual([
    "e1 has not taken what it was told and goes on with what it had: no such file",
    "e1 has not taken what it was told and goes on with what it had: no such host",
  ]);
});

test("a proxy that cannot be reached, and one that TLS keeps out, are told once", () => {
  const { news, warned, told } = start();
  const gone: ProxyStatus = { name: "h1", place: "here", state: "Unreachable", problem: "unreachable. Start HAProxy." };
  for (let i = 0; i < 2; i++) {
    news.review([fleet([gone])], []);
    news.turnedAway("it shows no certificate");
  }
  expect(warned).toEqual([
    "unreachable. Start HAProxy.",
    "somebody who asked at --xds was turned away: it shows no certificate. If that was an Envoy, correct the TLS of its cluster for --xds.",
  ]);
  expect(told()).toEqual([]);
});

test("a thousand that reject the same are twenty events", () => {
  const { news, told } = start();
  const all = Array.from({ length: 1000 }, (_, i) => rejecting(`e${i}`));
  news.review([fleet(all)], []);
  news.review([fleet(all)], []);
  expect(told()).toHaveLength(20);
});

test("one that is merely being told is no news; problems and strangers are logged once", () => {
  const { news, warned, told } = start();
  for (let i = 0; i < 3; i++) news.review([fleet([{ name: "e1", place: "here", state: "Pending" }], ["it is nowhere"])], ["who is that"]);
  expect(told()).toEqual([]);
  expect(warned).toEqual(["it is nowhere", "who is that"]);
});
