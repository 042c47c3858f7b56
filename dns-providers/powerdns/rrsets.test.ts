import { describe, expect, test } from "vitest";
import type { RecordSet } from "../record-set.ts";
import { formatPatch, MAX_PATCH, patchCost, readZone } from "./rrsets.ts";

const rrset = (name: string, type: string, contents: readonly (string | { content: string; disabled: boolean })[], more = {}) => ({
  ...{ name, type, ttl: 30, comments: [], ...more },
  records: contents.map((content) => (typeof content === "string" ? { content, disabled: false } : content)),
});
const zone = (...rrsets: readonly unknown[]) => ({ kind: "Native", presigned: false, rrsets });
const SHOP: RecordSet = { name: "shop.example.org", type: "A", ttl: 30, values: ["192.0.2.1", "192.0.2.2"] };

describe("a zone as the server tells it", () => {
  test("names lose their case and last dot, and what the server makes by itself is left out", () => {
    const told = zone(
      rrset("example.org.", "SOA", ["ns1.example.org. hostmaster.example.org. 1 3600 600 1209600 30"]),
      rrset("Shop.example.org.", "A", ["192.0.2.1", "192.0.2.2"]),
      rrset("*.wild.example.org.", "CNAME", ["elsewhere.example.net."]),
    );
    expect(readZone(told)?.sets).toEqual([
      SHOP,
      { name: "*.wild.example.org", type: "CNAME", ttl: 30, values: ["elsewhere.example.net."] },
    ]);
  });

  test("addresses are told as we write them", () => {
    const told = zone(rrset("shop.example.org.", "AAAA", ["2001:DB8:0::1", "::ffff:192.0.2.1"]));
    expect(readZone(told)?.sets[0]?.values).toEqual(["2001:db8::1", "::ffff:c000:201"]);
  });

  test("a record that is switched off is there, and is nothing that we could want", () => {
    const told = zone(rrset("shop.example.org.", "A", [{ content: "192.0.2.1", disabled: true }, "192.0.2.2"]));
    expect(readZone(told)?.sets).toEqual([{ ...SHOP, values: ["(disabled) 192.0.2.1", "192.0.2.2"] }]);
  });

  test.each(["Slave", "Secondary", "Consumer"])("of kind %s it is a copy", (kind) =>
    expect(readZone({ ...zone(), kind })).toMatchObject({ isCopy: true }),
  );
  test("of kind Master it is not", () => expect(readZone({ ...zone(), kind: "Master" })).toMatchObject({ isCopy: false }));

  test.each([undefined, null, [], {}, { rrsets: [1] }, zone({ name: "a.", type: "A", ttl: 1 }), zone(rrset("a.", "A", [], { ttl: "1" }))])(
    "%j is none",
    (told) => expect(readZone(told)).toBeUndefined(),
  );
});

describe("changes", () => {
  test("are told in their order, with absolute names", () => {
    const patch = formatPatch([
      { action: "Delete", before: { ...SHOP, type: "CNAME" } },
      { action: "Create", after: SHOP },
      { action: "Replace", before: SHOP, after: { ...SHOP, ttl: 5 } },
    ]);
    const records = ["192.0.2.1", "192.0.2.2"].map((content) => ({ content, disabled: false }));
    expect(JSON.parse(patch)).toEqual({
      rrsets: [
        { name: "shop.example.org.", type: "CNAME", changetype: "DELETE" },
        { name: "shop.example.org.", type: "A", ttl: 30, changetype: "REPLACE", records },
        { name: "shop.example.org.", type: "A", ttl: 5, changetype: "REPLACE", records },
      ],
    });
  });

  test("a thousand small ones, or a megabyte of large ones, are as much as one PATCH takes", () => {
    expect(MAX_PATCH / patchCost({ action: "Create", after: SHOP })).toBe(1000);
    const large = { action: "Create", after: { ...SHOP, type: "LUA", values: [`A ";${"x".repeat(30_000)}"`] } } as const;
    expect(patchCost(large)).toBeGreaterThan(30_000);
    expect(patchCost(large) * Math.floor(MAX_PATCH / patchCost(large))).toBeLessThanOrEqual(MAX_PATCH);
  });
});
