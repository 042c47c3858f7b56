import { describe, expect, test } from "vitest";
import { parseTarget } from "./act.ts";
import { drillEffect, type SeenBackend } from "./drill-effect.ts";

const ROUTE = {
  namespace: "default",
  name: "shop",
  ttl: { max: 60 },
  backends: ["eu", "us", "ap"].map((name) => ({ name, cluster: `${name}-1` })),
};
const seen = (states: Readonly<Record<string, Partial<SeenBackend>>>) => [
  { ...ROUTE, backends: ROUTE.backends.map((backend) => ({ ...backend, health: "Healthy", standing: "Usable", ...states[backend.name] })) },
];
const withdrawal = "its clients go to us-1, ap-1; answers already given are kept for up to 60 s";

describe("a drill of eu-1", () => {
  const cases: readonly { name: string; states: Readonly<Record<string, Partial<SeenBackend>>>; says: string }[] = [
    { name: "all is well", states: {}, says: withdrawal },
    {
      name: "another is down",
      states: { us: { health: "Unhealthy", standing: "Unhealthy" } },
      says: "left alone, because us-1 is not in service: Unhealthy",
    },
    {
      name: "another fails and is held in service",
      states: { us: { health: "Unhealthy" } },
      says: "left alone, because us-1 is not in service: Unhealthy",
    },
    {
      name: "another waits for its failback",
      states: { ap: { standing: "Pending" } },
      says: "left alone, because ap-1 is not in service: Pending",
    },
    { name: "another is drained by operators: the rest can take over", states: { us: { standing: "Draining" } }, says: withdrawal },
    {
      name: "all others are drained",
      states: { us: { standing: "Draining" }, ap: { standing: "Excluded" } },
      says: "left alone, because operators have drained whatever else is there",
    },
    {
      name: "it is down itself",
      states: { eu: { health: "Unhealthy", standing: "Unhealthy" } },
      says: "left alone, because it is not in service there already",
    },
  ];
  test.each(cases)("$name", ({ states, says }) => {
    const { lines, withdraws } = drillEffect([ROUTE], seen(states), parseTarget("eu-1"));
    expect([lines, withdraws]).toEqual([[`default/shop: ${says}`], says === withdrawal ? 1 : 0]);
  });

  test("of which nobody has seen anything is expected to go well", () =>
    expect(drillEffect([ROUTE], [], parseTarget("eu-1"))).toEqual({
      lines: [`default/shop: ${withdrawal}`],
      withdraws: 1,
      longestTtl: 60,
    }));
});

test("a whole route has nothing else left; a cluster without backends touches nothing", () => {
  expect(drillEffect([ROUTE], [], parseTarget("default/shop"))).toMatchObject({
    withdraws: 0,
    lines: [expect.stringContaining("nothing else is left")],
  });
  expect(drillEffect([ROUTE], [], parseTarget("sa-1"))).toEqual({
    ...{ withdraws: 0, longestTtl: 0, lines: ["no route has a backend there, so nothing changes for clients"] },
  });
});
