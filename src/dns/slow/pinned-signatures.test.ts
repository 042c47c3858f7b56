/** What is signed beforehand: exactly what answers are made of. */
import { describe, expect, test } from "vitest";
import { route } from "../../../test/support/dns-world.ts";
import { signedWorld } from "../../../test/support/signed-world.ts";
import { Standing } from "../../routing/table.ts";
import { Type } from "../wire/codes.ts";
import { decodeName, encodeName } from "../wire/name.ts";
import { expectedSets } from "./expected-sets.ts";
import { createPinning } from "./pinned-signatures.ts";
import { addData, describeSet, hashSet, newSetScratch, RENEWAL, readSet, sortAddresses } from "./rrset-signature.ts";
import { readSignature } from "./signature-cache.ts";

const START = 1_800_000_000;
const backend = (cluster: string, addresses: readonly string[]) => ({
  name: cluster,
  cluster,
  addresses,
  weight: 100,
  priority: 0,
  bias: 0,
});
const ROUTES = [
  route("few", ["few.example.org"], [backend("east", ["192.0.2.9", "192.0.2.7", "2001:db8::1"]), backend("west", ["203.0.113.1"])]),
  route("many", ["many.example.org"], [backend("east", ["192.0.2.3", "192.0.2.1", "192.0.2.2"])]),
  route("web", ["web.example.org"], [backend("east", ["192.0.2.5", "2001:db8::5"])], { alpn: ["h2"] }),
  route("spread", ["spread.example.org"], [backend("east", ["192.0.2.5"]), backend("west", ["203.0.113.1"])], { spread: 2 }),
  route("wild", ["*.apps.example.org"], [backend("east", ["192.0.2.5"])]),
  route("elsewhere", ["www.example.com"], [backend("east", ["192.0.2.5"])]),
];
const world = signedWorld(START, Number.POSITIVE_INFINITY, ROUTES);
const { routing, zones, signing } = world.tables;
const secrets = zones.domains.map((domain, zone) => ({ key: world.secrets.zoneKeys[zone]!, apex: encodeName(domain)! }));
const input = { zones, hot: routing.hot, state: routing.state };

/** `name TYPE last bytes of each record`. */
function listed(): readonly string[] {
  const set = newSetScratch();
  const lines: string[] = [];
  for (const zone of expectedSets(input, set)) {
    const { owner, type, originalTtl, rdata } = readSet(set);
    expect([zones.domains[zone], originalTtl]).toEqual(["example.org", 60]);
    const data = rdata.map((one) => (type === Type.HTTPS ? Buffer.from(one).toString("hex") : one.at(-1)));
    lines.push(`${decodeName(owner, 0)!.name.split(".")[0]} ${type} ${data.join(" ")}`);
  }
  return lines;
}

describe("expected sets", () => {
  test("each backend and family, sorted; all rotations of what does not fit an answer; nothing for wildcards, spreads and other zones", () => {
    expect(listed()).toEqual([
      "few 1 7 9",
      "few 1 1",
      "few 28 1",
      "many 1 1 3",
      "many 1 1 2",
      "many 1 2 3",
      "web 1 5",
      "web 28 5",
      // 1 . alpn=h2 ipv4hint=192.0.2.5 ipv6hint=2001:db8::5
      "web 65 0001000001000302683200040004c00002050006001020010db8000000000000000000000005",
    ]);
  });

  test("and what is left when addresses are out", () => {
    const many = routing.names.routes.findIndex(({ name }) => name === "many");
    const first = routing.hot.backendAddresses[2 * routing.hot.routeBackends[many]!]!;
    routing.state.addressStanding[first] = Standing.Unhealthy;
    expect(listed().filter((line) => line.startsWith("many"))).toEqual(["many 1 1 3", "many 1 1 2", "many 1 2 3", "many 1 1 2"]);
    routing.state.addressStanding[first] = Standing.Usable;
  });
});

