/**
 * Tells who holds copies that a zone has a new serial (NOTIFY, RFC 1996), so that they need not wait for their refresh timer. Repeated, ever
 * more slowly, until they answer or the serial is old.
 */
import type { Zone } from "../../model/inventory.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import { formatListenAddress } from "../../model/listen-address.ts";
import { type Milliseconds, ms } from "../../model/units.ts";
import { Class, Flag, Opcode, Rcode, rcodeName, Type } from "../wire/codes.ts";
import { encodeName } from "../wire/name.ts";
import { HEADER } from "../wire/query.ts";
import { concat } from "../wire/rdata.ts";
import { appendTsig, type TsigChain, type TsigKey, tsigChain, tsigSize, verifyTsig } from "./tsig.ts";
import { nameEnd, type ZoneView } from "./zone-view.ts";

/** One UDP socket. */
export interface NotifySocket {
  /** What cannot be sent is lost. */
  readonly send: (message: Uint8Array, to: ListenAddress) => void;
  readonly close: () => void;
}

export interface NotifierOptions {
  /** Our listeners: a notification comes from the address that is asked for the zone afterwards. */
  readonly listen: readonly ListenAddress[];
  /** @param local address of ours to send from; undefined = whichever the system takes */
  readonly openSocket: (
    local: string | undefined,
    family: 4 | 6,
    onMessage: (message: Uint8Array, from: ListenAddress) => void,
  ) => NotifySocket;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  readonly onEvent: (event: NotifyEvent) => void;
}

export interface NotifyEvent {
  readonly domain: string;
  readonly target: ListenAddress;
  readonly serial: number;
  /** `timeout`: no answer to this try, another one follows. `unverified`: an answer without a valid signature, which counts as none. */
  readonly result: "acknowledged" | "refused" | "timeout" | "unverified";
  /** How often it has been sent for this serial. */
  readonly tries: number;
  /** RCODE of the answer, in words. */
  readonly rcode?: string;
}

export interface Notifier {
  /** Notifies of every view whose serial is new to a target; the first call tells all of them. */
  readonly use: (views: readonly ZoneView[], zones: readonly Zone[], keys: readonly TsigKey[]) => void;
  readonly close: () => void;
}

const FIRST_RETRY = 2000;
const SLOWEST_RETRY = 300_000;

/** One notification: a zone, a target, a serial. */
interface Sending {
  readonly domain: string;
  readonly serial: number;
  readonly to: ListenAddress;
  readonly key: TsigKey | undefined;
  readonly body: Uint8Array;
  id: number;
  /** What the answer to the last try must follow. */
  chain: TsigChain | undefined;
  tries: number;
  cancel: () => void;
  isDone: boolean;
}

