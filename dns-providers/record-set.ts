/** RRsets as providers keep them, in one form whatever their API looks like. Pure. */

export interface RecordSet {
  /** Lower case, absolute, without the trailing dot. */
  readonly name: string;
  /** `A`, `TXT`, … or `TYPE65280` (RFC 3597 §5). */
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  /** RDATA in presentation form (RFC 1035 §5.1), names in it absolute with the trailing dot; at least one, no order. */
  readonly values: readonly string[];
}

/** Identifies a set within a zone. */
export const recordSetKey = ({ name, type }: Pick<RecordSet, "name" | "type">): string => `${name} ${type}`;

/** Whether a zone with one in the place of the other would give the same answers. */
export function sameRecordSet(a: RecordSet, b: RecordSet): boolean {
  if (a.ttl !== b.ttl || a.name !== b.name || a.type !== b.type) return false;
  const values = new Set(a.values);
  return values.size === new Set(b.values).size && b.values.every((value) => values.has(value));
}

/** Names of one zone with parents before children, otherwise as texts; any order would do that is the same everywhere. */
export function inOwnerOrder(names: Iterable<string>): readonly string[] {
  const keyed = Array.from(names, (name) => ({ name, key: name.split(".").reverse().join("\0") }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ name }) => name);
}

/** TXT data of one text, cut into character-strings of 255 bytes (RFC 1035 §3.3.14). @param text printable ASCII */
export function formatText(text: string): string {
  const pieces = text.match(/.{1,255}/gs) ?? [""];
  return pieces.map((piece) => `"${piece.replaceAll(/["\\]/g, "\\$&")}"`).join(" ");
}

/** The text of TXT data: its character-strings joined. Undefined when it is no such data; escapes of bytes are left as they are. */
export function parseText(data: string): string | undefined {
  if (!/^"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")*$/s.test(data)) return undefined;
  const pieces = data.match(/"(?:[^"\\]|\\.)*"/gs) ?? [];
  return pieces.map((piece) => piece.slice(1, -1).replaceAll(/\\(["\\])/g, "$1")).join("");
}
