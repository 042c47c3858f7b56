import { expect, test } from "vitest";
import { blockKey, holds, parseBlock } from "./cidr.ts";

test.each(["192.0.2.0/25", "192.0.2.0/0", "192.0.2.0", "192.0.2/24", "2001:db8::/49", "2001:db8::/0", "fe80::%1/10", "::/x"])(
  "%s is no block",
  (text) => {
    expect(parseBlock(text)).toBeUndefined();
  },
);

test("two spellings of one block are one", () => {
  expect(blockKey(parseBlock("2001:db8::/32")!)).toBe(blockKey(parseBlock("2001:0DB8:0:0:0:0:0:1/32")!));
  expect(blockKey(parseBlock("203.0.113.0/22")!)).toBe(blockKey(parseBlock("203.0.112.0/22")!));
});

test.each([
  { block: "192.0.2.0/24", address: "192.0.2.77", length: 32, isHeld: true },
  { block: "192.0.2.0/24", address: "192.0.2.0", length: 24, isHeld: true },
  { block: "192.0.2.0/24", address: "192.0.0.0", length: 16, isHeld: false },
  { block: "192.0.2.0/24", address: "192.0.3.0", length: 24, isHeld: false },
  // The two examples of the documentation.
  { block: "2001:db8::/32", address: "2001:db8:0:1234::", length: 48, isHeld: true },
  { block: "2001:db8:0:1234::/48", address: "2001:db8::", length: 32, isHeld: false },
  { block: "2001:db8::/32", address: "::ffff:192.0.2.1", length: 128, isHeld: false },
  { block: "192.0.2.0/24", address: "2001:db8::", length: 48, isHeld: false },
])("$block holds $address/$length: $isHeld", ({ block, address, length, isHeld }) => {
  expect(holds(parseBlock(block)!, { address, length })).toBe(isHeld);
});
