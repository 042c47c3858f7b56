/**
 * Many JSON values in one file, written and read whole or not at all. They are written one by one, so that a large world holds up the
 * process for no longer than its largest value.
 *
 * ```
 * value\n value\n …  SHA-256 of all before, 64 hexadecimal digits\n
 * ```
 */
import { createHash } from "node:crypto";

/** Length of the last line. */
const DIGEST_LINE = 65;
const NEWLINE = 10;

const digest = (): ReturnType<typeof createHash> => createHash("sha256");

/** @param write appends bytes to the file; other work is done meanwhile */
export async function writeRecords(records: Iterable<unknown>, write: (bytes: Uint8Array) => Promise<unknown>): Promise<void> {
  const hash = digest();
  for (const record of records) {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    hash.update(line);
    await write(line);
  }
  await write(Buffer.from(`${hash.digest("hex")}\n`));
}

/** @returns undefined for bytes that are not a whole, undamaged file of records */
export function readRecords(bytes: Buffer): readonly unknown[] | undefined {
  const end = bytes.length - DIGEST_LINE;
  if (end < 0 || bytes.toString("latin1", end) !== `${digest().update(bytes.subarray(0, end)).digest("hex")}\n`) return undefined;
  const records: unknown[] = [];
  for (let at = 0; at < end; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    records.push(JSON.parse(bytes.toString("utf8", at, newline)));
    at = newline + 1;
  }
  return records;
}
