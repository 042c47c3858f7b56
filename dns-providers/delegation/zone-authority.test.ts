import { describe, expect, test } from "vitest";
import { encodeDs } from "../../src/dns/dnssec/ds.ts";
import { formatDs } from "../../src/dns/wire/format-dnssec.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import type { StaticRecord, Zone, ZoneDnssec } from "../../src/model/inventory.ts";
import { seconds } from "../../src/model/units.ts";
import { route, zone } from "../../test/support/dns-world.ts";
import { newSigningKey } from "../../test/support/zone-keys.ts";
import type { RecordSet } from "../record-set.ts";
import { authorityHere, authorityOf } from "./zone-authority.ts";

const CHILD = "apps.example.org";
const address = (name: string, type: "A" | "AAAA", value: string, ttl = 60): StaticRecord => ({
  ...{ name, type, values: [value], ttl: seconds(ttl) },
});
const RECORDS = [
  address(`ns1.${CHILD}`, "A", "192.0.2.53"),
  address(`ns1.${CHILD}`, "AAAA", "2001:db8::53"),
  address(CHILD, "A", "192.0.2.1", 7200),
];
const here = (more: Partial<Zone> = {}): Zone =>
  zone("apps", CHILD, RECORDS, { nameservers: [`NS1.${CHILD}.`, "ns.example.net"], ...more });

describe("a zone that is answered here", () => {
  test("names its servers, and the addresses of those that lie in it", () => {
    expect(authorityHere(here(), [])).toMatchObject({
      nameServers: [`ns1.${CHILD}`, "ns.example.net"],
      glue: [
        { name: `ns1.${CHILD}`, type: "A", values: ["192.0.2.53"] },
        { name: `ns1.${CHILD}`, type: "AAAA", values: ["2001:db8::53"] },
      ],
      ds: [],
    });
  });

  test("a server without an address in it is told", () => {
    expect(authorityHere(here({ records: [] }), [])).toMatchObject({
      fault: { remedy: `Add A or AAAA records of ns1.${CHILD} to the zone.` },
    });
  });

  test("is in caches as long as its longest TTL, routes included", () => {
    expect(authorityHere(here(), [])).toMatchObject({ longestTtl: 7200 });
    const slow = route("slow", [`slow.${CHILD}`], [], { ttl: { min: seconds(5), max: seconds(9000) } });
    const elsewhere = route("other", ["www.example.net"], [], { ttl: { min: seconds(5), max: seconds(90_000) } });
    expect(authorityHere(here(), [slow, elsewhere])).toMatchObject({ longestTtl: 9000 });
  });

  test("asks for DS of the keys that sign or will, and for none before signing is given up", () => {
    const [active, next, old] = [newSigningKey(), newSigningKey(), newSigningKey()];
    const file = (key: typeof active, state: "Active" | "Published" | "Retired") => ({
      ...{ name: state, path: "/k", state, tag: key.tag, publicKey: Buffer.from(key.publicKey).toString("base64") },
    });
    const keys = [file(active, "Active"), file(next, "Published"), file(old, "Retired")];
    const asked = (delegation: ZoneDnssec["delegation"]) => authorityHere(here({ dnssec: { keys, delegation } }), []);
    expect(asked("Secure")).toMatchObject({ ds: [active, next].map((key) => formatDs(encodeDs(encodeName(CHILD)!, key))) });
    expect(asked("Insecure")).toMatchObject({ ds: [] });
  });
});

describe("a zone that was listed", () => {
  const set = (name: string, type: string, ...values: readonly string[]): RecordSet => ({ name, type, ttl: 900, values });
  const NS = set(CHILD, "NS", `NS1.${CHILD}.`, "ns.example.net.");
  const NS1 = set(`ns1.${CHILD}`, "A", "192.0.2.53");
  const DS = `1 13 2 ${"ab".repeat(32)}`;

  test.each([
    { name: "says nothing of DS without CDS", cds: [], ds: undefined },
    { name: "asks for what its CDS say", cds: [set(CHILD, "CDS", DS)], ds: [DS] },
    { name: "asks for their removal by the CDS of RFC 8078 §4", cds: [set(CHILD, "CDS", "0 0 0 00")], ds: [] },
  ])("$name", ({ cds, ds }) => {
    const told = authorityOf(CHILD, [NS, NS1, { ...set(`www.${CHILD}`, "A", "192.0.2.1"), ttl: 1800 }, ...cds]);
    const known = { nameServers: [`ns1.${CHILD}`, "ns.example.net"], glue: [NS1], ttl: 900, longestTtl: 1800 };
    expect(told).toEqual(ds === undefined ? known : { ...known, ds });
  });

  test("without NS of its own nobody can be told of it", () => {
    expect(authorityOf(CHILD, [NS1])).toMatchObject({ fault: { fact: `${CHILD} has no NS records of its own` } });
  });
});
