/**
 * Gives copies of zones to those who may have them: AXFR (RFC 5936) and IXFR (RFC 1995), signed with TSIG (RFC 8945) where the request was.
 * The transport hands over the request and sends what the stream makes.
 */
import type { Zone } from "../../model/inventory.ts";
import { formatIp, formatNetwork, type Ip, maskNetwork } from "../../model/ip.ts";
import type { Source } from "../source.ts";
import { ExtendedError, Rcode, Type } from "../wire/codes.ts";
import { decodeName } from "../wire/name.ts";
import { decodeQuery, HEADER, newQuery, type Query } from "../wire/query.ts";
import { writeError } from "./signed-answer.ts";
import { ipOf, isAllowed, type TransferRule, transferRules } from "./transfer-rules.ts";
import { changesSince, clientSerial, type MessageStream, messageStream, wholeZone } from "./transfer-stream.ts";
import { appendTsig, appendTsigError, type TsigKey, type TsigVerdict, verifyTsig } from "./tsig.ts";
import type { ZoneView } from "./zone-view.ts";

export interface TransferLimits {
  /** Copies that are under way at once. */
  readonly transfers: number;
  /** Of them for one IPv4 address or IPv6 /64. */
  readonly perSource: number;
}

export const TRANSFER_LIMITS: TransferLimits = { transfers: 32, perSource: 8 };

export type TransferResult = "sent" | "current" | "refused" | "busy" | "aborted" | "failed";

/** What became of one request. */
export interface TransferReport {
  /** Empty when the request names no zone of ours. */
  readonly domain: string;
  readonly type: "AXFR" | "IXFR";
  readonly result: TransferResult;
  readonly serial?: number;
  readonly client: string;
  /** Name of the key that signed the request. */
  readonly key?: string;
  readonly bytes: number;
}

export interface Transfer extends MessageStream {
  /** The connection has ended; without effect after the last message. */
  readonly close: () => void;
}

export interface TransferService {
  /** Gives these views from now on; a transfer that is under way ends with the view that it began with. */
  readonly use: (views: readonly ZoneView[], zones: readonly Zone[], keys: readonly TsigKey[]) => void;
  /** The keys in use. */
  readonly keys: () => readonly TsigKey[];
  /**
   * Begins to answer a request.
   *
   * @param query  an AXFR or IXFR query that decodes; borrowed until this returns
   * @param source borrowed until this returns
   */
  readonly open: (query: Uint8Array, length: number, source: Source) => Transfer;
}

export interface TransferServiceOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onReport: (report: TransferReport) => void;
  readonly limits?: Partial<TransferLimits>;
}

interface Served {
  readonly rules: readonly TransferRule[] | undefined;
  readonly view: ZoneView | undefined;
}

/** What is told of a request whatever becomes of it. */
type About = Pick<TransferReport, "domain" | "type" | "client" | "key">;

