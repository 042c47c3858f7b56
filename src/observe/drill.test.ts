import { describe, expect, test } from "vitest";
import { DRILL_LENGTH, type DrillScript, drillReport, drillScript, wholeDrill } from "../../test/support/drill-events.ts";
import { beganReport, openDrill } from "./drill.ts";
import { type DrillReport, isAwaited, unseenVias, worstTotal } from "./drill-report.ts";

test("a whole drill: what moved where, who saw it when, what was left alone", () => {
  const report = drillReport(wholeDrill);
  expect(report).toMatchObject({
    ...{ name: "default/drill-eu-west", target: "MemberCluster eu-west", reason: "rehearsal", outcome: "Completed", settled: false },
    ...{ began: "2026-11-21T12:00:00.000Z", until: "2026-11-21T12:05:00.000Z", ended: "2026-11-21T12:05:00.000Z", routesLeftOut: 0 },
  });
  expect(report.routes).toEqual([
    expect.objectContaining({ route: "default/blog", out: true, withdrawn: expect.objectContaining({ decideSeconds: 0.004 }) }),
    { route: "default/lone", out: false, held: ["nothing healthy would be left"] },
    {
      ...{ route: "default/shop", out: true },
      withdrawn: {
        ...{ from: "eu-west", to: "us-east", at: "2026-11-21T12:00:00.000Z", decideSeconds: 0.002, published: [], unseen: [] },
        seen: [
          { via: "self", seconds: 0.01, totalSeconds: 0.012 },
          { via: "resolver 192.0.2.53", seconds: 20, totalSeconds: 20.002 },
        ],
      },
      restored: expect.objectContaining({ from: "us-east", to: "eu-west", at: "2026-11-21T12:05:00.000Z" }),
    },
  ]);
  expect(report.legs).toEqual([
    { phase: "withdraw", leg: "decide", via: "", routes: 2, median: 0.003, worst: 0.004 },
    { phase: "withdraw", leg: "propagate", via: "self", routes: 2, median: 0.015, worst: 0.02 },
    { phase: "withdraw", leg: "propagate", via: "resolver 192.0.2.53", routes: 2, median: 30, worst: 40 },
    { phase: "withdraw", leg: "total", via: "self", routes: 2, median: 0.017, worst: 0.022 },
    { phase: "withdraw", leg: "total", via: "resolver 192.0.2.53", routes: 2, median: 30.002, worst: 40.002 },
    { phase: "restore", leg: "decide", via: "", routes: 2, median: 0.003, worst: 0.003 },
    { phase: "restore", leg: "propagate", via: "self", routes: 1, median: 0.02, worst: 0.02 },
    { phase: "restore", leg: "propagate", via: "resolver 192.0.2.53", routes: 1, median: 31, worst: 31 },
    { phase: "restore", leg: "total", via: "self", routes: 1, median: 0.022, worst: 0.022 },
    { phase: "restore", leg: "total", via: "resolver 192.0.2.53", routes: 1, median: 31.002, worst: 31.002 },
  ]);
  expect([worstTotal(report), unseenVias(report, "withdrawn"), isAwaited(report)]).toEqual([40.002, [], false]);
});

describe("how it came out", () => {
  const cases: readonly { name: string; play: (script: DrillScript) => void; outcome: DrillReport["outcome"] }[] = [
    { name: "it runs until it has ended", play: (it) => void it.withdrawn("default/shop"), outcome: "Running" },
    {
      name: "ended before its time",
      play: (it) => {
        it.withdrawn("default/shop");
        endAt(it, 60);
      },
      outcome: "EndedEarly",
    },
    {
      name: "a second failure ended it",
      play: (it) => {
        it.withdrawn("default/shop");
        endAt(it, 60);
        it.aborted({ reason: "us-east fails" });
      },
      outcome: "Aborted",
    },
    {
      name: "nothing could be taken out",
      play: (it) => {
        it.held("default/shop", "nothing healthy would be left");
        endAt(it, DRILL_LENGTH / 1000);
      },
      outcome: "Held",
    },
    {
      name: "what nobody was answered with was taken out all the same",
      play: (it) => {
        it.out("default/shop");
        endAt(it, DRILL_LENGTH / 1000);
      },
      outcome: "Completed",
    },
  ];
  const endAt = (it: DrillScript, seconds: number): void => {
    it.at = seconds;
    it.ended();
  };
  const begun = (play: (script: DrillScript) => void) => (it: DrillScript) => {
    it.began();
    play(it);
  };
  test.each(cases)("$name: $outcome", ({ play, outcome }) => expect(drillReport(begun(play)).outcome).toBe(outcome));
});

