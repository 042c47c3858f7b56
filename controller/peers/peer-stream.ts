/**
 * One connection between two instances: lines in and out, signed and counted; a beat each second; ended when the other side is silent,
 * late, slow to read, or says what cannot be believed.
 */
import type { Duplex } from "node:stream";
import type { KubePorts } from "../kube/kube-ports.ts";
import { decodeMessage, encodeMessage, type Hello, type PeerMessage, PROTOCOL } from "./peer-messages.ts";
import { createOpener, createSealer, type Direction, LONGEST_LINE, sealKey } from "./seal.ts";

/** Something is said at least this often, ms. */
export const BEAT = 1000;
/** Whoever is silent for this long, or whose words take this long to come, is given up, ms. */
export const DEAD_AFTER = 5000;

/** When a message was said. */
export interface Arrival {
  /** Ms since the epoch, by this machine's clock; how long it was on its way is taken off. */
  readonly sentAt: number;
}

/** Why a stream ended. `bye`, `closed`, `replaced` and `self` (we dialled ourselves) are in order; the others are worth a line in the log. */
export type EndReason =
  | "bye"
  | "closed"
  | "lost"
  | "silent"
  | "late"
  | "slow"
  | "malformed"
  | "signature"
  | "sequence"
  | "sender"
  | "protocol"
  | "self"
  | "too-long"
  | "refused"
  | "replaced"
  | "revoked";

export interface PeerStream {
  /** Sends at once. What is said after the end is dropped. */
  send(message: PeerMessage): void;
  /** True while the other side has yet to read what it was sent: whoever has much to say waits for `onDrain`. */
  isClogged(): boolean;
  /** How long messages take more than the quickest one did, ms. */
  lag(): number;
  /** When a message was heard last, by our monotonic clock. */
  heardAt(): number;
  end(reason: EndReason): void;
}

/** What becomes of a stream's messages once its hello was accepted. */
export interface StreamHandlers {
  readonly onMessage: (message: Exclude<PeerMessage, Hello>, arrival: Arrival) => void;
  /** The other side has read what it was sent. */
  readonly onDrain: () => void;
  /** Called once. */
  readonly onEnd: (reason: EndReason) => void;
}

export interface PeerStreamOptions {
  readonly socket: Duplex;
  readonly secret: string;
  /** Keying material of the connection. */
  readonly binding: Buffer;
  /** Which side this is. */
  readonly side: Direction;
  readonly hello: Hello;
  readonly ports: KubePorts;
  /** Judges the other side's hello; a reason ends the stream. */
  readonly accept: (hello: Hello, stream: PeerStream) => StreamHandlers | EndReason;
  /** Called once, whether there was a hello or not. */
  readonly onEnd?: (reason: EndReason) => void;
}

/** A timer of ours that is this late means that this process was stopped: the others were not, ms. */
const STALL = 500;

/** Says hello at once. */
export function createPeerStream(options: PeerStreamOptions): PeerStream {
  const { socket, secret, binding, side, ports } = options;
  const sealer = createSealer(sealKey(secret, binding, side), options.hello.instance);
  const opener = createOpener(sealKey(secret, binding, side === "dialler" ? "listener" : "dialler"));
  let parts: Buffer[] = [];
  let length = 0;
  let isEnded = false;
  let handlers: StreamHandlers | undefined;
  let heardAt = ports.now();
  let saidAt = Number.NEGATIVE_INFINITY;
  let cloggedSince: number | undefined;
  /** Our monotonic clock less the sender's, of the quickest message so far: later ones are late by what they exceed it. */
  let quickest = Number.POSITIVE_INFINITY;
  let lag = 0;
  let cancelBeat = () => {};
  let plannedBeat = 0;

  const stream: PeerStream = {
    send,
    isClogged: () => cloggedSince !== undefined,
    lag: () => lag,
    heardAt: () => heardAt,
    end,
  };

  function send(message: PeerMessage): void {
    if (isEnded) return;
    saidAt = ports.now();
    if (!socket.write(sealer.seal(encodeMessage(message), ports.wallClock()))) cloggedSince ??= ports.now();
  }

  function end(reason: EndReason): void {
    if (isEnded) return;
    if (reason === "closed") send({ type: "bye" });
    isEnded = true;
    cancelBeat();
    parts = [];
    if (reason === "closed") {
      socket.end();
      // Whoever does not read the bye does not keep the connection either.
      const cancel = ports.setTimer(BEAT, () => socket.destroy());
      socket.once("close", cancel);
    } else socket.destroy();
    handlers?.onEnd(reason);
    options.onEnd?.(reason);
  }

  function beat(): void {
    const now = ports.now();
    const wasStopped = now - plannedBeat > STALL;
    planBeat();
    if (wasStopped) return; // what they said meanwhile is still to be read
    if (now - heardAt >= DEAD_AFTER) end("silent");
    else if (cloggedSince === undefined) {
      if (now - saidAt >= BEAT) send({ type: "beat" });
    } else if (now - cloggedSince >= DEAD_AFTER) end("slow"); // until then: more would only wait behind what waits
  }

  function planBeat(): void {
    plannedBeat = ports.now() + BEAT;
    cancelBeat = ports.setTimer(BEAT, beat);
  }

  function take(chunk: Buffer): void {
    let rest = chunk;
    while (!isEnded && rest.length > 0) {
      const newline = rest.indexOf(0x0a);
      const part = newline < 0 ? rest : rest.subarray(0, newline);
      rest = newline < 0 ? Buffer.alloc(0) : rest.subarray(newline + 1);
      length += part.length;
      parts.push(part);
      const fault = length > LONGEST_LINE ? "too-long" : newline < 0 ? undefined : read(takeLine());
      if (fault !== undefined) end(fault);
    }
  }

  function takeLine(): Buffer {
    const [first] = parts;
    const line = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
    parts = [];
    length = 0;
    return line;
  }

  /** @returns why the stream has to end, if it has */
  function read(line: Buffer): EndReason | undefined {
    const opened = opener.open(line);
    if (!opened.ok) return opened.why;
    const decoded = decodeMessage(opened.body);
    if ("malformed" in decoded) return "malformed";
    heardAt = ports.now();
    const offset = heardAt - opened.time;
    quickest = Math.min(quickest, offset);
    lag = offset - quickest;
    if (lag >= DEAD_AFTER) return "late"; // a queue somewhere on the way, or a clock that was set: a new stream begins afresh
    if ("ignored" in decoded) return undefined;
    return handlers === undefined ? greet(decoded.ok, opened.from) : hear(decoded.ok, handlers);
  }

  /** The first message. */
  function greet(message: PeerMessage, from: string): EndReason | undefined {
    if (message.type !== "hello" || message.instance !== from) return "malformed";
    if (message.protocol !== PROTOCOL) return "protocol";
    const accepted = options.accept(message, stream);
    if (typeof accepted === "string") return accepted;
    if (isEnded) accepted.onEnd("closed");
    else handlers = accepted;
    return undefined;
  }

  function hear(message: PeerMessage, { onMessage }: StreamHandlers): EndReason | undefined {
    if (message.type === "hello") return "malformed";
    if (message.type === "bye") return "bye";
    onMessage(message, { sentAt: ports.wallClock() - lag });
    return undefined;
  }

  socket.on("data", take);
  socket.on("drain", () => {
    cloggedSince = undefined;
    if (!isEnded) handlers?.onDrain();
  });
  socket.on("error", () => end("lost"));
  socket.on("close", () => end("lost"));
  socket.on("end", () => end("lost"));
  send(options.hello);
  planBeat();
  return stream;
}
