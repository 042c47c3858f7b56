/** One scrape as bytes, written and handed out in parts, between which others have their turn. */
import { type ExpositionFormat, formatEnd, formatHead, formatSample, type MetricFamily } from "./exposition.ts";

/** All that a scrape tells, as it was when it was read. */
export interface Exposition {
  /** Of all parts together, bytes. */
  readonly length: number;
  /** Parts in their order, with time for others between them. They may be read once. */
  readonly parts: AsyncIterable<Uint8Array>;
}

/** Samples written in one go: about half a millisecond. */
const PART = 500;
/** Bytes handed out in one go: the kernel carries them over within some hundredths of a millisecond. */
const SENT_AT_ONCE = 1 << 16;

/** @param breathe lets others have their turn */
export async function writeExposition(
  families: Iterable<MetricFamily>,
  format: ExpositionFormat,
  breathe: () => Promise<void>,
): Promise<Exposition> {
  const parts: Uint8Array[] = [];
  let text = "";
  let written = 0;
  const endPart = (): void => {
    if (text !== "") parts.push(Buffer.from(text));
    text = "";
  };
  const rest = async (): Promise<void> => {
    written = 0;
    endPart();
    await breathe();
  };

  for (const family of families) {
    text += formatHead(family, format);
    if (family.kept !== undefined) {
      endPart();
      for (const block of family.kept()) {
        parts.push(block.bytes);
        written += block.written;
        if (written >= PART) await rest();
      }
      continue;
    }
    for (const sample of family.samples()) {
      text += formatSample(sample, format);
      written++;
      if (written < PART || (family.kind === "histogram" && !sample.name.endsWith("_count"))) continue; // its buckets add up
      await rest();
    }
  }
  text += formatEnd(format);
  endPart();
  return { length: parts.reduce((sum, { length }) => sum + length, 0), parts: handOut(parts, breathe) };
}

async function* handOut(parts: readonly Uint8Array[], breathe: () => Promise<void>): AsyncIterable<Uint8Array> {
  let sent = 0;
  for (const part of parts) {
    yield part;
    sent += part.length;
    if (sent < SENT_AT_ONCE) continue;
    sent = 0;
    await breathe();
  }
}
