import { expect, test } from "vitest";
import { readRecords, writeRecords } from "./record-file.ts";

async function written(records: readonly unknown[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  await writeRecords(records, async (bytes) => parts.push(bytes));
  return Buffer.concat(parts);
}

const records = [{ format: 1, text: "line\nbreak" }, [], { umlaut: "ü", nested: [{ a: null }] }, "x"];

test("records come back equal", async () => {
  expect(readRecords(await written(records))).toEqual(records);
  expect(readRecords(await written([]))).toEqual([]);
});

test("any damaged byte is noticed", async () => {
  const bytes = await written(records);
  for (let i = 0; i < bytes.length; i++) {
    const damaged = Buffer.from(bytes);
    damaged[i]! ^= 0x10;
    expect(readRecords(damaged)).toBeUndefined();
  }
});

test("so is a file that was cut at any place", async () => {
  const bytes = await written(records);
  for (let length = 0; length < bytes.length; length++) expect(readRecords(bytes.subarray(0, length))).toBeUndefined();
});

test("each record is written by itself, so that other work is done between them", async () => {
  const sizes: number[] = [];
  await writeRecords(["a", "b", "c"], async (bytes) => sizes.push(bytes.length));
  expect(sizes).toEqual([4, 4, 4, 65]);
});
