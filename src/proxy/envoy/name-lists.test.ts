import fc from "fast-check";
import { expect, test } from "vitest";
import { decode, encode } from "./api/codec.ts";
import { createNameLists } from "./name-lists.ts";

const REQUEST = "envoy.service.discovery.v3.DiscoveryRequest";
const FIELD = 3;

test("names and the rest are what the message says", () => {
  const { take } = createNameLists();
  const name = fc.string({ unit: "grapheme", maxLength: 200 });
  fc.assert(
    fc.property(fc.array(fc.array(name, { maxLength: 5 }), { minLength: 1, maxLength: 50 }), (lists) => {
      for (const resourceNames of lists) {
        const message = { node: { id: "edge-1" }, resourceNames, typeUrl: "type", responseNonce: "7" };
        const { names, rest } = take(encode(REQUEST, message), FIELD)!;
        expect(names).toEqual(resourceNames);
        expect(decode(REQUEST, rest)).toEqual(decode(REQUEST, encode(REQUEST, { ...message, resourceNames: [] })));
      }
    }),
    { seed: 5, numRuns: 50 },
  );
});

test("equal lists are one object, whoever says them", () => {
  const { take } = createNameLists();
  const [first, second, other] = [
    ["a", "b"],
    ["a", "b"],
    ["a", "c"],
  ].map((resourceNames, i) => take(encode(REQUEST, { resourceNames, responseNonce: String(i) }), FIELD)!.names);
  expect(second).toBe(first);
  expect(other).toEqual(["a", "c"]);
});

test.each([
  ["other fields between them", "1a 01 61 22 01 78 1a 01 62"],
  ["bytes that end too early", "1a 05 61"],
  ["a length without an end", "1a ff ff ff ff ff"],
  ["a field of another kind", "18 07"],
])("%s: left to the codec", (_, hex) => {
  expect(createNameLists().take(Buffer.from(hex.replaceAll(" ", ""), "hex"), FIELD)).toBeUndefined();
});

test("whatever the bytes are, the codec reads the same of them, or they are left to it", () => {
  const { take } = createNameLists();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      const taken = take(bytes, FIELD);
      if (taken === undefined) return;
      let whole: ReturnType<typeof decode<typeof REQUEST>> | undefined;
      try {
        whole = decode(REQUEST, bytes);
      } catch {
        expect(() => decode(REQUEST, taken.rest)).toThrow();
        return;
      }
      expect({ ...decode(REQUEST, taken.rest), resourceNames: taken.names }).toEqual(whole);
    }),
    { seed: 9, numRuns: 20_000 },
  );
});
