import fc from "fast-check";
import { expect, test } from "vitest";
import { createFrameReader, frameHead } from "./grpc-frames.ts";

const framed = (message: Uint8Array): Buffer => Buffer.concat([frameHead(message.length, message.subarray(0, 3)), message.subarray(3)]);

test("messages are what was framed, however their bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(framed));
        const { read } = createFrameReader();
        const seen: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + cuts[i % cuts.length]!;
          const chunk = Buffer.from(bytes.subarray(at, end));
          expect(read(chunk, (message) => seen.push(Uint8Array.from(message)))).toBeUndefined();
          chunk.fill(0xff); // it was borrowed
          at = end;
        }
        expect(seen).toEqual(messages);
      },
    ),
    { seed: 3 },
  );
});

test.each([
  ["compressed", "01 00000001 00"],
  ["compressed", "80 00000000"],
  ["too large", "00 04000001"],
] as const)("%s: %s is not read", (reason, hex) => {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  expect(createFrameReader().read(bytes, () => expect.unreachable())).toBe(reason);
});
