/** Tables that are taken over unbuilt must be those that a build would give. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ZONES } from "../../test/support/dns-world.ts";
import { testBackend, testCluster, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import type { Route } from "../model/inventory.ts";
import { seconds } from "../model/units.ts";
import { hasSameZones } from "./same-zones.ts";
import { buildZoneTable } from "./zone-table.ts";

const PLAIN = ZONES.filter(({ dnssec, transfer }) => dnssec === undefined && transfer === undefined);

interface Traits {
  readonly host: string;
  readonly ttl: number;
  readonly answers: number;
  readonly address: string;
  readonly alpn: readonly string[];
  readonly zones: readonly string[];
}

const traits = fc.record<Traits>({
  host: fc.constantFrom("a.example.org", "b.example.org", "*.c.example.org"),
  ttl: fc.constantFrom(5, 60),
  answers: fc.constantFrom(1, 2, 8),
  address: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1"),
  alpn: fc.constantFrom([], ["h2"]),
  zones: fc.constantFrom([], ["example-org"]),
});

function tableOf(all: readonly Traits[]) {
  const routes = all.map(
    ({ host, ttl, answers, address, alpn, zones }, i): Route =>
      testRoute([{ ...testBackend("dublin", 1), addresses: [address] }], {
        name: `route-${i}`,
        hosts: [host],
        ttl: { min: seconds(ttl), max: seconds(ttl) },
        answers,
        alpn,
        zones,
      }),
  );
  return compileTestTable(testInventory(routes, { clusters: [testCluster("dublin")] }), [COUNTRY_FILE]).table;
}

const worlds = fc.uniqueArray(traits, { selector: ({ host }) => host, minLength: 1, maxLength: 3 });

test("what is the same builds the same, and most of what is changed by operators is", () => {
  let same = 0;
  fc.assert(
    fc.property(worlds, fc.array(fc.record({ at: fc.nat(2), traits }), { maxLength: 2 }), (before, changes) => {
      const after = before.map((one, i) => ({ ...one, ...changes.find(({ at }) => at === i)?.traits, host: one.host }));
      const [a, b] = [tableOf(before), tableOf(after)];
      const isSame = hasSameZones({ zones: PLAIN, routing: a }, { zones: PLAIN, routing: b });
      const build = (table: typeof a) => buildZoneTable(PLAIN, table, () => 1);
      if (isSame) {
        same++;
        expect(build(b)).toEqual(build(a));
      }
      const differs = before.some(
        ({ alpn, answers, zones }, i) => String([alpn, answers, zones]) !== String([after[i]!.alpn, after[i]!.answers, after[i]!.zones]),
      );
      expect(isSame).toBe(!differs);
    }),
    { numRuns: 60 },
  );
  expect(same).toBeGreaterThan(5);
});

test("other routes, other zones, and zones that hold addresses are built again", () => {
  const one = tableOf([{ host: "a.example.org", ttl: 5, answers: 1, address: "192.0.2.1", alpn: [], zones: [] }]);
  const two = tableOf([{ host: "b.example.org", ttl: 5, answers: 1, address: "192.0.2.1", alpn: [], zones: [] }]);
  const zone = PLAIN[0]!;
  const inputs = { zones: [zone], routing: one };
  expect(hasSameZones(inputs, { ...inputs, zones: [{ ...zone }] })).toBe(true);
  expect(hasSameZones(inputs, { ...inputs, routing: two })).toBe(false);
  expect(hasSameZones(inputs, { ...inputs, zones: [{ ...zone, nameservers: ["other.example.org"] }] })).toBe(false);
  const copied = { ...inputs, zones: [{ ...zone, transfer: { keys: [], allow: [], notify: [] } }] };
  expect(hasSameZones(copied, copied)).toBe(false);
});
