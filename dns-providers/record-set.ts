/** RRsets as providers keep them, in one form whatever their API looks like. Pure. */

export interface RecordSet {
  /** Lower case, absolute, without the trailing dot. */
  readonly name: string;
  /** `A`, `TXT`, … or `TYPE65280` (RFC 3597 §5). */
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  /** RDATA in presentation form (RFC 1035 §5.1), names in it absolute with the trailing dot; at least one, no order. None with an alias. */
  readonly values: readonly string[];
  /** Present where several sets have one name and type: which of them this is, and who is answered with it. */
  readonly routing?: SetRouting;
  /** In place of values and TTL: clients get what another name has. */
  readonly alias?: Alias;
  /** The set is answered only while this holds, as far as another one's does. */
  readonly healthCheck?: HealthCheck;
}

export interface SetRouting {
  /** 1..128 characters, unique at the name and type. */
  readonly id: string;
  readonly by: SetPolicy;
}

/** Who is answered with a set, in the terms that providers share. All sets of one name and type have the same kind. */
export type SetPolicy =
  /** In proportion to whole numbers, 0..255. */
  | { readonly kind: "Weighted"; readonly weight: number }
  /** Clients for whom a cloud's region is the fastest by the provider's own measurements. */
  | { readonly kind: "Latency"; readonly region: string }
  /** Clients in a continent, in a country, in a subdivision (ISO 3166-2); none of them: everybody else. The finest that matches wins. */
  | { readonly kind: "Geo"; readonly continent?: string; readonly country?: string; readonly subdivision?: string }
  /** Clients that are nearest to a point, degrees; bias as a backend's, -99..99. */
  | { readonly kind: "GeoProximity"; readonly latitude: number; readonly longitude: number; readonly bias: number }
  | { readonly kind: "Failover"; readonly role: "Primary" | "Secondary" }
  /** Everybody, with some of the values of the sets that are healthy. */
  | { readonly kind: "MultiValue" }
  /** Clients in one of the subnets (canonical CIDR), the longest that matches; none: everybody else. */
  | { readonly kind: "Subnets"; readonly subnets: readonly string[] };

export type PolicyOf<Kind extends SetPolicy["kind"]> = Extract<SetPolicy, { readonly kind: Kind }>;

export interface Alias {
  /** Lower case, absolute, without the trailing dot. */
  readonly target: string;
  /** The provider's id of the zone that has the target; absent: this one. */
  readonly zone?: string;
  /** The set counts as unhealthy while its target does. */
  readonly followsHealth: boolean;
}

/** A check that the provider makes by itself. */
export interface HealthCheck {
  readonly type: "HTTP" | "HTTPS" | "TCP";
  /** IPv4 or IPv6, canonical. */
  readonly address: string;
  readonly port: number;
  /** HTTP and HTTPS: Host header and SNI, and the path that is asked for. */
  readonly host?: string;
  readonly path?: string;
  /** What the beginning of the body must have. */
  readonly body?: string;
  /** Seconds. */
  readonly interval: 10 | 30;
  /** In a row, 1..10, to change its mind either way. */
  readonly threshold: number;
}

/** Identifies a set within a zone. */
export const recordSetKey = ({ name, type, routing }: Pick<RecordSet, "name" | "type" | "routing">): string =>
  routing === undefined ? `${name} ${type}` : `${name} ${type} ${routing.id}`;

/** Whether a zone with one in the place of the other would give the same answers. */
export function sameRecordSet(a: RecordSet, b: RecordSet): boolean {
  if (a === b) return true;
  if (a.ttl !== b.ttl || recordSetKey(a) !== recordSetKey(b)) return false;
  if (!sameValue(a.routing, b.routing) || !sameValue(a.alias, b.alias) || !sameValue(a.healthCheck, b.healthCheck)) return false;
  const values = new Set(a.values);
  return values.size === new Set(b.values).size && b.values.every((value) => values.has(value));
}

/** Of plain values, whatever order their members were written in. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [left, right] = [Object.entries(a), Object.entries(b)].map((entries) => entries.filter(([, value]) => value !== undefined));
  if (left!.length !== right!.length || Array.isArray(a) !== Array.isArray(b)) return false;
  const others = new Map(right);
  return left!.every(([key, value]) => others.has(key) && sameValue(value, others.get(key)));
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
