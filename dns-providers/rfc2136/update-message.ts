/**
 * UPDATE messages (RFC 2136 §2): a zone, what must hold there, and what is to be changed, all or nothing.
 *
 * ```
 * header, OPCODE 5 · zone: apex SOA IN · prerequisites · updates
 * RRset exists, these values  CLASS IN   TTL 0  RDATA of each     §2.4.2
 * RRset does not exist        CLASS NONE TTL 0  no RDATA          §2.4.3
 * add to an RRset             CLASS IN   TTL    RDATA             §2.5.1
 * delete an RRset             CLASS ANY  TTL 0  no RDATA          §2.5.2
 * ```
 */
import { Class, Opcode, Type } from "../../src/dns/wire/codes.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import { encodeRdata } from "../../src/dns/wire/rdata.ts";
import { encodeAlpn } from "../../src/dns/wire/svcb.ts";
import type { Change } from "../change.ts";
import type { ChangeBatch } from "../provider.ts";
import type { RecordSet } from "../record-set.ts";

/** What can be published here. */
export const UPDATE_TYPES = ["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "SRV", "TXT"] as const;
type UpdateType = (typeof UPDATE_TYPES)[number];

/** Over TCP (RFC 1035 §4.2.2), less the header, the zone and a signature. */
export const MAX_UPDATE = 0xffff - 1024;
const NONE = 254;
const FIXED = 10;
/** Behind this no pointer leads (RFC 1035 §4.1.4). */
const POINTABLE = 0x3fff;

/**
 * Bytes that a change takes at most: of a name only the domain is sure to be a pointer.
 *
 * @param domain the zone's apex
 */
export function updateCost(change: Change, domain: string): number {
  const { name } = change.action === "Delete" ? change.before : change.after;
  const head = Math.max(0, name.length - domain.length) + 2 + FIXED;
  if (change.action === "Delete") return head;
  const { type, values } = change.after;
  const first = head; // the prerequisite of a new set, the removal of an old one
  return values.reduce((sum, value) => sum + head + (ADDRESS_BYTES[type] ?? value.length + 2), first + fenceCost(change, head));
}

/** A fence that is replaced is told whole as a prerequisite too; no other change is known to be none. */
const fenceCost = (change: Change, head: number): number =>
  change.action === "Replace" && change.after.type === "TXT"
    ? change.before.values.reduce((sum, value) => sum + head + value.length, 0)
    : 0;

const ADDRESS_BYTES: Readonly<Record<string, number>> = { A: 4, AAAA: 16 };

/**
 * @param id     of the message
 * @param domain the zone's apex
 * @returns undefined when a name or a value is none
 */
export function encodeUpdate(id: number, domain: string, { fence, changes }: ChangeBatch): Uint8Array | undefined {
  const out = createWriter();
  const must = (change: Change): number => {
    // A new set must not be there, so that nothing of others is ever added to. Of what is ours the fence is asked alone: it changes with
    // every write of ours, and a batch then has room for a cluster's worth of names.
    if (change.action === "Create") return out.record(change.after.name, change.after.type, NONE, 0);
    return change === fence ? out.records(change.before, 0) : 0;
  };
  const make = (change: Change): number => {
    if (change.action === "Delete") return out.record(change.before.name, change.before.type, Class.ANY, 0);
    const emptied = change.action === "Create" ? 0 : out.record(change.after.name, change.after.type, Class.ANY, 0);
    return emptied + out.records(change.after, change.after.ttl);
  };
  const all = [fence, ...changes];
  out.head(id, domain);
  const prerequisites = all.reduce((sum, change) => sum + must(change), 0);
  const updates = all.reduce((sum, change) => sum + make(change), 0);
  return out.finish(prerequisites, updates);
}

interface Writer {
  head(id: number, domain: string): void;
  /** A record without data. @returns 1 */
  record(name: string, type: string, classCode: number, ttl: number): number;
  /** Of class IN. @returns how many */
  records(set: RecordSet, ttl: number): number;
  finish(prerequisites: number, updates: number): Uint8Array | undefined;
}

function createWriter(): Writer {
  let bytes = new Uint8Array(2048);
  let at = 0;
  let isWhole = true;
  const offsets = new Map<string, number>();

  function put(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      while (at + part.length > bytes.length) {
        const more = new Uint8Array(2 * bytes.length);
        more.set(bytes);
        bytes = more;
      }
      bytes.set(part, at);
      at += part.length;
    }
  }

  /** Names are compressed where labels of the text can be told apart by their dots. */
  function putName(name: string): void {
    if (name.includes("\\")) {
      const whole = encodeName(name);
      if (whole === undefined) isWhole = false;
      else put(whole);
      return;
    }
    const labels = name.split(".");
    for (let i = 0; i < labels.length; i++) {
      const rest = labels.slice(i).join(".");
      const seen = offsets.get(rest);
      if (seen !== undefined) {
        put(uint16(0xc000 | seen));
        return;
      }
      if (at <= POINTABLE) offsets.set(rest, at);
      const label = encodeName(labels[i]!);
      if (label === undefined) {
        isWhole = false;
        return;
      }
      put(label.subarray(0, -1));
    }
    put(Uint8Array.of(0));
  }

  function putRecord(name: string, type: string, classCode: number, ttl: number, rdata: Uint8Array): void {
    putName(name);
    put(uint16(Reflect.get(Type, type) as number), uint16(classCode), uint32(ttl), uint16(rdata.length), rdata);
  }

  return {
    head(id, domain) {
      put(uint16(id), uint16(Opcode.UPDATE << 11), uint16(1), uint16(0), uint16(0), uint16(0));
      putName(domain);
      put(uint16(Type.SOA), uint16(Class.IN));
    },
    record(name, type, classCode, ttl) {
      if (!isUpdateType(type)) isWhole = false;
      else putRecord(name, type, classCode, ttl, new Uint8Array(0));
      return 1;
    },
    records({ name, type, values }, ttl) {
      for (const value of values) {
        const rdata = isUpdateType(type) ? rdataOf(type, value) : undefined;
        if (rdata === undefined) isWhole = false;
        else putRecord(name, type, Class.IN, ttl, rdata);
      }
      return values.length;
    },
    finish(prerequisites, updates) {
      if (!isWhole || prerequisites > 0xffff || updates > 0xffff) return undefined;
      bytes.set([...uint16(prerequisites), ...uint16(updates)], 6);
      return bytes.slice(0, at);
    },
  };
}

function rdataOf(type: UpdateType, value: string): Uint8Array | undefined {
  if (type === "HTTPS") return encodeAlpn(value);
  const rdata = encodeRdata(type, value, ".");
  return "value" in rdata ? rdata.value : undefined;
}

const isUpdateType = (type: string): type is UpdateType => UPDATE_TYPES.some((one) => one === type);
const uint16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);
const uint32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
