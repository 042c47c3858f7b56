import fc from "fast-check";
import { expect, test } from "vitest";
import { dnsWorld } from "../../../test/support/dns-world.ts";
import { Type } from "../wire/codes.ts";
import { encodeQuery } from "../wire/encode-query.ts";
import type { Batch } from "./batch.ts";
import { HEADER_WORDS, SLOT } from "./batch.ts";
import { warmPlaces } from "./warm-places.ts";

const { routing } = dnsWorld();

/** What {@link warmPlaces} reads of a batch of one message. */
function batchOf(message: Uint8Array, sender = Uint8Array.of(2, 0, 0x14, 0xe9, 192, 0, 2, 9)): Batch {
  const slot = new Uint8Array(SLOT);
  slot.set(message);
  const words = new Uint32Array(HEADER_WORDS);
  words[0] = message.length;
  return {
    slots: [slot],
    views: [],
    senders: [sender],
    words,
    receivedWord: 0,
    lengthWord: 0,
    headers: 0,
    headerSize: 64,
    reset: () => {},
  };
}

const query = (subnet?: readonly number[]): Uint8Array =>
  encodeQuery({
    id: 1,
    name: "shop.example.org",
    type: Type.A,
    ...(subnet === undefined ? {} : { edns: { clientSubnet: { family: 4, source: 24, address: Uint8Array.from(subnet) } } }),
  });

test("looks up the subnet of a query that ends in one, else its sender", () => {
  const bySubnet = warmPlaces(routing, batchOf(query([198, 51, 100])), 1, false);
  const bySender = warmPlaces(routing, batchOf(query(), Uint8Array.of(2, 0, 0, 0, 198, 51, 100, 0)), 1, false);
  const other = warmPlaces(routing, batchOf(query()), 1, true);
  expect(bySubnet).toBe(bySender);
  expect(bySubnet).toBe(warmPlaces(routing, batchOf(query([198, 51, 100])), 1, true));
  expect(other).toBe(0); // an IPv6 sender is not looked up
});

test("takes any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: SLOT }), fc.boolean(), (bytes, isV6) => {
      expect(Number.isInteger(warmPlaces(routing, batchOf(bytes), 1, isV6))).toBe(true);
    }),
  );
});
