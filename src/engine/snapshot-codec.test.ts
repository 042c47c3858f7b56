import { expect, test } from "vitest";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-codec.ts";

const value = {
  id: "x",
  nested: [{ bytes: Uint8Array.of(1, 2, 3), shorts: Uint16Array.of(500) }],
  floats: Float64Array.of(Math.PI, Number.POSITIVE_INFINITY),
  words: Uint32Array.of(0xffff_ffff),
  signed: Int32Array.of(-1),
  empty: new Uint8Array(0),
};

test("a snapshot comes back equal, with its arrays over shared memory", () => {
  const back = decodeSnapshot(encodeSnapshot(value)) as typeof value;
  expect(back).toEqual(value);
  expect(back.floats.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("any damaged byte is noticed", () => {
  const bytes = encodeSnapshot(value);
  for (let i = 0; i < bytes.length; i += 7) {
    const damaged = Buffer.from(bytes);
    damaged[i]! ^= 0x10;
    expect(decodeSnapshot(damaged)).toBeUndefined();
  }
});

test.each([0, 10, 44, -1])("a snapshot cut to %i bytes is refused", (length) => {
  const bytes = encodeSnapshot(value);
  expect(decodeSnapshot(bytes.subarray(0, length < 0 ? bytes.length + length : length))).toBeUndefined();
});
