import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dnsWorld, ROUTES, route, ZONES } from "../../../test/support/dns-world.ts";
import type { Backend, Route, Rule } from "../../model/inventory.ts";
import { chooseBySlot, Mode, newChoice } from "../../routing/choose.ts";
import { FULL, Standing } from "../../routing/table.ts";
import { placelessAddresses } from "./placeless.ts";

const backend = (cluster: string, addresses: readonly string[], more: Partial<Backend> = {}): Backend => ({
  ...{ name: cluster, cluster, addresses, weight: 100, priority: 0, bias: 0 },
  ...more,
});
const V4 = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

function world(backends: readonly Backend[], more: Partial<Route> = {}) {
  const { routing } = dnsWorld(ZONES, [route("shop", ["shop.example.org"], backends, { rules: [], ...more })]);
  const told = (family: 0 | 1 = 0) => placelessAddresses(routing, 0, family)?.map((address) => routing.names.addresses[address]);
  return { routing, told };
}

describe("all addresses that serve clients from nowhere", () => {
  test("every usable backend of the serving tier, whatever `answers` and `spread` say", () => {
    const { told } = world([backend("east", V4), backend("west", ["203.0.113.1"])], { answers: 1 });
    expect(told()).toEqual([...V4, "203.0.113.1"]);
  });

  test("no backend of the next tier while the first serves", () => {
    const { told, routing } = world([backend("east", V4), backend("west", ["203.0.113.1"], { priority: 1 })]);
    expect(told()).toEqual(V4);
    routing.state.standing[0] = Standing.Unhealthy;
    expect(told()).toEqual(["203.0.113.1"]);
    routing.state.standing[2] = Standing.Unhealthy;
    expect(told()).toEqual(V4); // fail-open
  });

  test("a backend's good addresses alone", () => {
    const { told, routing } = world([backend("east", V4)]);
    routing.state.addressStanding[1] = Standing.Unhealthy;
    expect(told()).toEqual(["192.0.2.1", "192.0.2.3"]);
  });

  test("neither slow start nor trickle takes an address away: a copy has no shares", () => {
    const { told, routing } = world([backend("east", V4), backend("west", ["203.0.113.1"])]);
    routing.state.keep[2] = 6553;
    expect(told()).toHaveLength(4);
  });

  test("a Require rule that binds clients of unknown place is never left", () => {
    const clients = { continents: ["EU"], countries: [], subdivisions: [], asns: [], subnets: [] };
    const rule: Rule = { name: "residency", to: ["west"], mode: "Require", unknownPlace: "Apply", clients };
    const { told, routing } = world([backend("east", V4), backend("west", ["203.0.113.1"])], { rules: [rule] });
    expect(told()).toEqual(["203.0.113.1"]);
    routing.state.standing[2] = Standing.Unhealthy;
    expect(told()).toEqual(["203.0.113.1"]);
    routing.state.standing[2] = Standing.Excluded;
    expect(told()).toEqual([]);
    expect(
      world([backend("east", V4), backend("west", ["203.0.113.1"])], { rules: [{ ...rule, unknownPlace: "Skip" }] }).told(),
    ).toHaveLength(4);
  });

  test("a family that nobody has is not offered, one that is cordoned is empty", () => {
    const { told, routing } = world([backend("east", V4)]);
    expect(told(1)).toBeUndefined();
    routing.state.standing[0] = Standing.Excluded;
    expect(told(0)).toEqual([]);
    routing.state.lastUsable[0] = 1;
    expect(told(0)).toEqual(V4); // cordoned, but nobody else was ever there
  });

  test("HoldLast keeps what was usable last, before fail-open", () => {
    const failover = { ...ROUTES[0]!.failover, whenAllUnhealthy: "HoldLast" as const };
    const { told, routing } = world([backend("east", V4), backend("west", ["203.0.113.1"])], { failover });
    routing.state.standing.fill(Standing.Unhealthy, 0, 1).fill(Standing.Unhealthy, 2, 3);
    routing.state.lastUsable.set([100, 0, 200, 0]);
    expect(told()).toEqual(["203.0.113.1"]);
  });
});

test("nothing else than what some slot gets, and all of it", () => {
  const standings = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 5), { minLength: 4, maxLength: 4 });
  const priorities = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 4, maxLength: 4 });
  const last = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(standings, priorities, last, fc.boolean(), (standing, priority, lastUsable, holds) => {
      const backends = priority.map((level, i) =>
        backend(i % 2 === 0 ? "east" : "west", [`192.0.2.${i + 1}`], { name: `b${i}`, priority: level }),
      );
      const failover = { ...ROUTES[0]!.failover, whenAllUnhealthy: holds ? ("HoldLast" as const) : ("FailOpen" as const) };
      const { routing } = world(backends, { failover });
      standing.forEach((one, i) => {
        routing.state.standing[2 * i] = one;
        routing.state.addressStanding[i] = one;
        routing.state.lastUsable[2 * i] = lastUsable[i]!;
        routing.state.keep[2 * i] = FULL;
      });
      const choice = newChoice();
      const chosen = new Set<number>();
      for (let slot = 0; slot < 4096; slot++) {
        choice.slotHash = (slot << 20) | 0;
        chooseBySlot(routing, 0, 0, choice);
        if (choice.mode !== Mode.Nothing) chosen.add(choice.backend);
      }
      expect(placelessAddresses(routing, 0, 0)).toEqual([...chosen].sort((a, b) => a - b));
    }),
    { numRuns: 60 },
  );
});
