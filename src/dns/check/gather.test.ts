/** What is asked of whom, in a world that is a table. */
import { expect, test } from "vitest";
import {
  HOST,
  NAMESERVERS,
  NODATA,
  NXDOMAIN,
  nsRecords,
  REFUSED,
  record,
  referral,
  reply,
  SOUND,
  soa,
  TIMEOUT,
  ZONE,
} from "../../../test/support/zone-observations.ts";
import { Type, typeName } from "../wire/codes.ts";
import type { Ask } from "./ask.ts";
import { type GatherRequest, gather } from "./gather.ts";
import { judgeZone } from "./judge-zone.ts";
import type { Reply } from "./observations.ts";

type World = Readonly<Record<string, Reply | (() => Reply)>>;

const [RESOLVER, PARENT, NS1, NS2] = ["192.0.2.200", "192.0.2.1", "192.0.2.53", "192.0.2.54"];
const address = (name: string, text: string): Reply => reply({ answers: [record(name, Type.A, text)] });

/** What every server of the zone answers. */
const zoneAt = (server: string): World => ({
  [`${server} ${ZONE} SOA`]: soa(7),
  [`${server} ${ZONE} NS`]: reply({ answers: nsRecords() }),
  [`${server} ns1.example.org A`]: address("ns1.example.org", NS1),
  [`${server} ns2.example.org A`]: address("ns2.example.org", NS2),
  [`${server} ${HOST} A`]: reply({ answers: [record(HOST, Type.A, "192.0.2.10", 60)], subnet: { source: 24, scope: 16 } }),
});
const WORLD: World = {
  [`${RESOLVER} org SOA`]: reply({ authorities: [record("org", Type.SOA, "a. b. 1 2 3 4 5")] }),
  [`${RESOLVER} org NS`]: reply({ answers: [record("org", Type.NS, "A.org.")] }),
  [`${RESOLVER} a.org A`]: address("a.org", PARENT),
  [`${PARENT} ${ZONE} NS`]: referral(),
  ...zoneAt(NS1),
  ...zoneAt(NS2),
};

const REQUEST: GatherRequest = {
  ...{ zone: ZONE, port: 53, settle: 3000, resolvers: [{ address: RESOLVER, port: 53 }] },
  expectation: SOUND.expectation!,
};

/** Whoever is in the world and does not know a name says so; nobody else answers. */
function look(world: World, request: Partial<GatherRequest> = {}) {
  const asked: string[] = [];
  const slept: number[] = [];
  const ask: Ask = async ({ address: server }, { name, type }, transport = "udp") => {
    const question = `${server} ${name} ${typeName(type)}`;
    asked.push(`${question} ${transport}`);
    const known = world[`${question} ${transport}`] ?? world[question];
    if (known !== undefined) return typeof known === "function" ? known() : known;
    return Object.keys(world).some((key) => key.startsWith(`${server} `)) ? NODATA : TIMEOUT;
  };
  const sleep = async (milliseconds: number): Promise<void> => void slept.push(milliseconds);
  const seen = gather({ ...REQUEST, ...request }, ask, { now: () => SOUND.now, sleep }, 2000);
  return { seen, asked, slept };
}

const failing = async (world: World, request?: Partial<GatherRequest>): Promise<readonly string[]> =>
  judgeZone(await look(world, request).seen).flatMap(({ name, status }) =>
    status === "failed" || status === "warning" ? [`${name} ${status}`] : [],
  );

test("a sound zone, with its parent found by a resolver", async () => {
  const { seen, asked } = look(WORLD);
  expect(judgeZone(await seen).every(({ status }) => status === "ok")).toBe(true);
  expect((await seen).parent).toMatchObject({ zone: "org", servers: [{ name: "a.org", server: { address: PARENT } }] });
  expect(asked.filter((one) => one.endsWith(" tcp"))).toEqual([`${NS1} ${ZONE} SOA tcp`, `${NS2} ${ZONE} SOA tcp`]);
});

test("a parent that is given is asked at once", async () => {
  const { seen, asked } = look(WORLD, { parent: { address: PARENT, port: 5300 } });
  await seen;
  expect(asked.filter((one) => one.startsWith(RESOLVER))).toEqual([]);
});

