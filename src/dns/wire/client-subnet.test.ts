import fc from "fast-check";
import { expect, test } from "vitest";
import { hex } from "../../../test/support/hex.ts";
import { clientSubnetSize, decodeClientSubnet, encodeClientSubnet, newClientSubnet } from "./client-subnet.ts";

//                                                    FAMILY source scope ADDRESS
const accepted: readonly { name: string; bytes: string; family: number; source: number }[] = [
  { name: "192.0.2.0/24", bytes: "0001 18 00 c00002", family: 1, source: 24 },
  { name: "a whole IPv4 address", bytes: "0001 20 00 c0000201", family: 1, source: 32 },
  { name: "20 bits take three bytes", bytes: "0001 14 00 c00020", family: 1, source: 20 },
  { name: "2001:db8::/32", bytes: "0002 20 00 20010db8", family: 2, source: 32 },
  { name: "a whole IPv6 address", bytes: "0002 80 00 20010db8 00000000 00000000 00000001", family: 2, source: 128 },
  { name: "source 0 of IPv4", bytes: "0001 00 00", family: 1, source: 0 },
  { name: "source 0 of IPv6", bytes: "0002 00 00", family: 2, source: 0 },
  { name: "source 0 without a family", bytes: "0000 00 00", family: 0, source: 0 },
];
test.each(accepted)("RFC 7871 §6: $name is taken, and repeated byte for byte", ({ bytes, family, source }) => {
  const message = hex(`ffff ${bytes} ffff`);
  const subnet = newClientSubnet();
  subnet.address.fill(0xee);
  expect(decodeClientSubnet(message, 2, message.length - 4, subnet)).toBe(true);
  expect(subnet).toMatchObject({ family, source });
  expect([...subnet.address.subarray(Math.ceil(source / 8))].every((byte) => byte === 0)).toBe(true);
  const option = new Uint8Array(clientSubnetSize(subnet));
  expect(encodeClientSubnet(new DataView(option.buffer), 0, subnet, 0)).toBe(option.length);
  expect(option).toEqual(Uint8Array.from([0, 8, 0, option.length - 4, ...hex(bytes)]));
});

const refused: readonly { name: string; bytes: string }[] = [
  { name: "a scope in a query", bytes: "0001 18 18 c00002" },
  { name: "ADDRESS too short", bytes: "0001 18 00 c000" },
  { name: "ADDRESS too long", bytes: "0001 18 00 c0000200" },
  { name: "an address although source is 0", bytes: "0001 00 00 c0" },
  { name: "a bit behind the prefix", bytes: "0001 17 00 c00003" },
  { name: "source 33 of IPv4", bytes: "0001 21 00 c000020100" },
  { name: "source 129 of IPv6", bytes: "0002 81 00 20010db8 00000000 00000000 00000001 00" },
  { name: "an unknown family", bytes: "0003 08 00 c0" },
  { name: "an unknown family with source 0", bytes: "0003 00 00" },
  { name: "no family with an address", bytes: "0000 08 00 c0" },
  { name: "three bytes", bytes: "0001 18" },
  { name: "nothing", bytes: "" },
];
test.each(refused)("RFC 7871 §7.1.2: $name is FORMERR", ({ bytes }) => {
  const message = hex(bytes);
  expect(decodeClientSubnet(message, 0, message.length, newClientSubnet())).toBe(false);
});

test("the scope is written where scopes go", () => {
  const subnet = { family: 1, source: 24, address: Uint8Array.of(192, 0, 2, ...new Array<number>(13).fill(0)) };
  const out = new Uint8Array(11);
  encodeClientSubnet(new DataView(out.buffer), 0, subnet, 22);
  expect(out).toEqual(hex("0008 0007 0001 18 16 c00002"));
});

test("no bytes crash decoding", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => void decodeClientSubnet(bytes, 0, bytes.length, newClientSubnet())));
});
