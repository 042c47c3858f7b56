/** Writes small MaxMind DB files (format 2.0) for tests: https://maxmind.github.io/MaxMind-DB/ */
import { maskNetwork, type Network, parseNetwork } from "../../src/model/ip.ts";

export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

export interface MmdbEntry {
  /** CIDR. Of overlapping networks the longer one holds. */
  readonly network: string;
  /** Nested (`{country: {iso_code: "DE"}}`) or flat (`{country_code: "DE"}`): it is written as it is. */
  readonly record: Json;
}

export interface MmdbOptions {
  /** 6 holds IPv4 below ::/96; 4 refuses IPv6 networks. Default 6. */
  readonly ipVersion?: 4 | 6;
  /** Bits. Default 24. */
  readonly recordSize?: 24 | 28 | 32;
  /** Lets ::ffff:0:0/96 and 2002::/16 point to the IPv4 tree, as MaxMind's own files do. Default false. */
  readonly aliases?: boolean;
  /** Unused bytes before the first record, so that a small file needs large pointers. Default 0. */
  readonly padding?: number;
  readonly databaseType?: string;
  /** Seconds since the epoch. */
  readonly buildEpoch?: number;
}

/** Below a bit: a subtree, a data record by its index, or nothing. */
type Below = Node | number | undefined;
type Node = [Below, Below];

/** @returns the bytes of the file. */
export function writeMmdb(entries: readonly MmdbEntry[], options: MmdbOptions = {}): Buffer {
  const { ipVersion = 6, recordSize = 24, aliases = false, padding = 0, databaseType = "Test", buildEpoch = 1_767_225_600 } = options;
  const data = new DataSection(padding);
  const root: Node = [undefined, undefined];
  const parsed = entries.map(({ network, record }) => ({ network: embed(network, ipVersion), record: data.add(record) }));
  for (const { network, record } of parsed.toSorted((a, b) => a.network.length - b.network.length)) insert(root, network, record);
  if (aliases) {
    const v4 = below(root, embed("0.0.0.0/0", 6));
    insert(root, parseNetwork("::ffff:0:0/96")!, v4);
    insert(root, parseNetwork("2002::/16")!, v4);
  }
  const nodes = number(root);
  const tree = Buffer.concat([...nodes.keys()].map((node) => writeNode(node, nodes, data, recordSize)));
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: buildEpoch,
    database_type: databaseType,
    description: { en: "written by a test" },
    ip_version: ipVersion,
    languages: ["en"],
    node_count: nodes.size,
    record_size: recordSize,
  });
  return Buffer.concat([tree, Buffer.alloc(16), data.bytes(), Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"), metadata]);
}

function embed(text: string, ipVersion: 4 | 6): Network {
  const network = parseNetwork(text);
  if (network === undefined) throw new Error(`${text} is not a network`);
  if (network.family === ipVersion) return network;
  if (ipVersion === 4) throw new Error(`${text} does not fit into a file of IP version 4`);
  const bytes = new Uint8Array(16);
  bytes.set(network.bytes, 12);
  return { family: 6, bytes, length: network.length + 96 };
}

const bitOf = (network: Network, bit: number): 0 | 1 => (((network.bytes[bit >>> 3]! >>> (7 - (bit & 7))) & 1) === 0 ? 0 : 1);

function insert(root: Node, network: Network, value: Below): void {
  if (network.length === 0) {
    root[0] = value;
    root[1] = value;
    return;
  }
  let node = root;
  for (let bit = 0; bit < network.length - 1; bit++) {
    const side = bitOf(network, bit);
    const next = node[side];
    const child: Node = Array.isArray(next) ? next : [next, next]; // a shorter network's record holds around the longer one
    node[side] = child;
    node = child;
  }
  node[bitOf(network, network.length - 1)] = value;
}

function below(root: Node, network: Network): Below {
  let at: Below = root;
  for (let bit = 0; bit < network.length && Array.isArray(at); bit++) at = at[bitOf(maskNetwork(network, network.length), bit)];
  return at;
}

/** Nodes in the order of their numbers; a node that several places point to is there once. */
function number(root: Node): Map<Node, number> {
  const numbers = new Map<Node, number>([[root, 0]]);
  for (const [left, right] of numbers.keys()) {
    for (const child of [left, right]) if (Array.isArray(child) && !numbers.has(child)) numbers.set(child, numbers.size);
  }
  return numbers;
}

function writeNode(node: Node, nodes: ReadonlyMap<Node, number>, data: DataSection, recordSize: number): Buffer {
  const value = (child: Below): number => {
    if (child === undefined) return nodes.size;
    return Array.isArray(child) ? nodes.get(child)! : nodes.size + 16 + data.offset(child);
  };
  const [left, right] = [value(node[0]), value(node[1])];
  const out = Buffer.alloc(recordSize / 4);
  if (recordSize === 32) {
    out.writeUInt32BE(left, 0);
    out.writeUInt32BE(right, 4);
  } else {
    out.writeUIntBE(left & 0xff_ffff, 0, 3);
    out.writeUIntBE(right & 0xff_ffff, out.length - 3, 3);
    if (recordSize === 28) out[3] = ((left >>> 24) << 4) | (right >>> 24);
  }
  return out;
}

/** Owns the records; equal ones are written once. */
class DataSection {
  private readonly indices = new Map<string, number>();
  private readonly chunks: Buffer[] = [];
  private readonly offsets: number[] = [];
  private readonly padding: number;
  private length: number;

  constructor(padding: number) {
    this.padding = padding;
    this.length = padding;
  }

  add(record: Json): number {
    const key = JSON.stringify(record);
    const known = this.indices.get(key);
    if (known !== undefined) return known;
    const bytes = encode(record);
    this.indices.set(key, this.chunks.length);
    this.offsets.push(this.length);
    this.length += bytes.length;
    return this.chunks.push(bytes) - 1;
  }

  offset(index: number): number {
    return this.offsets[index]!;
  }

  bytes(): Buffer {
    return Buffer.concat([Buffer.alloc(this.padding), ...this.chunks]);
  }
}

const Type = { string: 2, double: 3, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11, boolean: 14 } as const;

/** A value as in the data section. Whole numbers of 0..2³²−1 become uint32, all others doubles. */
export function encode(value: Json): Buffer {
  if (typeof value === "string") {
    const bytes = Buffer.from(value);
    return Buffer.concat([control(Type.string, bytes.length), bytes]);
  }
  if (typeof value === "boolean") return control(Type.boolean, value ? 1 : 0);
  if (typeof value === "number") {
    if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff && !Object.is(value, -0)) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return Buffer.concat([control(Type.uint32, 4), bytes]);
    }
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return Buffer.concat([control(Type.double, 8), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(Type.array, value.length), ...value.map(encode)]);
  const fields = Object.entries(value);
  return Buffer.concat([control(Type.map, fields.length), ...fields.flatMap(([key, field]) => [encode(key), encode(field)])]);
}

/** Control byte: type in the top three bits (0 = extended, then type − 7 in the next byte), size in the low five, with one more byte from 29 on. */
function control(type: number, size: number): Buffer {
  if (size >= 29 + 256) throw new Error(`a test record of ${size} bytes or entries is too large for this writer`);
  const low = Math.min(size, 29);
  const bytes = type <= 7 ? [(type << 5) | low] : [low, type - 7];
  return Buffer.from(size >= 29 ? [...bytes, size - 29] : bytes);
}
