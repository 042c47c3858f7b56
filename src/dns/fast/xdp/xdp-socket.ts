/**
 * One AF_XDP socket (`linux/if_xdp.h`): a receive queue of an interface, and the memory that its frames are received into and sent from. The
 * main thread opens it; the worker that is given it maps its rings.
 *
 * ```
 * memory   FRAMES × 2048                 frame: 256 headroom · Ethernet frame
 * fill     ──► kernel: free frames       receive    ──► us: frames with queries, where they stand and how long
 * transmit ──► kernel: answers           completion ──► us: frames that were sent
 * ```
 */
import { systemError } from "../libc.ts";
import type { XdpLibc } from "./xdp-libc.ts";

const AF_XDP = 44;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_XDP = 283;
const Option = { Offsets: 1, ReceiveRing: 2, TransmitRing: 3, Memory: 4, FillRing: 5, CompletionRing: 6, SendBudget: 9 } as const;
/** Frames are copied into the memory and out of it, which every interface can do. */
const XDP_COPY = 2;
const PAGE = 4096;
const SEND_BUDGET = 64;

/** Each ring holds as many, so that none can overflow. A power of two. */
export const FRAMES = 4096;
export const FRAME = 2048;
/** What the kernel leaves free before a received frame (`XDP_PACKET_HEADROOM`). */
export const HEADROOM = 256;

/** Offsets of producer, consumer, descriptors and flags in each ring's mapping, in bytes. */
export interface RingOffsets {
  readonly producer: number;
  readonly consumer: number;
  readonly descriptors: number;
}

/** Structured-cloneable; threads share the memory. */
export interface XdpSocket {
  readonly fd: number;
  readonly memory: SharedArrayBuffer;
  /** Where in it the first frame begins. */
  readonly base: number;
  readonly rings: Readonly<Record<"receive" | "transmit" | "fill" | "completion", RingOffsets>>;
  /** A worker before has read it: its frames are under way already. */
  readonly isUsed: boolean;
}

/** @throws the system's error */
export function openXdpSocket(libc: XdpLibc, interfaceIndex: number, queue: number): XdpSocket {
  const fd = libc.socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError(libc, "socket AF_XDP");
  try {
    const set = (option: number, value: Uint8Array): boolean => libc.setsockopt(fd, SOL_XDP, option, value, value.length) === 0;
    const memory = new SharedArrayBuffer(FRAMES * FRAME + PAGE);
    const address = libc.addressOf(new Uint8Array(memory));
    const base = (PAGE - (address % PAGE)) % PAGE;
    if (!set(Option.Memory, memoryOf(address + base))) throw systemError(libc, "setsockopt XDP_UMEM_REG");
    const count = bytesOf(FRAMES);
    for (const option of [Option.FillRing, Option.CompletionRing, Option.ReceiveRing, Option.TransmitRing]) {
      if (!set(option, count)) throw systemError(libc, "setsockopt of a ring");
    }
    set(Option.SendBudget, bytesOf(SEND_BUDGET)); // a wish: older kernels send 32 a call
    const offsets = new BigUint64Array(16);
    const bytes = new Uint8Array(offsets.buffer);
    if (libc.getsockopt(fd, SOL_XDP, Option.Offsets, bytes, bytesOf(bytes.length)) !== 0)
      throw systemError(libc, "getsockopt XDP_MMAP_OFFSETS");
    const where = new Uint8Array(new Uint32Array([AF_XDP | (XDP_COPY << 16), interfaceIndex, queue, 0]).buffer);
    if (libc.bind(fd, where, where.length) !== 0) throw systemError(libc, `bind of receive queue ${queue}`);
    const ring = (i: number): RingOffsets => {
      const at = (k: number): number => Number(offsets[4 * i + k]);
      return { producer: at(0), consumer: at(1), descriptors: at(2) };
    };
    return { fd, memory, base, rings: { receive: ring(0), transmit: ring(1), fill: ring(2), completion: ring(3) }, isUsed: false };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** `struct xdp_umem_reg` */
function memoryOf(address: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, BigInt(address), true);
  view.setBigUint64(8, BigInt(FRAMES * FRAME), true);
  view.setUint32(16, FRAME, true);
  return new Uint8Array(view.buffer);
}

const bytesOf = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