export function createTransferService({ now, onReport, limits }: TransferServiceOptions): TransferService {
  const { transfers: most, perSource: mostPerSource } = { ...TRANSFER_LIMITS, ...limits };
  let served: ReadonlyMap<string, Served> = new Map();
  let keys: readonly TsigKey[] = [];
  let underWay = 0;
  const bySource = new Map<string, number>();

  function open(query: Uint8Array, length: number, source: Source): Transfer {
    const decoded = newQuery();
    const fault = decodeQuery(query, length, decoded);
    const type = decoded.type === Type.IXFR ? "IXFR" : "AXFR";
    const domain = decoded.nameEnd > HEADER ? (decodeName(query, HEADER, length)?.name.toLowerCase() ?? "") : "";
    const zone = served.get(domain);
    const verdict = verifyTsig(query, length, keys, now());
    const key = verdict.kind === "Valid" ? verdict.chain.key.name : undefined;
    const ip = ipOf(source);
    const about: About = { domain: zone === undefined ? "" : domain, type, client: formatIp(ip), ...(key === undefined ? {} : { key }) };
    const refuse = (result: TransferResult, rcode: number, extendedError?: number): Transfer => {
      const report = { ...about, result, bytes: 0 };
      onReport(report);
      return single((out) => signError(writeError(bare(query, decoded), decoded, out, rcode, extendedError), out, verdict));
    };

    if (fault !== Rcode.NOERROR || verdict.kind === "Malformed") return refuse("failed", fault === Rcode.NOERROR ? Rcode.FORMERR : fault);
    if (verdict.kind === "Refused") return refuse("refused", Rcode.NOTAUTH);
    if (zone === undefined) return refuse("refused", Rcode.NOTAUTH, ExtendedError.NotAuthoritative); // RFC 5936 §2.2.1
    if (zone.rules === undefined || !isAllowed(zone.rules, source, key)) return refuse("refused", Rcode.REFUSED, ExtendedError.Prohibited);
    if (zone.view === undefined) return refuse("failed", Rcode.SERVFAIL, ExtendedError.NotReady);
    const serial = type === "IXFR" ? clientSerial(query, length, decoded) : undefined;
    if (type === "IXFR" && serial === undefined) return refuse("failed", Rcode.FORMERR);
    const group = groupOf(ip);
    if (underWay >= most || (bySource.get(group) ?? 0) >= mostPerSource) return refuse("busy", Rcode.SERVFAIL);

    const { kind, records } =
      serial === undefined ? ({ kind: "Whole", records: wholeZone(zone.view) } as const) : changesSince(zone.view, serial);
    const stream = messageStream(bare(query, decoded), decoded, records, verdict.kind === "Valid" ? verdict.chain : undefined, now);
    return counted(
      stream,
      group,
      { ...about, type: kind === "Whole" ? "AXFR" : "IXFR", serial: zone.view.serial },
      kind === "Current" ? "current" : "sent",
    );
  }

  /** The stream, which takes a place among those under way until it ends. */
  function counted(stream: MessageStream, group: string, about: About & { readonly serial: number }, result: TransferResult): Transfer {
    let bytes = 0;
    let isOpen = true;
    underWay++;
    bySource.set(group, (bySource.get(group) ?? 0) + 1);
    const end = (how: TransferResult): void => {
      if (!isOpen) return;
      isOpen = false;
      underWay--;
      const left = bySource.get(group)! - 1;
      if (left === 0) bySource.delete(group);
      else bySource.set(group, left);
      onReport({ ...about, result: how, bytes });
    };
    return {
      next(out) {
        const length = isOpen ? stream.next(out) : 0;
        bytes += length;
        if (length === 0) end(result);
        return length;
      },
      close: () => end("aborted"),
    };
  }

  function signError(length: number, out: Uint8Array, verdict: TsigVerdict): number {
    if (verdict.kind === "Refused") return appendTsigError(out, length, verdict, now());
    return verdict.kind === "Valid" ? appendTsig(out, length, verdict.chain, now()) : length;
  }

  return {
    use: (views, zones, nextKeys) => {
      const byDomain = new Map(views.map((view) => [view.domain, view]));
      served = new Map(
        zones.map((zone) => [
          zone.domain,
          { rules: zone.transfer === undefined ? undefined : transferRules(zone), view: byDomain.get(zone.domain) },
        ]),
      );
      keys = nextKeys;
    },
    keys: () => keys,
    open,
  };
}

/** One message, without a place among those under way. */
function single(write: (out: Uint8Array) => number): Transfer {
  let isWritten = false;
  return {
    next(out) {
      if (isWritten) return 0;
      isWritten = true;
      return write(out);
    },
    close: () => undefined,
  };
}

/** A copy of header and question. */
const bare = (query: Uint8Array, { questionEnd }: Query): Uint8Array => new Uint8Array(query.subarray(0, questionEnd));

const groupOf = (ip: Ip): string => formatNetwork(maskNetwork(ip, ip.family === 4 ? 32 : 64));
