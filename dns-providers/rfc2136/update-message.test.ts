import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage } from "../../src/dns/wire/decode-message.ts";
import { type Change, putSet } from "../change.ts";
import { formatFence } from "../fence.ts";
import type { RecordSet } from "../record-set.ts";
import { encodeUpdate, updateCost } from "./update-message.ts";

const set = (name: string, type: string, ...values: readonly string[]): RecordSet => ({ name, type, ttl: 30, values });
const fence = (write: number): RecordSet => formatFence("example.org", "us", { epoch: 7, write });
const FIRST = { action: "Create", after: fence(1) } as const;
const NEXT = { action: "Replace", before: fence(1), after: fence(2) } as const;
const CLASSES: Readonly<Record<number, string>> = { 1: "IN", 254: "NONE", 255: "ANY" };

/** The message as lines: what must hold, what is changed. Read by itself, as requests to delete have no RDATA of their type's form. */
function told(change: Change, ...changes: readonly Change[]) {
  const bytes = encodeUpdate(4711, "example.org", { fence: change, changes })!;
  const view = new DataView(bytes.buffer);
  const counts = [6, 8].map((at) => view.getUint16(at));
  return { id: view.getUint16(0), opcode: (view.getUint16(2) >>> 11) & 15, lines: readRecords(bytes, counts) };
}

function readRecords(bytes: Uint8Array, [prerequisites = 0, updates = 0]: readonly number[]): readonly string[] {
  const view = new DataView(bytes.buffer);
  const nameAt = (at: number): { readonly name: string; readonly end: number } => {
    const labels: string[] = [];
    let end = -1;
    for (;;) {
      const size = bytes[at]!;
      if (size >= 0xc0) {
        if (end < 0) end = at + 2;
        at = ((size & 0x3f) << 8) | bytes[at + 1]!;
      } else if (size === 0) return { name: labels.join("."), end: end < 0 ? at + 1 : end };
      else {
        labels.push(Buffer.from(bytes.subarray(at + 1, at + 1 + size)).toString());
        at += 1 + size;
      }
    }
  };
  let at = nameAt(12).end + 4;
  return Array.from({ length: prerequisites + updates }, (_, i) => {
    const { name, end } = nameAt(at);
    const length = view.getUint16(end + 8);
    const data = Buffer.from(bytes.subarray(end + 10, end + 10 + length)).toString("latin1");
    at = end + 10 + length;
    const kind = view.getUint16(end);
    const shown = kind === 1 ? [...Buffer.from(data, "latin1")].join(".") : JSON.stringify(data.slice(1));
    const ttl = view.getUint32(end + 4);
    return `${i < prerequisites ? "must" : "make"} ${name} ${CLASSES[view.getUint16(end + 2)]} ${kind} ${ttl}${length === 0 ? "" : ` ${shown}`}`;
  });
}

describe("an UPDATE", () => {
  test("that is the last: the fence must be as it was seen, and goes", () => {
    expect(told({ action: "Delete", before: fence(2) }).lines).toEqual([
      'must us._fence._globalroute.example.org IN 16 0 "heritage=globalroute,globalroute/epoch=7,globalroute/write=2"',
      "make us._fence._globalroute.example.org ANY 16 0",
    ]);
  });

  test("of an HTTPS record carries its protocols", () => {
    const bytes = encodeUpdate(1, "example.org", {
      fence: FIRST,
      changes: [{ action: "Create", after: set("a.example.org", "HTTPS", "1 . alpn=h2") }],
    })!;
    expect(Buffer.from(bytes).toString("hex")).toContain("000100000100030268 32".replace(" ", ""));
    const other = { action: "Create", after: set("a.example.org", "HTTPS", "1 . port=53") } as const;
    expect(encodeUpdate(1, "example.org", { fence: FIRST, changes: [other] })).toBeUndefined();
  });

  test("of a new fence and a new set: neither may be there", () => {
    const { id, opcode, lines } = told(FIRST, { action: "Create", after: set("shop.example.org", "A", "192.0.2.1", "192.0.2.2") });
    expect([id, opcode]).toEqual([4711, 5]);
    expect(lines).toEqual([
      "must us._fence._globalroute.example.org NONE 16 0",
      "must shop.example.org NONE 1 0",
      'make us._fence._globalroute.example.org IN 16 300 "heritage=globalroute,globalroute/epoch=7,globalroute/write=1"',
      "make shop.example.org IN 1 30 192.0.2.1",
      "make shop.example.org IN 1 30 192.0.2.2",
    ]);
  });

  test("of the next fence: the one before must be there as it was, and what is replaced goes whole", () => {
    const before = set("shop.example.org", "A", "192.0.2.1");
    const { lines } = told(
      NEXT,
      { action: "Replace", before, after: set("shop.example.org", "A", "192.0.2.9") },
      { action: "Delete", before },
    );
    expect(lines).toEqual([
      'must us._fence._globalroute.example.org IN 16 0 "heritage=globalroute,globalroute/epoch=7,globalroute/write=1"',
      "make us._fence._globalroute.example.org ANY 16 0",
      'make us._fence._globalroute.example.org IN 16 300 "heritage=globalroute,globalroute/epoch=7,globalroute/write=2"',
      "make shop.example.org ANY 1 0",
      "make shop.example.org IN 1 30 192.0.2.9",
      "make shop.example.org ANY 1 0",
    ]);
  });

  test("cannot tell of types that it does not know, of values that are none, of names that are none", () => {
    for (const after of [set("a.example.org", "SVCB", "1 ."), set("a.example.org", "A", "::1"), set("a..example.org", "A", "192.0.2.1")])
      expect(encodeUpdate(1, "example.org", { fence: FIRST, changes: [{ action: "Create", after }] })).toBeUndefined();
  });

  test("is never longer than its changes cost", () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
    const name = fc.array(label, { minLength: 0, maxLength: 4 }).map((labels) => [...labels, "example.org"].join("."));
    const values = fc.oneof(
      fc.record({ type: fc.constant("A"), values: fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 5 }) }),
      fc.record({ type: fc.constant("AAAA"), values: fc.constant(["::1", "2001:db8::2"]) }),
      fc.record({ type: fc.constant("CNAME"), values: name.map((target) => [`${target}.`]) }),
      fc.record({ type: fc.constant("TXT"), values: fc.stringMatching(/^[a-z ]{0,250}$/).map((text) => [`"${text}"`]) }),
    );
    const change = fc.record({ name, data: values, action: fc.constantFrom("Create", "Replace", "Delete") }).map((one): Change => {
      const after = { name: one.name, ttl: 30, ...one.data };
      return one.action === "Delete" ? { action: "Delete", before: after } : putSet(one.action === "Replace" ? after : undefined, after);
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
        const cost = [NEXT, ...changes].reduce((sum, one) => sum + updateCost(one, "example.org"), 0);
        const whole = encodeUpdate(1, "example.org", { fence: NEXT, changes })!;
        expect(whole.length).toBeLessThanOrEqual(cost + 12 + "example.org".length + 2 + 4);
      }),
      { numRuns: 200 },
    );
  });
});

test("answers decode", () => {
  const header = Uint8Array.of(0x12, 0x67, 0xa8, 0x08, 0, 0, 0, 0, 0, 0, 0, 0);
  expect(decodeMessage(header)).toMatchObject({ id: 0x1267, opcode: 5, rcode: 8 });
});
