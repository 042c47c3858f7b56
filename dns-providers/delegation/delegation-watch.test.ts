import { expect, test } from "vitest";
import type { ServerLook } from "../../src/dns/check/look-at-servers.ts";
import { encodeDs } from "../../src/dns/dnssec/ds.ts";
import { signRrset } from "../../src/dns/dnssec/sign.ts";
import { encodeDnskey, type SigningKey } from "../../src/dns/dnssec/zone-key.ts";
import { Type } from "../../src/dns/wire/codes.ts";
import { formatDs } from "../../src/dns/wire/format-dnssec.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import { encodeSoa } from "../../src/dns/wire/rdata.ts";
import { ms, seconds } from "../../src/model/units.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { newSigningKey } from "../../test/support/zone-keys.ts";
import { record, reply } from "../../test/support/zone-observations.ts";
import { ProviderError, type ZoneAuthority } from "../provider.ts";
import { createDelegationWatch, type WatchedZone } from "./delegation-watch.ts";

const CHILD = "apps.example.org";
const APEX = encodeName(CHILD)!;
const NS1 = `ns1.${CHILD}`;
const GLUE = { name: NS1, type: "A", ttl: 300, values: ["192.0.2.53"] };
const PLAIN: ZoneAuthority = { nameServers: [NS1, "ns.example.net"], glue: [GLUE], ttl: 300, longestTtl: 3600 };
const NOW = Date.UTC(2026, 0, 2);
const TIMERS = { refresh: seconds(3600), retry: seconds(600), expire: seconds(1_209_600), minimum: seconds(30), ttl: seconds(300) };

/** DNSKEY and SOA as a server of the zone answers them. */
function signedBy(key: SigningKey, keys = [key]): NonNullable<ServerLook["signed"]> {
  const soa = encodeSoa({ mname: NS1, rname: `hostmaster.${CHILD}`, ...TIMERS }, 7)!;
  const answer = (type: number, rdata: readonly Uint8Array[], data = "") => {
    const signature = signRrset(key, APEX, APEX, type, 300, rdata, NOW / 1000 - 86_400, NOW / 1000 + 7 * 86_400);
    return reply({
      answers: [...rdata.map((one) => record(CHILD, type, data, 300, one)), record(CHILD, Type.RRSIG, "", 300, signature)],
    });
  };
  return {
    dnskey: answer(Type.DNSKEY, keys.map(encodeDnskey)),
    signedSoa: answer(Type.SOA, [soa], `${NS1}. hostmaster.${CHILD}. 7 3600 600 1209600 30`),
  };
}
const dsOf = (key: SigningKey): string => formatDs(encodeDs(APEX, key))!;

function start() {
  const clock = createSimulatedClock();
  const world = {
    authority: async (): Promise<ZoneAuthority> => PLAIN,
    /** Addresses that answer, and with what. */
    answering: new Map<string, ServerLook["signed"]>([
      ["192.0.2.53", undefined],
      ["192.0.2.99", undefined],
    ]),
    resolvable: new Map([["ns.example.net", ["192.0.2.99"]]]),
    asked: 0,
  };
  const changes: string[] = [];
  const watch = createDelegationWatch({
    now: clock.now,
    wallClock: () => NOW + clock.now(),
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    onChange: (parent) => void changes.push(parent),
    resolve: async (name) => world.resolvable.get(name) ?? [],
    look: async (_, servers) =>
      servers.map(({ name, server: { address, port } }): ServerLook => {
        expect(port).toBe(53);
        const signed = world.answering.get(address);
        if (!world.answering.has(address)) return { name, trouble: `${name} (${address}) did not answer within 2 s` };
        return signed === undefined ? { name } : { name, signed };
      }),
  });
  const zone = (from = "1"): WatchedZone => ({
    ...{ name: "apps", parent: "example-org", domain: CHILD, isAdopted: false, from },
    async authority() {
      world.asked++;
      return world.authority();
    },
  });
  const known = () => {
    const [one] = watch.of("example-org");
    return one?.kind === "Known" ? one : undefined;
  };
  return { clock, world, changes, watch, zone, known };
}

test("nothing is known before the first look, and then whoever keeps the zone above is told once", async () => {
  const { clock, watch, zone, changes, known } = start();
  watch.use([zone()]);
  expect(watch.of("example-org")).toMatchObject([{ kind: "Unknown", child: CHILD, resource: "DNSZone/apps", isFault: false }]);
  await clock.advance(10);
  expect([...known()!.seen.servers.values()]).toEqual([undefined, undefined]);
  await clock.advance(300_000);
  expect(changes).toEqual(["example-org"]);
  expect(watch.of("elsewhere")).toEqual([]);
});