describe("pinning", () => {
  const has = (of: typeof signing, now: number): number => {
    const set = newSetScratch();
    let count = 0;
    for (const zone of expectedSets(input, set)) {
      hashSet(of!, zone, set);
      if (readSignature(of!.pinned, set.hash, now, 1, new Uint8Array(80), 0, 8)) count++;
    }
    return count;
  };
  const { zoneHashKey } = signing!;

  test("goes on where it stopped", () => {
    const pinning = createPinning({ ...input, zoneHashKey, secrets, earlier: undefined });
    const steps = [4, 4, 4].map((most) => {
      pinning.sign(most, START);
      return [pinning.left(), has(pinning.signing, START)];
    });
    expect(steps).toEqual([
      [5, 4],
      [1, 8],
      [0, 9],
    ]);
    expect(pinning.expires()).toEqual([START + 2 * RENEWAL, Number.POSITIVE_INFINITY]);
  });

  test("takes over what is good for half of its time, whatever it is allowed to make", () => {
    const pinning = createPinning({ ...input, zoneHashKey, secrets, earlier: signing!.pinned });
    pinning.sign(1, START + RENEWAL);
    expect([pinning.left(), pinning.expires()[0]]).toEqual([0, START + 2 * RENEWAL]);
    const later = createPinning({ ...input, zoneHashKey, secrets, earlier: signing!.pinned });
    later.sign(2, START + RENEWAL + 1);
    expect([later.left(), later.expires()[0]]).toEqual([7, START + 3 * RENEWAL + 1]);
  });

  test("takes over nothing that another key has made", () => {
    const other = zoneHashKey.map((key) => key?.map((word) => word + 1));
    const pinning = createPinning({ ...input, zoneHashKey: other, secrets, earlier: signing!.pinned });
    pinning.sign(3, START);
    expect(pinning.left()).toBe(6);
  });
});

describe("a described set", () => {
  test("comes apart as it was put together, its owner in small letters", () => {
    const set = newSetScratch();
    const owner = encodeName("WWW.Example.org")!;
    describeSet(Type.AAAA, 0x8000_0001, owner, 0, owner.length, set);
    addData(set, Uint8Array.of(9, 1, 2, 3), 1, 3);
    addData(set, new Uint8Array(300).fill(7), 0, 300);
    expect(readSet(set)).toEqual({
      type: Type.AAAA,
      originalTtl: 0x8000_0001,
      owner: encodeName("www.example.org"),
      rdata: [Uint8Array.of(1, 2, 3), new Uint8Array(300).fill(7)],
    });
  });

  test("any difference makes another hash", () => {
    const owner = encodeName("www.example.org")!;
    const other = encodeName("ww.example.org")!;
    const hashes = [
      [Type.A, 60, owner, [1, 2], [3]],
      [Type.AAAA, 60, owner, [1, 2], [3]],
      [Type.A, 61, owner, [1, 2], [3]],
      [Type.A, 60, other, [1, 2], [3]],
      [Type.A, 60, owner, [1], [2, 3]],
      [Type.A, 60, owner, [1, 2]],
      [Type.A, 60, owner, [3], [1, 2]],
    ].map(([type, ttl, name, ...data]) => {
      const set = newSetScratch();
      const wire = name as Uint8Array;
      describeSet(type as number, ttl as number, wire, 0, wire.length, set);
      for (const one of data as number[][]) addData(set, Uint8Array.from(one), 0, one.length);
      hashSet(signing!, 0, set);
      return set.hash.join();
    });
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("addresses are sorted by their bytes, of which IPv4 has four", () => {
    const bytes = new Uint8Array(4 * 16);
    const rows = [
      [10, 0, 0, 2, 9],
      [10, 0, 0, 1, 8],
      [9, 255, 0, 0, 7],
      [10, 0, 0, 2, 1],
    ];
    for (const [i, row] of rows.entries()) bytes.set(row, 16 * i);
    const numbers = Uint32Array.of(0, 1, 2, 3);
    sortAddresses(numbers, 4, bytes, 4);
    expect([...numbers]).toEqual([2, 1, 0, 3]);
    sortAddresses(numbers, 4, bytes, 16);
    expect([...numbers]).toEqual([2, 1, 3, 0]);
  });
});
