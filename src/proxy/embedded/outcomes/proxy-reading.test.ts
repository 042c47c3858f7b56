import { expect, test } from "vitest";
import { newProxyCounters } from "../forward/proxy-context.ts";
import { proxyReading } from "./proxy-reading.ts";
import { createRequestTally } from "./request-tally.ts";

test("requests are told by the class of their status; what was not answered has no duration", () => {
  const durations: number[] = [];
  const tally = createRequestTally((seconds) => durations.push(seconds));
  for (const [status, seconds] of [
    [101, 9],
    [200, 0.1],
    [204, 0.2],
    [404, 0.3],
    [502, 0.4],
    [599, 0.5],
    [0, 7],
  ] as const)
    tally.request("shop.example.org", status, seconds);
  expect([...tally.requests()]).toEqual([
    { code: "aborted", count: 1 },
    { code: "1xx", count: 1 },
    { code: "2xx", count: 2 },
    { code: "4xx", count: 1 },
    { code: "5xx", count: 2 },
  ]);
  expect(durations).toEqual([9, 0.1, 0.2, 0.3, 0.4, 0.5]);
});

test("all listeners are read as one", () => {
  const server = (retries: number, ownAnswers: readonly (readonly [number, number])[]) => ({
    counters: { ...newProxyCounters(), retries, retriesDenied: 1, ownAnswers: new Map(ownAnswers) },
    connections: () => ({ clients: 4, open: 3, idle: 1 }),
    ejections: () => ({ total: 3, now: 1 }),
  });
  const guarded = { ...server(0, []), front: { refused: new Map([["http2-resets", 3]]) } };
  const servers = [
    server(2, [
      [404, 5],
      [418, 1],
    ]),
    server(3, [
      [404, 2],
      [451, 1],
    ]),
  ];
  const reading = proxyReading([...servers, guarded], { requests: () => [] }, { attempts: () => [] });
  expect(reading).toEqual({
    requests: [],
    attempts: [],
    connections: [
      { state: "client", count: 12 },
      { state: "busy", count: 6 },
      { state: "idle", count: 3 },
    ],
    retries: [
      { result: "made", count: 5 },
      { result: "denied", count: 3 },
    ],
    ejections: 9,
    ejected: 3,
    refused: [
      { reason: "no-route", count: 7 },
      { reason: "other", count: 2 },
      { reason: "http2-resets", count: 3 },
    ],
  });
});
