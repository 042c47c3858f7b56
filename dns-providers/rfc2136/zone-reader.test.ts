import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Flag, Type } from "../../src/dns/wire/codes.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import { concat, encodeRdata, encodeRecord } from "../../src/dns/wire/rdata.ts";
import { createZoneReader } from "./zone-reader.ts";

const ID = 4711;
const SOA = encodeRecord(
  encodeName("Example.org")!,
  { type: Type.SOA, ttl: 300 },
  concat([encodeName("ns.example.org")!, encodeName("h.example.org")!, new Uint8Array(20)]),
);
const record = (name: string, type: "A" | "TXT", value: string, ttl = 30): Uint8Array => {
  const rdata = encodeRdata(type, value, "example.org");
  if (!("value" in rdata)) throw new Error(rdata.fault.message);
  return encodeRecord(encodeName(name)!, { type: Type[type], ttl }, rdata.value);
};
function message(records: readonly Uint8Array[], rcode = 0, id = ID): Uint8Array {
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setUint16(0, id);
  view.setUint16(2, Flag.QR | rcode);
  view.setUint16(6, records.length);
  return concat([header, ...records]);
}

describe("a zone", () => {
  test("is put together over messages, names in small letters, what its server makes left out", () => {
    const reader = createZoneReader(ID);
    const signature = encodeRecord(
      encodeName("www.example.org")!,
      { type: Type.NSEC, ttl: 30 },
      concat([encodeName("a.example.org")!, Uint8Array.of(0, 1, 0x40)]),
    );
    expect(reader.take(message([SOA, record("WWW.example.org", "A", "192.0.2.1")]))).toEqual({ kind: "More" });
    expect(reader.take(message([record("www.example.org", "A", "192.0.2.2"), signature]))).toEqual({ kind: "More" });
    expect(reader.take(message([record("t.example.org", "TXT", '"a b"'), SOA]))).toEqual({
      kind: "Whole",
      sets: [
        { name: "www.example.org", type: "A", ttl: 30, values: ["192.0.2.1", "192.0.2.2"] },
        { name: "t.example.org", type: "TXT", ttl: 30, values: ['"a b"'] },
      ],
    });
  });

  test("does not begin without its SOA, nor come under another ID, nor out of rubbish", () => {
    for (const bytes of [message([record("www.example.org", "A", "192.0.2.1")]), message([SOA], 0, ID + 1), message([SOA]).subarray(0, 40)])
      expect(createZoneReader(ID).take(bytes)).toEqual({ kind: "Malformed" });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(["More", "Malformed", "Refused", "Whole"]).toContain(createZoneReader(ID).take(bytes).kind);
      }),
    );
  });

  test("is refused with the RCODE", () => {
    expect(createZoneReader(ID).take(message([], 5))).toEqual({ kind: "Refused", rcode: 5 });
  });
});
