/** Views and copies of zones as sorted lines of text, `name TYPE ttl data`: what tests compare. */
import type { ZoneView } from "../../src/dns/transfer/zone-view.ts";
import { typeName } from "../../src/dns/wire/codes.ts";
import { formatRdata } from "../../src/dns/wire/format-rdata.ts";
import { decodeName } from "../../src/dns/wire/name.ts";

/** Every record of whole records with uncompressed names. */
export function recordLines(bytes: Uint8Array): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const owner = decodeName(bytes, at)!;
    const type = view.getUint16(owner.end);
    const end = owner.end + 10 + view.getUint16(owner.end + 8);
    const data = formatRdata(bytes, type, owner.end + 10, end);
    lines.push(`${owner.name} ${typeName(type)} ${view.getUint32(owner.end + 4)} ${data}`);
    at = end;
  }
  return lines;
}

export const viewLines = (view: Pick<ZoneView, "records">): readonly string[] => recordLines(view.records);
