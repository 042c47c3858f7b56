import fc from "fast-check";
import { expect, test } from "vitest";
import { garbageCollector } from "../../src/dns/collect-garbage.ts";
import { createLineReader } from "./watch-lines.ts";

test("however the bytes are cut, the values are the same", () => {
  const line = fc.anything({ maxDepth: 2 }).map((value) => JSON.stringify(value) ?? "null");
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, sizes) => {
      const bytes = new TextEncoder().encode(lines.map((one) => `${one}\n`).join("\r\n"));
      const seen: unknown[] = [];
      const read = createLineReader((value) => void seen.push(value));
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length]!;
        const chunk = bytes.slice(at, at + size);
        read(chunk);
        chunk.fill(0); // the socket's memory is used again
        at += size;
      }
      expect(seen).toEqual(lines.map((one) => JSON.parse(one)));
    }),
  );
});

test("a line without its end is not read yet", () => {
  const seen: unknown[] = [];
  const read = createLineReader((value) => void seen.push(value));
  read(Buffer.from('{"a":'));
  read(Buffer.from("1}"));
  expect(seen).toEqual([]);
  read(Buffer.from("\n"));
  expect(seen).toEqual([{ a: 1 }]);
});

test.each([
  { name: "no JSON", bytes: Buffer.from("secret\n"), says: "a line is not JSON" },
  { name: "no UTF-8", bytes: Buffer.from([0x22, 0xff, 0x22, 0x0a]), says: "a line is not UTF-8" },
  { name: "too long", bytes: Buffer.alloc(101, 0x20), says: "a line is longer than 100 bytes" },
])("$name is refused, and not quoted", ({ bytes, says }) => {
  expect(() => createLineReader(() => undefined, 100)(bytes)).toThrow(new SyntaxError(says));
});

test("many lines in one chunk may be longer together", () => {
  let lines = 0;
  createLineReader(() => lines++, 10)(Buffer.from("123456\n".repeat(100)));
  expect(lines).toBe(100);
});

test("a line in chunks of one byte holds little more than its size", () => {
  const read = createLineReader(() => undefined);
  const before = held();
  for (let i = 0; i < 500_000; i++) read(Buffer.from("x"));
  expect(held() - before).toBeLessThan(20 * 1024 * 1024); // it was 70 MiB
});

const collect = garbageCollector();
/** Bytes, without what other tests of this process left behind. */
const held = (): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
