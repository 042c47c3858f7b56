import fc from "fast-check";
import { expect, test } from "vitest";
import { HEALTHY, REFUSED, UNKNOWN } from "../../test/support/world/health.ts";
import type { Endpoint, EndpointHealth, EndpointKey } from "../model/health.ts";
import { ms } from "../model/units.ts";
import { createEndpointGauges } from "./endpoint-gauges.ts";

const probe = { type: "TCP", scheme: "HTTP", port: 80, path: "", host: "", service: "", expect: { status: [] }, verify: true } as const;
const policy = { interval: ms(1000), timeout: ms(500), rise: 2, fall: 3, quorum: { type: "Majority" } } as const;
const endpoint = (cluster: string, address: string, way = "TCP"): Endpoint => ({
  ...{ key: `${cluster} ${address} ${way}`, cluster, address, probe, policy },
});
const mapOf = (all: readonly Endpoint[]): ReadonlyMap<EndpointKey, Endpoint> => new Map(all.map((one) => [one.key, one]));

const ALL = [
  endpoint("eu", "192.0.2.1"),
  endpoint("eu", "192.0.2.1", "HTTP"),
  endpoint("eu", "192.0.2.2"),
  endpoint("us", "192.0.2.2"),
  endpoint("us", "2001:db8::1"),
  endpoint("us", "192.0.2.2", "HTTP"),
];

function start(first: readonly Endpoint[], health: EndpointHealth) {
  const healths = new Map<EndpointKey, EndpointHealth>();
  let asked = 0;
  let endpoints = mapOf(first);
  const healthOf = (key: EndpointKey) => {
    asked++;
    return healths.get(key) ?? health;
  };
  const gauges = createEndpointGauges(() => endpoints, healthOf);
  return {
    gauges,
    asked: () => asked,
    healthOf,
    set(key: EndpointKey, to: EndpointHealth) {
      healths.set(key, to);
      gauges.changed(key, to);
    },
    replace(by: readonly Endpoint[]) {
      endpoints = mapOf(by);
    },
    told: () => {
      const { labels, healthy } = gauges.read();
      return labels.map(({ cluster, address }, i) => `${cluster} ${address} ${healthy[i]}`);
    },
  };
}

test("an address that is probed in two ways is as good as the worse", () => {
  const { told, set } = start(ALL.slice(0, 3), HEALTHY);
  expect(told()).toEqual(["eu 192.0.2.1:80 1", "eu 192.0.2.2:80 1"]);
  set("eu 192.0.2.1 TCP", REFUSED);
  expect(told()).toEqual(["eu 192.0.2.1:80 0", "eu 192.0.2.2:80 1"]);
  set("eu 192.0.2.1 HTTP", UNKNOWN);
  set("eu 192.0.2.1 TCP", HEALTHY);
  expect(told()).toEqual(["eu 192.0.2.1:80 0", "eu 192.0.2.2:80 1"]);
  set("eu 192.0.2.1 HTTP", HEALTHY);
  expect(told()).toEqual(["eu 192.0.2.1:80 1", "eu 192.0.2.2:80 1"]);
});

test("one address in two clusters is told of each, and IPv6 has brackets", () => {
  const { told } = start(ALL.slice(2, 5), UNKNOWN);
  expect(told()).toEqual(["eu 192.0.2.2:80 0", "us 192.0.2.2:80 0", "us [2001:db8::1]:80 0"]);
});

test("endpoints are asked once, and again when there are others", () => {
  const { gauges, asked, told, set, replace } = start(ALL, HEALTHY);
  set(ALL[0]!.key, HEALTHY); // nobody has asked yet
  const { labels } = gauges.read();
  expect(gauges.read().labels).toBe(labels);
  expect(asked()).toBe(ALL.length);
  replace(ALL.slice(2, 3));
  expect(told()).toEqual(["eu 192.0.2.2:80 1"]);
  set(ALL[0]!.key, REFUSED); // gone: a probe that was under way
  expect(told()).toEqual(["eu 192.0.2.2:80 1"]);
});

test("whatever changes in whatever order, it tells what asking them all would", () => {
  const change = fc.record({ at: fc.nat(ALL.length - 1), to: fc.constantFrom(HEALTHY, REFUSED, UNKNOWN) });
  const others = fc.subarray(ALL);
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 8, arbitrary: change }, { weight: 1, arbitrary: others }), { maxLength: 60 }), (steps) => {
      const { gauges, told, set, replace, healthOf } = start(ALL, UNKNOWN);
      let now: readonly Endpoint[] = ALL;
      for (const step of steps) {
        if (Array.isArray(step)) {
          now = step;
          replace(now);
        } else if ("at" in step) set(ALL[step.at]!.key, step.to);
        if (steps.length % 2 === 0) gauges.read(); // sometimes nobody scrapes
      }
      const fresh = createEndpointGauges(() => mapOf(now), healthOf).read();
      expect(told()).toEqual(fresh.labels.map(({ cluster, address }, i) => `${cluster} ${address} ${fresh.healthy[i]}`));
    }),
  );
});
