/**
 * A MaxMind DB file (format 2.0) opened for walking: its search tree as an array, its distinct records decoded.
 *
 * `maxmind` decodes metadata and records. It offers look-ups but no walk, and to find every network by look-ups would take minutes, so
 * the search tree is read here: a node is two records of 24, 28 or 32 bits, a record below the node count is a node, equal to it
 * "nothing", above it a pointer into the data section.
 */
import { createHash } from "node:crypto";
import { type CountryResponse, Reader } from "maxmind";
import { formatIp } from "../model/ip.ts";
import { GeoFileError } from "./geo-file-error.ts";
import { type PlaceRecord, placeRecord } from "./place-record.ts";

export interface MmdbTree {
  /** SHA-256 of the file, hex. */
  readonly id: string;
  readonly databaseType: string;
  readonly ipVersion: 4 | 6;
  /** ms since the epoch. */
  readonly buildEpoch: number;
  /** Two entries a node, for bit 0 and bit 1: a node number, or ~record. */
  readonly children: Int32Array;
  /**
   * Node number or ~record. A file of version 4 holds nothing of IPv6, so its `v6Root` is ~0. The IPv4 tree cannot be reached from `v6Root`.
   */
  readonly v4Root: number;
  readonly v6Root: number;
  /** Record 0 is the empty one: networks that the file does not hold. */
  readonly records: readonly PlaceRecord[];
}

/** Bytes of zeros between the search tree and the data section. */
const SEPARATOR = 16;

/** Nodes that a walk may meet, where subtrees shared by several parents count once a parent. Above it the file is an attack or a mistake. */
const MAX_NODES = 2 ** 26;

/**
 * @param bytes the whole file; not kept
 * @param file  its name in errors
 * @throws {@link GeoFileError} for anything but a whole, sound file
 */
export function openMmdb(bytes: Buffer, file: string): MmdbTree {
  const reader = openReader(bytes, file);
  const { nodeCount, recordSize, ipVersion, databaseType, buildEpoch } = reader.metadata;
  const dataStart = (nodeCount * recordSize) / 4 + SEPARATOR;
  const metadataStart = bytes.lastIndexOf(METADATA_MARKER);
  if (dataStart > metadataStart)
    throw new GeoFileError("truncated", file, `search tree of ${nodeCount} nodes does not fit into ${bytes.length} bytes`);
  if (bytes.subarray(dataStart - SEPARATOR, dataStart).some((byte) => byte !== 0)) {
    throw new GeoFileError("corrupt", file, "search tree is not followed by 16 zero bytes");
  }
  const walk = readTree({
    bytes,
    file,
    reader,
    nodeCount,
    recordSize,
    bits: ipVersion === 4 ? 32 : 128,
    dataLength: metadataStart - dataStart,
  });
  const v4Root = ipVersion === 4 ? 0 : ipv4Root(walk.children);
  if (ipVersion === 6) cutAliases(walk.children, v4Root);
  return {
    id: createHash("sha256").update(bytes).digest("hex"),
    databaseType: String(databaseType),
    ipVersion: ipVersion === 4 ? 4 : 6,
    buildEpoch: buildEpoch.getTime(),
    ...walk,
    v4Root,
    v6Root: ipVersion === 4 ? ~0 : 0,
  };
}

const METADATA_MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");

/** The shape is not trusted: {@link placeRecord} looks at every field. */
type AnyReader = Reader<CountryResponse>;

function openReader(bytes: Buffer, file: string): AnyReader {
  if (!bytes.includes(METADATA_MARKER)) throw new GeoFileError("not-mmdb", file, "holds no MaxMind DB metadata");
  let reader: AnyReader;
  try {
    reader = new Reader<CountryResponse>(bytes);
  } catch (cause) {
    throw new GeoFileError("corrupt", file, "metadata cannot be decoded", cause);
  }
  const { nodeCount, ipVersion, binaryFormatMajorVersion: version, buildEpoch } = reader.metadata;
  if (version !== 2) throw new GeoFileError("unsupported", file, `MaxMind DB format version ${version}`);
  if (ipVersion !== 4 && ipVersion !== 6) throw new GeoFileError("unsupported", file, `IP version ${String(ipVersion)}`);
  if (nodeCount === 0) throw new GeoFileError("empty", file, "search tree has no nodes");
  if (!Number.isInteger(nodeCount) || nodeCount < 0) throw new GeoFileError("corrupt", file, `${String(nodeCount)} nodes`);
  if (nodeCount > MAX_NODES) throw new GeoFileError("too-large", file, `${nodeCount} nodes`);
  if (Number.isNaN(buildEpoch.getTime())) throw new GeoFileError("corrupt", file, "metadata holds no build date");
  return reader;
}

