/** The producer's side of the slow answers: hands a query over, with everything that its answer needs to find the way back. Hot. */
import { Transport } from "../counters.ts";
import { SOCKADDR_V4, SOCKADDR_V6 } from "../fast/sockaddr.ts";
import type { Source } from "../source.ts";
import type { Lane } from "./lane.ts";
import { MAX_SENDER, newQueued, pushQueued, type Queued } from "./rings.ts";
import { type SlowLink, type SlowQueues, wakeSlowWorkers } from "./slow-link.ts";

export interface SlowQueue {
  /**
   * Hands over a query that came by a UDP socket of our own. The answer is sent by that socket, from another thread.
   *
   * @param sender `struct sockaddr` as the kernel wrote it
   * @param now    milliseconds since the epoch
   * @returns false when it was dropped
   */
  readonly defer: (message: Uint8Array, length: number, lane: Lane, sender: Uint8Array, socket: number, now: number) => boolean;
  /** Hands over a query of the main thread, which is told of the answer by its ticket. */
  readonly deferTicket: (message: Uint8Array, length: number, lane: Lane, source: Source, ticket: number, now: number) => boolean;
}

/**
 * @param producer index of the calling thread; no other one may use it at the same time
 * @param seed     any number that clients do not know: they must not be able to share a bucket with a client of their choice
 */
export function createSlowQueue({ queues, control }: Pick<SlowLink, "queues" | "control">, producer: number, seed: number): SlowQueue {
  const lanes: SlowQueues = queues[producer]!;
  const entry: Queued = newQueued();
  const sender = new Uint8Array(MAX_SENDER);

  function push(message: Uint8Array, lane: Lane, from: Uint8Array, now: number): boolean {
    entry.arrival = now | 0;
    entry.network = networkHash(from, entry.senderLength === SOCKADDR_V6.length, seed);
    if (!pushQueued(lanes[lane], entry, message, from)) return false;
    wakeSlowWorkers(control);
    return true;
  }

  return {
    defer(message, length, lane, from, socket, now) {
      entry.length = length;
      entry.socket = socket;
      entry.ticket = 0;
      entry.transport = Transport.UDP;
      entry.senderLength = from.length;
      return push(message, lane, from, now);
    },
    deferTicket(message, length, lane, source, ticket, now) {
      entry.length = length;
      entry.socket = -1;
      entry.ticket = ticket;
      entry.transport = source.transport;
      entry.senderLength = writeSender(source, sender);
      return push(message, lane, sender, now);
    },
  };
}

/** @returns bytes of the `struct sockaddr` whose address is the source's; its port is 0 */
function writeSender(source: Source, out: Uint8Array): number {
  if (source.isV6) {
    for (let i = 0; i < 16; i++) out[SOCKADDR_V6.address + i] = source.v6[i]!;
    return SOCKADDR_V6.length;
  }
  for (let i = 0; i < 4; i++) out[SOCKADDR_V4.address + i] = source.v4 >>> (24 - 8 * i);
  return SOCKADDR_V4.length;
}

/** Fills a source with the address that a queued query came from. */
export function readSender({ sender, senderLength, transport }: Queued, out: Source): void {
  out.transport = transport;
  out.isV6 = senderLength === SOCKADDR_V6.length;
  if (out.isV6) {
    for (let i = 0; i < 16; i++) out.v6[i] = sender[SOCKADDR_V6.address + i]!;
  } else {
    const at = SOCKADDR_V4.address;
    out.v4 = ((sender[at]! << 24) | (sender[at + 1]! << 16) | (sender[at + 2]! << 8) | sender[at + 3]!) >>> 0;
  }
}

/** Of an IPv4 /24 or an IPv6 /56: what one client usually has to itself at most. */
function networkHash(sender: Uint8Array, isV6: boolean, seed: number): number {
  const first = isV6 ? SOCKADDR_V6.address : SOCKADDR_V4.address;
  const end = first + (isV6 ? 7 : 3);
  let hash = seed | 0;
  for (let i = first; i < end; i++) {
    hash = Math.imul(hash ^ sender[i]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