export function createNotifier({ listen, openSocket, now, random, setTimer, onEvent }: NotifierOptions): Notifier {
  const sendings = new Map<string, Sending>();
  const sockets = new Map<string, NotifySocket>();

  function socketFor(to: ListenAddress): NotifySocket {
    const local = sourceFor(listen, to);
    const family = to.address.includes(":") ? 6 : 4;
    const name = local ?? `any ${family}`;
    const known = sockets.get(name);
    if (known !== undefined) return known;
    const opened = openSocket(local, family, receive);
    sockets.set(name, opened);
    return opened;
  }

  function send(sending: Sending): void {
    const { body, key, to } = sending;
    sending.id = Math.floor(random() * 0x1_0000);
    sending.tries++;
    const message = new Uint8Array(body.length + (key === undefined ? 0 : tsigSize(key)));
    message.set(body);
    message.set([sending.id >>> 8, sending.id & 0xff]);
    sending.chain = key === undefined ? undefined : tsigChain(key);
    if (sending.chain !== undefined) {
      appendTsig(message, body.length, sending.chain, now());
      sending.chain.timersOnly = false; // an answer is no stream
    }
    socketFor(to).send(message, to);
    const delay = Math.min(FIRST_RETRY * 2 ** (sending.tries - 1), SLOWEST_RETRY);
    sending.cancel = setTimer(ms(delay), () => {
      report(sending, "timeout");
      send(sending);
    });
  }

  function receive(message: Uint8Array, from: ListenAddress): void {
    if (message.length < HEADER) return;
    const id = (message[0]! << 8) | message[1]!;
    const flags = (message[2]! << 8) | message[3]!;
    if ((flags & Flag.QR) === 0 || ((flags >>> 11) & 15) !== Opcode.NOTIFY) return;
    const sending = [...sendings.values()].find(
      ({ isDone, id: sent, to }) => !isDone && sent === id && to.port === from.port && to.address === from.address,
    );
    if (sending === undefined) return;
    const rcode = flags & 15;
    if (sending.key !== undefined) {
      const verdict = verifyTsig(
        message,
        message.length,
        [sending.key],
        now(),
        sending.chain === undefined ? undefined : { ...sending.chain },
      );
      if (verdict.kind !== "Valid") {
        report(sending, "unverified", rcode);
        return;
      }
    }
    sending.isDone = true;
    sending.cancel();
    report(sending, rcode === Rcode.NOERROR ? "acknowledged" : "refused", rcode);
  }

  function report({ domain, to, serial, tries }: Sending, result: NotifyEvent["result"], rcode?: number): void {
    onEvent({ domain, target: to, serial, result, tries, ...(rcode === undefined ? {} : { rcode: rcodeName(rcode) }) });
  }

  return {
    use(views, zones, keys) {
      const byDomain = new Map(views.map((view) => [view.domain, view]));
      const wanted = new Set<string>();
      for (const { domain, transfer } of zones) {
        const view = byDomain.get(domain);
        if (view === undefined) continue;
        for (const { address, port, key: keyName } of transfer?.notify ?? []) {
          const to = { address, port };
          const name = `${domain} ${formatListenAddress(to)}`;
          wanted.add(name);
          const known = sendings.get(name);
          if (known?.serial === view.serial && known.key?.name === keyName) continue;
          known?.cancel();
          const key = keys.find((one) => one.name === keyName);
          if (keyName !== undefined && key === undefined) continue; // its secret cannot be read, which is told elsewhere
          const sending: Sending = {
            ...{ domain, serial: view.serial, to, key, body: notifyBody(view) },
            ...{ id: 0, chain: undefined, tries: 0, cancel: () => undefined, isDone: false },
          };
          sendings.set(name, sending);
          send(sending);
        }
      }
      for (const [name, sending] of sendings) {
        if (wanted.has(name)) continue;
        sending.cancel();
        sendings.delete(name);
      }
    },
    close() {
      for (const { cancel } of sendings.values()) cancel();
      sendings.clear();
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}

/** A notification with the SOA in its answer section, as a hint (RFC 1996 §3.7). The ID is zero. */
function notifyBody({ domain, records }: ZoneView): Uint8Array {
  const flags = (Opcode.NOTIFY << 11) | Flag.AA;
  const header = Uint8Array.of(0, 0, flags >>> 8, flags & 0xff, 0, 1, 0, 1, 0, 0, 0, 0);
  const fixed = nameEnd(records, 0);
  const soa = records.subarray(fixed, fixed + 10 + ((records[fixed + 8]! << 8) | records[fixed + 9]!));
  return concat([header, encodeName(domain)!, Uint8Array.of(0, Type.SOA, 0, Class.IN, 0xc0, HEADER), soa]);
}

/** The listener's address that a target is most likely to know us by. */
export function sourceFor(listen: readonly ListenAddress[], { address: target }: ListenAddress): string | undefined {
  const isV6 = target.includes(":");
  const own = listen.filter(({ address }) => address.includes(":") === isV6 && address !== "0.0.0.0" && address !== "::");
  return own.find(({ address }) => isLoopback(address) === isLoopback(target))?.address;
}

const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.");