interface TreeInput {
  readonly bytes: Buffer;
  readonly file: string;
  readonly reader: AnyReader;
  readonly nodeCount: number;
  /** Bits: 24, 28 or 32; maxmind refuses all others. */
  readonly recordSize: number;
  /** Of an address. */
  readonly bits: 32 | 128;
  readonly dataLength: number;
}

const UNSEEN = 0;
const ON_PATH = 255;

function readTree({ bytes, file, reader, nodeCount, recordSize, bits, dataLength }: TreeInput) {
  const children = new Int32Array(2 * nodeCount);
  const records: PlaceRecord[] = [{}];
  const recordAt = new Map<number, number>();
  const address = new Uint8Array(bits / 8);
  /** Longest way down in nodes: {@link UNSEEN}, {@link ON_PATH} (meeting one is a cycle), or done. */
  const height = new Uint8Array(nodeCount);
  /** Nodes at and below, with shared subtrees counted each time. */
  const weight = new Float64Array(nodeCount);

  const corrupt = (fact: string, cause?: unknown) => new GeoFileError("corrupt", file, fact, cause);

  const decode = (): PlaceRecord => {
    const text = formatIp({ family: bits === 32 ? 4 : 6, bytes: address });
    try {
      return placeRecord(reader.get(text));
    } catch (cause) {
      throw corrupt(`record of ${text} cannot be decoded`, cause);
    }
  };

  const recordOf = (pointer: number): number => {
    if (pointer === nodeCount) return 0;
    let record = recordAt.get(pointer);
    if (record === undefined) {
      const offset = pointer - nodeCount - SEPARATOR;
      if (offset < 0 || offset >= dataLength) throw corrupt(`search tree points outside the file (record ${pointer})`);
      record = records.push(decode()) - 1;
      recordAt.set(pointer, record);
    }
    return record;
  };

  const visit = (node: number, depth: number): void => {
    if (height[node] === ON_PATH) throw corrupt(`search tree has a cycle through node ${node}`);
    if (depth + height[node]! > bits || depth >= bits) throw corrupt(`search tree is deeper than ${bits} bits`);
    if (height[node] !== UNSEEN) return;
    height[node] = ON_PATH;
    let tallest = 0;
    let below = 1;
    for (let side = 0; side < 2; side++) {
      const value = readRecord(bytes, recordSize, node, side);
      if (side === 1) address[depth >>> 3]! |= 0x80 >>> (depth & 7);
      if (value >= nodeCount) {
        children[2 * node + side] = ~recordOf(value);
      } else {
        visit(value, depth + 1);
        children[2 * node + side] = value;
        tallest = Math.max(tallest, height[value]!);
        below += weight[value]!;
      }
    }
    address[depth >>> 3]! &= ~(0x80 >>> (depth & 7));
    height[node] = tallest + 1;
    weight[node] = below;
  };

  visit(0, 0);
  if (weight[0]! > MAX_NODES) throw new GeoFileError("too-large", file, `search tree unfolds to ${weight[0]} nodes`);
  return { children, records };
}

function readRecord(bytes: Buffer, recordSize: number, node: number, side: number): number {
  const at = (node * recordSize) / 4;
  switch (recordSize) {
    case 24: {
      const b = at + 3 * side;
      return (bytes[b]! << 16) | (bytes[b + 1]! << 8) | bytes[b + 2]!;
    }
    case 28: {
      // The middle byte holds the top four bits of both: left's high, right's low.
      const middle = bytes[at + 3]!;
      const b = at + 4 * side;
      return ((side === 0 ? middle >>> 4 : middle & 15) << 24) | (bytes[b]! << 16) | (bytes[b + 1]! << 8) | bytes[b + 2]!;
    }
    default:
      return bytes.readUInt32BE(at + 4 * side);
  }
}

/** In a file of version 6 the IPv4 tree lies below ::/96. */
function ipv4Root(children: Int32Array): number {
  let at = 0;
  for (let bit = 0; bit < 96 && at >= 0; bit++) at = children[2 * at]!;
  return at;
}

/**
 * IPv6 addresses that embed IPv4 ones lead into the IPv4 tree: ::/96 in every file, ::ffff:0:0/96 and 2002::/16 in MaxMind's own. Nobody's
 * queries come from there (a mapped address is taken for the IPv4 one that it is), and each would be one more copy of all IPv4 networks.
 */
function cutAliases(children: Int32Array, v4Root: number): void {
  if (v4Root < 0) return;
  for (let i = 0; i < children.length; i++) if (children[i] === v4Root) children[i] = ~0;
}
