/** Whom a real Envoy sends whose requests to: what rules, weights and stickiness say, for clients by the thousand. */
import { describe, expect, test } from "vitest";
import { parseNetwork } from "../../../src/model/ip.ts";
import { decide } from "../../../src/routing/decide.ts";
import { Standing } from "../../../src/routing/table.ts";
import { requireComponent } from "../../support/component.ts";
import { CLUSTERS, type ClusterName, startDecisions } from "../../support/envoy/decision-scene.ts";
import { seededRandom } from "../../support/random.ts";
import { testRule } from "../../support/world/build-route.ts";

const PARTNERS = ["203.0.113.0/25", "2001:db8:f000::/36"];
/** Germans stay in Europe, even those of whom nobody knows where they are; partners go to Virginia. */
const RULES = [
  testRule("germany", "Require", { countries: ["DE"] }, ["frankfurt", "dublin"], "Apply"),
  testRule("partners", "Prefer", { subnets: PARTNERS }, ["virginia"]),
];
/** As in the country file: 32 addresses of each country, and some of nowhere. */
const KNOWN = ["DE", "IE", "US", "JP", "BR"];
const EUROPE: readonly string[] = ["frankfurt", "dublin"];

describe.skipIf(!requireComponent("envoy", "envoy"))("decisions of a real Envoy", () => {
  const random = seededRandom(22);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const below = (end: number): number => Math.floor(random() * end);

  /** Who stays in Europe: Germany, and nowhere. */
  const client = (): { readonly address: string; readonly stays: boolean; readonly isPartner: boolean } => {
    const kind = below(4);
    if (kind === 0) return { address: `203.0.113.${below(128)}`, stays: true, isPartner: true };
    if (kind === 1) return { address: `192.0.2.${below(256)}`, stays: true, isPartner: false };
    const country = below(KNOWN.length);
    const address = kind === 2 ? `198.51.100.${32 * country + below(32)}` : `2001:db8:${country}${below(90) + 10}::${below(999)}`;
    return { address, stays: country === 0, isPartner: false };
  };

  test("a Require rule is never left, whoever fails, whatever a client says of itself", { timeout: 120_000 }, async () => {
    const scene = await startDecisions({ route: { rules: RULES }, trustedHops: 1 });
    expect(scene.classes().by).toBe("Address");
    const standings = [Standing.Usable, Standing.Usable, Standing.Unhealthy, Standing.Unknown, Standing.Draining];
    const seen = { inEurope: 0, elsewhere: 0, flips: 0 };
    for (let round = 0; round < 30; round++) {
      const flipped = scene.tell(Object.fromEntries(CLUSTERS.map((cluster) => [cluster, pick(standings)]))).then(() => seen.flips++);
      const clients = Array.from({ length: 100 }, client);
      const answers = await scene.askAll(clients.map(({ address }) => (below(2) === 0 ? address : `198.51.100.${below(160)}, ${address}`)));
      await flipped;
      clients.forEach(({ address, stays }, i) => {
        const isInEurope = EUROPE.includes(answers[i]!);
        expect(CLUSTERS, `${address}: ${answers[i]}`).toContain(answers[i]);
        if (stays) expect(isInEurope, `${address} went to ${answers[i]}`).toBe(true);
        seen[isInEurope ? "inEurope" : "elsewhere"]++;
      });
    }
    expect(seen.flips).toBe(30);
    expect(Math.min(seen.inEurope, seen.elsewhere)).toBeGreaterThan(300);

    const tags = scene.classes().classes.map(({ name }) => name);
    const german = { seen: "198.51.100.7" };
    for (const tag of tags)
      expect(EUROPE).toContain(await scene.ask(german, { "x-envoy-ip-tags": tag, "x-globalroute-subnet": "1.2.3.4" }));

    for (const cluster of ["frankfurt", "dublin"] as const) await scene.kill(cluster);
    await scene.tell({ frankfurt: Standing.Unhealthy, dublin: Standing.Unhealthy, virginia: Standing.Usable, tokyo: Standing.Usable });
    const clients = Array.from({ length: 200 }, client);
    const answers = await scene.askAll(clients.map(({ address }) => address));
    clients.forEach(({ address, stays }, i) => {
      if (stays) expect(answers[i], address).toBe("503");
      else expect(["tokyo", "virginia"], address).toContain(answers[i]);
    });
  });

  test("what is decided for an address is what DNS answers it", { timeout: 60_000 }, async () => {
    const scene = await startDecisions({ route: { rules: RULES, order: "Priority" }, trustedHops: 1 });
    for (const out of [[], ["frankfurt"], ["virginia", "dublin"]] as readonly (readonly ClusterName[])[]) {
      await scene.tell(
        Object.fromEntries(CLUSTERS.map((cluster) => [cluster, out.includes(cluster) ? Standing.Unhealthy : Standing.Usable])),
      );
      const addresses = Array.from({ length: 500 }, () => client().address);
      const dns = addresses.map((address) => decide(scene.table(), 0, parseNetwork(address)!, 0, 0.5, 0).clusters[0]);
      expect(await scene.askAll(addresses)).toEqual(dns);
    }
  });

  test("clients that connect themselves are told apart by where they connect from", { timeout: 60_000 }, async () => {
    const rules = [
      testRule("kiosks", "Require", { subnets: ["127.0.40.0/24"] }, ["dublin"]),
      testRule("offices", "Prefer", { subnets: ["127.0.40.128/25", "127.0.41.0/24"] }, ["virginia"]),
    ];
    const scene = await startDecisions({ route: { rules, order: "Priority" }, trustedHops: 0 });
    expect(scene.classes().by).toBe("Network");
    const tags = scene.classes().classes.map(({ name }) => name);
    for (let i = 0; i < 300; i++) {
      const third = 40 + below(3);
      const local = `127.0.${third}.${1 + below(254)}`;
      const expected = third === 40 ? "dublin" : third === 41 ? "virginia" : "frankfurt";
      // Nobody before this Envoy is trusted, and a client in a private network is not either.
      const headers = { "x-forwarded-for": `127.0.${40 + below(3)}.9`, "x-envoy-ip-tags": pick(tags) };
      expect(await scene.ask({ local }, headers), local).toBe(expected);
    }
    await scene.tell({ dublin: Standing.Unhealthy });
    await scene.kill("dublin");
    expect(await scene.ask({ local: "127.0.40.200" })).toBe("503");
    expect(await scene.ask({ local: "127.0.41.200" })).toBe("virginia");
  });

  const ofMixture = "over %s, as rules change, connections that stand go by the old or the new ones, never by a mixture";
  test.each(["GRPC", "DELTA_GRPC"] as const)(ofMixture, { timeout: 120_000 }, async (variant) => {
    const [germany, partners] = RULES;
    // Those of no class are now Germans and strangers, now everybody else.
    const worlds = [[{ ...germany!, unknownPlace: "Skip" } as const], RULES, [germany!, { ...partners!, mode: "Require" } as const]];
    const scene = await startDecisions({ route: { rules: worlds[0]! }, trustedHops: 1, variant });
    const german = { seen: "198.51.100.7" };
    const answers: string[] = [];
    let isOver = false;
    const ask = async (): Promise<void> => {
      while (!isOver) answers.push(await scene.ask(german)); // over connections that are kept alive
    };
    const load = Promise.all(Array.from({ length: 8 }, ask));
    for (let i = 1; i <= 12; i++) await scene.change({ rules: worlds[i % worlds.length]! });
    await scene.restartUs(); // we know of no listener before any more: Envoy does
    await scene.change({ rules: worlds[1]! });
    isOver = true;
    await load;
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter((answer) => !EUROPE.includes(answer))).toEqual([]);
  });

  describe("shares", () => {
    const WEIGHTS = [100, 60, 30, 10];
    /** Each share within three standard deviations of so many throws of dice. */
    const expectShares = (answers: readonly string[], slack = 0): void =>
      CLUSTERS.forEach((cluster, i) => {
        const share = WEIGHTS[i]! / 200;
        const found = answers.filter((answer) => answer === cluster).length / answers.length;
        const sigma = Math.sqrt((share * (1 - share)) / answers.length);
        expect(Math.abs(found - share), `${cluster}: ${found} instead of ${share}`).toBeLessThan(3 * sigma + slack);
      });

    test("of requests are those of the weights", { timeout: 60_000 }, async () => {
      const scene = await startDecisions({ route: { order: "Weighted" }, weights: WEIGHTS, trustedHops: 1 });
      expectShares(await scene.askAll(Array.from({ length: 4000 }, () => "192.0.2.1")));
    });

    test("of clients are those of the weights where they stick", { timeout: 60_000 }, async () => {
      const scene = await startDecisions({ route: { order: "Weighted", sticky: "ClientSubnet" }, weights: WEIGHTS, trustedHops: 1 });
      expectShares(await scene.askAll(Array.from({ length: 4000 }, (_, i) => `10.${i >> 8}.${i & 255}.${1 + below(250)}`)));
    });
  });

  test("a client's network stays where it is, over restarts of Envoy and of ours, and as others leave and return", {
    timeout: 120_000,
  }, async () => {
    const scene = await startDecisions({ route: { order: "Weighted", sticky: "ClientSubnet" }, trustedHops: 1 });
    const networks = Array.from({ length: 1500 }, (_, i) => (i % 3 === 0 ? `2001:db8:${i.toString(16)}:` : `10.${i >> 8}.${i & 255}.`));
    const someone = (network: string): string =>
      network.includes(":") ? `${network}${below(9999)}::${below(9999)}` : `${network}${below(256)}`;
    const look = () => scene.askAll(networks.map(someone));
    const before = await look();
    expect(new Set(before)).toEqual(new Set(CLUSTERS));
    expect(await look()).toEqual(before);
    await scene.restartEnvoy();
    expect(await look()).toEqual(before);
    await scene.restartUs();
    expect(await look()).toEqual(before);

    await scene.tell({ dublin: Standing.Unhealthy });
    const without = await look();
    const others = before.flatMap((cluster, i) => (cluster === "dublin" ? [] : [{ cluster, after: without[i]! }]));
    const moved = others.filter(({ cluster, after }) => cluster !== after).length / others.length;
    process.stdout.write(`one of four left: ${(100 * moved).toFixed(1)} % of the others' client networks moved\n`);
    expect(without).not.toContain("dublin");
    expect(moved).toBeLessThan(0.1);
    await scene.tell({ dublin: Standing.Usable });
    expect(await look()).toEqual(before);
  });
});