test("an abort says why, when and where", () => {
  const { abort } = drillReport((it) => {
    it.began();
    it.at = 60;
    it.aborted({ reason: "us-east fails its probes", route: "default/shop", cluster: "us-east" });
    it.ended();
  });
  expect(abort).toEqual({
    ...{ reason: "us-east fails its probes", at: "2026-11-21T12:01:00.000Z", route: "default/shop", cluster: "us-east" },
  });
});

test("events of one moment count whatever their order: routes may be told of before the act that moves them", () => {
  const { routes } = drillReport((it) => {
    it.out("default/shop");
    it.withdrawn("default/shop");
    it.began();
    it.restored("default/shop");
    it.ended();
  });
  expect(routes).toMatchObject([{ route: "default/shop", out: true, withdrawn: {}, restored: {} }]);
});

describe("whose events they are", () => {
  const targets: readonly { target: string; mine: readonly string[] }[] = [
    { target: "MemberCluster eu-west", mine: ["default/shop", "default/blog"] },
    { target: "MemberCluster us-east", mine: [] },
    { target: "GlobalRoute default/shop", mine: ["default/shop"] },
    { target: "GlobalRoute default/shop/eu", mine: ["default/shop"] },
    { target: "GlobalRoute default/shop/other", mine: [] },
  ];
  test.each(targets)("of a drill of $target: $mine", ({ target, mine }) => {
    const { routes } = drillReport((it) => {
      it.began({ target });
      it.out("default/shop");
      it.held("default/blog", "x");
    });
    expect(routes.map(({ route }) => route).sort()).toEqual([...mine].sort());
  });

  test("failovers of another cause are none of it, nor is what becomes of them", () => {
    const { routes, legs } = drillReport((it) => {
      it.began();
      const other = it.withdrawn("default/shop", 1, { reason: "timeout", cause: "probes" });
      it.seen(other, "self", 1);
    });
    expect([routes, legs]).toEqual([[], []]);
  });

  test("the beginning of another act is none of a drill", () => {
    const script = drillScript();
    script.began({ action: "Drain" });
    expect(script.timeline.list().map(beganReport)).toEqual([undefined]);
  });
});

test("what goes on after a restart adds to what was seen before, and is called interrupted", () => {
  const before = drillReport((it) => {
    it.began();
    const failover = it.withdrawn("default/shop");
    it.seen(failover, "self", 0.01);
  });
  const drill = openDrill({ ...before, interrupted: "2026-11-21T12:02:00.000Z" });
  const script = drillScript();
  script.at = 300;
  script.restored("default/shop");
  script.ended();
  for (const event of script.timeline.list()) drill.take(event);
  expect(drill.report()).toMatchObject({
    outcome: "Interrupted",
    routes: [{ withdrawn: { seen: [{ via: "self" }] }, restored: { to: "eu-west" } }],
    legs: [{ leg: "decide" }, { leg: "propagate" }, { leg: "total" }, { phase: "restore", leg: "decide" }],
  });
});

test("something is awaited while a route has not come back, or a zone that was written has not been again", () => {
  const played = (end: (script: DrillScript) => void): boolean =>
    isAwaited(
      drillReport((it) => {
        it.began();
        it.published(it.withdrawn("default/shop"), "example.net", 0.2);
        end(it);
      }),
    );
  expect(played(() => {})).toBe(true);
  expect(played((it) => void it.restored("default/shop"))).toBe(true);
  expect(played((it) => it.published(it.restored("default/shop"), "example.net", 0.2))).toBe(false);
});

test("of very many routes those with sightings are told in full, and the figures are of all", () => {
  const { routes, routesLeftOut, legs } = drillReport((it) => {
    it.began();
    for (let i = 0; i < 600; i++) it.withdrawn(`default/r${i}`);
    it.seen(it.withdrawn("default/zz"), "self", 1);
  });
  expect([routes.length, routesLeftOut, routes.at(-1)?.route, legs[0]?.routes]).toEqual([500, 101, "default/zz", 601]);
});