test("a server that is silent, or has no address, is looked for again soon", async () => {
  const { clock, watch, zone, world, changes, known } = start();
  world.answering.delete("192.0.2.53");
  world.resolvable.clear();
  watch.use([zone()]);
  await clock.advance(10);
  expect([...known()!.seen.servers]).toEqual([
    [NS1, `${NS1} (192.0.2.53) did not answer within 2 s`],
    ["ns.example.net", "no address of ns.example.net can be found"],
  ]);
  world.answering.set("192.0.2.53", undefined);
  world.resolvable.set("ns.example.net", ["192.0.2.99"]);
  await clock.advance(4000);
  expect([...known()!.seen.servers.values()]).toEqual([undefined, undefined]);
  expect(changes).toHaveLength(2);
});

test("what a zone said counts for as long as it cannot be asked", async () => {
  const { clock, watch, zone, world, known } = start();
  world.authority = () => Promise.reject(new ProviderError("unreachable", "rfc2136 192.0.2.1:53", "no answer in time", "Look."));
  watch.use([zone()]);
  await clock.advance(10);
  expect(watch.of("example-org")).toMatchObject([{ kind: "Unknown", isFault: true, why: "rfc2136 192.0.2.1:53: no answer in time. Look" }]);
  world.authority = async () => PLAIN;
  await clock.advance(4000);
  expect(known()).toBeDefined();
  world.authority = () => Promise.reject(new Error("refused"));
  await clock.advance(300_000);
  expect(known()?.authority).toEqual(PLAIN);
});

test("a zone is asked at most once a minute, and at once when its object changes", async () => {
  const { clock, watch, zone, world } = start();
  world.answering.delete("192.0.2.53"); // looked for often
  watch.use([zone()]);
  await clock.advance(50_000);
  expect(world.asked).toBe(1);
  watch.use([zone("2")]);
  await clock.advance(10);
  expect(world.asked).toBe(2);
  watch.use([]);
  await clock.advance(300_000);
  expect([world.asked, watch.of("example-org")]).toEqual([2, []]);
});

test("DS waits until its key signs at every server, and then for the longest TTL of what caches may have", async () => {
  const { clock, watch, zone, world, known } = start();
  const [key, other] = [newSigningKey(), newSigningKey()];
  world.authority = async () => ({ ...PLAIN, ds: [dsOf(key)] });
  world.answering.set("192.0.2.53", signedBy(key));
  world.answering.set("192.0.2.99", signedBy(other));
  watch.use([zone()]);
  await clock.advance(10);
  expect(known()?.seen.ds).toMatchObject({
    isFault: true,
    why: expect.stringMatching(/^ns\.example\.net: DS \d+ is of no key in the zone$/),
  });
  world.answering.set("192.0.2.99", signedBy(other, [other, key]));
  await clock.advance(60_000);
  expect(known()?.seen.ds).toMatchObject({
    isFault: true,
    why: expect.stringContaining("no signature of it is valid by a key that counts"),
  });
  world.answering.set("192.0.2.99", signedBy(key));
  await clock.advance(60_000);
  expect(known()?.seen.ds).toEqual({ isFault: false, why: expect.stringContaining("have been seen for 1 h") });
  await clock.advance(3_000_000);
  world.answering.delete("192.0.2.99"); // begins anew
  await clock.advance(61_000);
  expect(known()?.seen.ds).toMatchObject({ isFault: true, why: "ns.example.net (192.0.2.99) did not answer within 2 s" });
  world.answering.set("192.0.2.99", signedBy(key));
  await clock.advance(3_500_000);
  expect(known()?.seen.ds).toMatchObject({ isFault: false });
  await clock.advance(200_000);
  expect(known()?.seen.ds).toBeUndefined();
});

test("a DS of a key that is to come does not come before the key does", async () => {
  const { clock, watch, zone, world, known } = start();
  const [key, next] = [newSigningKey(), newSigningKey()];
  world.authority = async () => ({ ...PLAIN, ds: [dsOf(key), dsOf(next)], longestTtl: 1 });
  for (const address of ["192.0.2.53", "192.0.2.99"]) world.answering.set(address, signedBy(key));
  watch.use([zone()]);
  await clock.advance(400_000);
  expect(known()?.seen.ds).toMatchObject({ isFault: true, why: expect.stringContaining(`DS ${next.tag} is of no key in the zone`) });
  for (const address of ["192.0.2.53", "192.0.2.99"]) world.answering.set(address, signedBy(key, [key, next]));
  await clock.advance(400_000);
  expect(known()?.seen.ds).toBeUndefined();
});

test("whether the zone is reached by other DS, such as those that are there, can be asked", async () => {
  const { clock, watch, zone, world, known } = start();
  const [key, other] = [newSigningKey(), newSigningKey()];
  for (const address of ["192.0.2.53", "192.0.2.99"]) world.answering.set(address, signedBy(key));
  watch.use([zone()]);
  await clock.advance(10);
  expect(known()?.seen.chain([dsOf(key), dsOf(other)])).toBeUndefined();
  expect(known()?.seen.chain([dsOf(other)])).toMatch(/is of no key in the zone/);
  watch.close();
});
