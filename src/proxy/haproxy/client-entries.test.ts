import fc from "fast-check";
import { expect, test } from "vitest";
import { formatNetwork, maskNetwork } from "../../model/ip.ts";
import { clientEntries } from "./client-entries.ts";

test("networks are in order, each of the first class that names it", () => {
  const classes = [
    { name: "b2", networks: ["192.0.2.0/24", "2001:db8::/32"] },
    { name: "a1", networks: ["10.0.0.0/8", "192.0.2.0/24"] },
  ];
  const entries = clientEntries(classes);
  expect(entries).toEqual([
    ["10.0.0.0/8", "a1"],
    ["192.0.2.0/24", "b2"],
    ["2001:db8::/32", "b2"],
  ]);
  expect(clientEntries(classes)).toBe(entries);
});

test.each(["", "everywhere", "10.0.0.0", "10.0.0.0/8\n", "10.0.0.0/8 x", "a/8", "::/0;", "10.0.0/8", "::/"])(
  "%j is no network",
  (network) => {
    expect(clientEntries([{ name: "a1", networks: [network] }])).toEqual([]);
  },
);

test("every network that there is has an entry", () => {
  const network = fc
    .tuple(fc.constantFrom(4, 16), fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat({ max: 128 }))
    .map(([length, bytes, bits]) =>
      formatNetwork(maskNetwork({ family: length === 4 ? 4 : 6, bytes: bytes.subarray(0, length) }, Math.min(bits, 8 * length))),
    );
  fc.assert(
    fc.property(network, (text) => {
      expect(clientEntries([{ name: "a1", networks: [text] }])).toEqual([[text, "a1"]]);
    }),
  );
});
