import { decode } from "dns-packet";
import { expect, test } from "vitest";
import { encodeQueryFile, QUERIES, readQueryFile } from "./query-file.ts";

const clients = Uint32Array.from({ length: QUERIES }, (_, i) => (0xc000_0200 + (i << 8)) >>> 0);
const messageOf = (file: Uint8Array, number: number): Buffer => {
  const { bytes, length } = readQueryFile(file);
  return Buffer.from(bytes.subarray(number * length, (number + 1) * length));
};

test("a plain query has its number as id, one question and no EDNS", () => {
  const message = decode(messageOf(encodeQueryFile({ names: ["www.example.org"] }), 0xabcd));
  expect(message).toMatchObject({ id: 0xabcd, type: "query", questions: [{ name: "www.example.org", type: "A", class: "IN" }] });
  expect(message.additionals).toEqual([]);
});

test("names come in turn, and each query has its own client subnet", () => {
  const file = encodeQueryFile({ names: ["n0000.example.org", "n0001.example.org", "n0002.example.org"], clients });
  const message = decode(messageOf(file, 4));
  expect(message.questions?.[0]?.name).toBe("n0001.example.org");
  expect(message.additionals).toMatchObject([
    { type: "OPT", udpPayloadSize: 1232, options: [{ code: 8, family: 1, sourcePrefixLength: 24, scopePrefixLength: 0, ip: "192.0.6.0" }] },
  ]);
});

test("each message stands behind its length, as dnsperf -B reads them", () => {
  const file = encodeQueryFile({ names: ["www.example.org"] });
  // 00 21 = 33 bytes: header 12, name 17, type and class 4
  expect(Buffer.from(file.subarray(0, 6)).toString("hex")).toBe("002100000000");
  expect(Buffer.from(file.subarray(35, 41)).toString("hex")).toBe("002100010000");
  expect(file.length).toBe(QUERIES * 35);
});

test.each([
  { name: "names of different lengths", make: () => encodeQueryFile({ names: ["a.example.org", "bb.example.org"] }) },
  { name: "too few clients", make: () => encodeQueryFile({ names: ["a.example.org"], clients: clients.subarray(1) }) },
  { name: "no name at all", make: () => encodeQueryFile({ names: [] }) },
  { name: "a file that ends early", make: () => readQueryFile(encodeQueryFile({ names: ["a.example.org"] }).subarray(1)) },
  { name: "a message with another's id", make: () => readQueryFile(encodeQueryFile({ names: ["a.example.org"] }).fill(7, 2, 4)) },
])("$name is refused", ({ make }) => {
  expect(make).toThrow(RangeError);
});
