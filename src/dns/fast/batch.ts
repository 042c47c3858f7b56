/** Memory for receiving and sending many datagrams by one call each: an answer is written where its query was received. */
import type { Libc } from "./libc.ts";
import { SOCKADDR_V4, SOCKADDR_V6 } from "./sockaddr.ts";

/** Datagrams a call. Beyond 64 nothing is gained, and the first one waits for the last. */
export const BATCH = 64;
/**
 * Bytes for one message: an Ethernet frame's worth of query, and any UDP answer. What is longer is cut off by the kernel, and malformed then.
 * An odd number of cache lines, so that slots do not share sets.
 */
export const SLOT = 1600;
const MMSGHDR = 64;
const IOVEC = 16;
const SOCKADDR = 32;

/**
 * ```
 * slots      BATCH × 1600
 * mmsghdr    BATCH ×   64    +0 name · +8 namelen 4 · +16 iov · +24 iovlen · +32 control · +40 controllen · +48 flags · +56 length 4
 * iovec      BATCH ×   16    +0 base · +8 length
 * sockaddr   BATCH ×   32
 * ```
 */
export interface Batch {
  /** Address of the first mmsghdr, and bytes from one to the next. */
  readonly headers: number;
  readonly headerSize: number;
  /** One view for each slot, so that message offsets start at 0. */
  readonly slots: readonly Uint8Array[];
  /** Of the same slots. */
  readonly views: readonly DataView[];
  /** Sender of each slot's message, as the kernel wrote it. */
  readonly senders: readonly Uint8Array[];
  /** Makes the first `count` slots ready to receive. */
  readonly reset: (count: number) => void;
  /** Headers and iovecs. */
  readonly words: Uint32Array;
  /** Word of slot 0's length in its iovec, the next {@link IOVEC_WORDS} further: room before a receive, bytes before a send. */
  readonly lengthWord: number;
  /** Word of slot 0's count of received bytes, the next {@link HEADER_WORDS} further. */
  readonly receivedWord: number;
}

/** In 32-bit words. */
export const HEADER_WORDS = MMSGHDR / 4;
export const IOVEC_WORDS = IOVEC / 4;

/** @param isV6 family of the sockets that it is used with; each needs its own, since the kernel keeps sender lengths in the headers */
export function createBatch(libc: Libc, isV6: boolean): Batch {
  const senderLength = (isV6 ? SOCKADDR_V6 : SOCKADDR_V4).length;
  const headersAt = BATCH * SLOT;
  const iovecsAt = headersAt + BATCH * MMSGHDR;
  const sendersAt = iovecsAt + BATCH * IOVEC;
  // Shared memory is never moved and never copied by the garbage collector.
  const memory = new SharedArrayBuffer(sendersAt + BATCH * SOCKADDR);
  const base = libc.addressOf(new Uint8Array(memory));
  const words = new Uint32Array(memory);
  const longs = new BigUint64Array(memory);
  for (let i = 0; i < BATCH; i++) {
    const header = headersAt + i * MMSGHDR;
    const iovec = iovecsAt + i * IOVEC;
    longs[header >> 3] = BigInt(base + sendersAt + i * SOCKADDR);
    words[(header + 8) >> 2] = senderLength;
    longs[(header + 16) >> 3] = BigInt(base + iovec);
    longs[(header + 24) >> 3] = 1n;
    longs[iovec >> 3] = BigInt(base + i * SLOT);
    longs[(iovec + 8) >> 3] = BigInt(SLOT);
  }
  const lengthWord = (iovecsAt + 8) >> 2;
  const receivedWord = (headersAt + 56) >> 2;
  return {
    headers: base + headersAt,
    headerSize: MMSGHDR,
    slots: Array.from({ length: BATCH }, (_, i) => new Uint8Array(memory, i * SLOT, SLOT)),
    views: Array.from({ length: BATCH }, (_, i) => new DataView(memory, i * SLOT, SLOT)),
    senders: Array.from({ length: BATCH }, (_, i) => new Uint8Array(memory, sendersAt + i * SOCKADDR, senderLength)),
    reset: (count) => {
      for (let i = 0; i < count; i++) words[lengthWord + i * IOVEC_WORDS] = SLOT;
    },
    words,
    lengthWord,
    receivedWord,
  };
}
