import { describe, expect, test } from "vitest";
import { patternCheck, patternSource } from "./pattern.ts";

async function read(size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of patternSource(size).stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("bytes of which every place is known", () => {
  test.each([0, 1, 65_536, 1_048_573, 2_500_000])("%i bytes are so many, and as they should be however they are cut", async (size) => {
    const bytes = await read(size);
    const check = patternCheck();
    for (let at = 0; at < size; at += 100_003) check.take(bytes.subarray(at, at + 100_003));
    expect([bytes.length, check.taken(), check.wrongAt()]).toEqual([size, size, undefined]);
  });

  const faults: readonly { name: string; spoil: (bytes: Buffer) => Buffer }[] = [
    { name: "a byte is changed", spoil: (bytes) => bytes.fill(bytes[1_500_000]! ^ 1, 1_500_000, 1_500_001) },
    { name: "a buffer is lost", spoil: (bytes) => Buffer.concat([bytes.subarray(0, 1_500_000), bytes.subarray(1_500_000 + (64 << 10))]) },
    {
      name: "a buffer comes twice",
      spoil: (bytes) => Buffer.concat([bytes.subarray(0, 1_500_000), bytes.subarray(1_500_000 - (64 << 10))]),
    },
  ];
  test.each(faults)("$name: it is told where", async ({ spoil }) => {
    const check = patternCheck();
    check.take(spoil(await read(2_000_000)));
    expect(check.wrongAt()).toBeGreaterThan(1_500_000 - (64 << 10) - 1);
    expect(check.wrongAt()).toBeLessThanOrEqual(1_500_000);
  });
});