test("a second resolver is asked when the first one refuses", async () => {
  const world = { ...WORLD, "192.0.2.199 org SOA": REFUSED, "192.0.2.199 org NS": REFUSED, "192.0.2.199 a.org A": REFUSED };
  expect(await failing(world, { resolvers: ["192.0.2.199", RESOLVER].map((one) => ({ address: one, port: 53 })) })).toEqual([]);
});

test("without a resolver that answers, the parent is not found", async () => {
  expect((await failing({}))[0]).toBe("parent failed");
});

test("a server without glue is found through the others", async () => {
  const { seen } = look({ ...WORLD, [`${PARENT} ${ZONE} NS`]: referral(undefined, NAMESERVERS.slice(0, 1)) });
  expect((await seen).nameservers[1]).toEqual({ name: "ns2.example.org", addresses: [NS2], from: "zone", isAlias: false });
  expect((await seen).servers.map(({ server }) => server.address)).toEqual([NS1, NS2]);
});

test("a name server outside the zone has the addresses that the resolver tells, and an alias is seen", async () => {
  const alias = record("ns.example.net", Type.CNAME, "other.example.net.");
  const world = {
    ...WORLD,
    [`${PARENT} ${ZONE} NS`]: referral(["ns.example.net"], []),
    [`${RESOLVER} ns.example.net A`]: reply({ answers: [alias, record("other.example.net", Type.A, NS1)] }),
  };
  expect((await look(world).seen).nameservers).toEqual([{ name: "ns.example.net", addresses: [NS1], from: "resolver", isAlias: true }]);
});

test("a dead or lame server is asked for its SOA and nothing else", async () => {
  const { seen, asked } = look({
    ...Object.fromEntries(Object.entries(WORLD).filter(([key]) => !key.startsWith(NS2))),
    [`${NS2} ${ZONE} SOA`]: REFUSED,
  });
  expect((await seen).servers[1]).not.toHaveProperty("detail");
  expect(asked.filter((one) => one.startsWith(NS2))).toEqual([`${NS2} ${ZONE} SOA udp`, `${NS2} ${ZONE} SOA tcp`]);
});

test("a server that is not delegated to is asked, too", async () => {
  const { seen } = look({ ...WORLD, [`${PARENT} ${ZONE} NS`]: NXDOMAIN }, { nameserver: { address: NS2, port: 5300 } });
  expect((await seen).servers).toMatchObject([{ name: "", server: { address: NS2, port: 5300 }, detail: {} }]);
});

test("serials that differ are looked at again until they are one", async () => {
  let asked = 0;
  const late = (): Reply => soa(++asked > 4 ? 7 : 6); // UDP, TCP and with DO, then one look each
  const { seen, slept } = look({ ...WORLD, [`${NS2} ${ZONE} SOA`]: late }, { settle: 10_000 });
  expect(judgeZone(await seen).find(({ name }) => name === "serials")).toMatchObject({ status: "warning" });
  expect(slept).toEqual([1000, 1000]);
});

test("and no longer than servers are given", async () => {
  const { seen, slept } = look({ ...WORLD, [`${NS2} ${ZONE} SOA`]: soa(6) }, { settle: 2500 });
  expect(judgeZone(await seen).find(({ name }) => name === "serials")).toMatchObject({ status: "failed" });
  expect(slept).toEqual([1000, 1000, 500]);
});

test("the primary of a zone that is kept elsewhere is asked last, by TCP", async () => {
  const expectation = {
    ...SOUND.expectation!,
    nameservers: [],
    keptElsewhere: { type: "RFC2136", primary: { host: "primary.example.net", port: 54 } },
  };
  const { seen, asked } = look({ ...WORLD, [`${RESOLVER} primary.example.net A`]: address("primary.example.net", NS1) }, { expectation });
  expect((await seen).primary).toMatchObject({ name: "primary.example.net", server: { address: NS1, port: 54 } });
  expect(asked.slice(-2)).toEqual([`${NS1} ${ZONE} SOA tcp`, `${NS1} ${ZONE} NS tcp`]);
  const lost = look(WORLD, { expectation });
  expect((await lost.seen).primary).toEqual({ unresolved: "resolvers find none" });
});
