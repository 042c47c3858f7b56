/**
 * Bounded queues in shared memory between the threads that answer and those that sign: one for each producer and lane. Nobody waits for
 * them; what does not fit is dropped and counted.
 *
 * ```
 * control, 32-bit words:  head (consumers) · tail (producer) · dropped (no room) · refused (source has its share) · queued · stale
 * shares:                 queries in the ring, by bucket of source networks
 * slot, 1,600 bytes:      length · socket or -1 · ticket · arrival · bucket · transport · sender length · sender 28 | message ≤ 1,500
 * ```
 * One thread writes. Several may read: whoever moves `head` on has the slot's copy that it made before, the others throw theirs away.
 */
import { sharedInt32, sharedUint8 } from "../../model/shared-array.ts";
import { Transport } from "../counters.ts";

/** The longest query that can wait. A signed one with every option of ours is far shorter. */
export const MAX_QUEUED = 1500;
/** `struct sockaddr_in6`; that of IPv4 is shorter. */
export const MAX_SENDER = 28;

const SLOT = 1600;
const HEADER_WORDS = 7;
const SENDER_AT = 4 * HEADER_WORDS;
const MESSAGE_AT = 64;

const Word = { Length: 0, Socket: 1, Ticket: 2, Arrival: 3, Bucket: 4, Transport: 5, SenderLength: 6 } as const;

/** Words of {@link Ring.control}, each on a cache line of its own: those who write them differ. */
const LINE = 16;
const At = { Head: 0, Tail: LINE, Dropped: 2 * LINE, Refused: 3 * LINE, Queued: 4 * LINE, Stale: 5 * LINE } as const;

/** Source networks are told apart by a hash into so many. A power of two. */
const BUCKETS = 256;

/** Structured-cloneable; a clone shares the memory. */
export interface Ring {
  readonly control: Int32Array;
  readonly shares: Int32Array;
  readonly bytes: Uint8Array;
  /** The same memory as `bytes`. */
  readonly words: Int32Array;
  /** Slots; a power of two. */
  readonly capacity: number;
  /** The most slots that one bucket of source networks may fill. */
  readonly share: number;
}

/** @param capacity a power of two */
export function newRing(capacity: number, share: number): Ring {
  const bytes = sharedUint8(capacity * SLOT);
  return {
    control: sharedInt32(6 * LINE),
    shares: sharedInt32(BUCKETS),
    bytes,
    words: new Int32Array(bytes.buffer),
    capacity,
    share,
  };
}

/** A query that waits, and how its answer gets back. Reused. */
export interface Queued {
  readonly message: Uint8Array;
  length: number;
  /** Descriptor of the UDP socket that it came by; -1 = the main thread's, see `ticket`. */
  socket: number;
  /** By which the main thread knows it. */
  ticket: number;
  /** Milliseconds of any clock that all threads share, modulo 2^32. */
  arrival: number;
  /** Hash of the source's network. */
  network: number;
  transport: Transport;
  /** `struct sockaddr`, `senderLength` bytes. */
  readonly sender: Uint8Array;
  senderLength: number;
}

export const newQueued = (): Queued => ({
  message: new Uint8Array(MAX_QUEUED),
  length: 0,
  socket: -1,
  ticket: 0,
  arrival: 0,
  network: 0,
  transport: 0,
  sender: new Uint8Array(MAX_SENDER),
  senderLength: 0,
});

/**
 * Puts a query into the ring. For one thread only. Hot: allocates nothing.
 *
 * @param entry   everything but message and sender
 * @param message `entry.length` bytes of it count
 * @param sender  `entry.senderLength` bytes of it count
 * @returns false when it was dropped
 */
export function pushQueued(ring: Ring, entry: Omit<Queued, "message" | "sender">, message: Uint8Array, sender: Uint8Array): boolean {
  const { control, shares, bytes, words, capacity, share } = ring;
  const tail = control[At.Tail]!;
  const bucket = entry.network & (BUCKETS - 1);
  if (((tail - Atomics.load(control, At.Head)) | 0) >= capacity || entry.length > MAX_QUEUED) {
    Atomics.add(control, At.Dropped, 1);
    return false;
  }
  if (Atomics.load(shares, bucket) >= share) {
    Atomics.add(control, At.Refused, 1);
    return false;
  }
  const at = (tail & (capacity - 1)) * SLOT;
  const word = at >> 2;
  words[word + Word.Length] = entry.length;
  words[word + Word.Socket] = entry.socket;
  words[word + Word.Ticket] = entry.ticket;
  words[word + Word.Arrival] = entry.arrival;
  words[word + Word.Bucket] = bucket;
  words[word + Word.Transport] = entry.transport;
  words[word + Word.SenderLength] = entry.senderLength;
  for (let i = 0; i < entry.senderLength; i++) bytes[at + SENDER_AT + i] = sender[i]!;
  for (let i = 0; i < entry.length; i++) bytes[at + MESSAGE_AT + i] = message[i]!;
  Atomics.add(shares, bucket, 1);
  Atomics.add(control, At.Queued, 1);
  Atomics.store(control, At.Tail, (tail + 1) | 0);
  return true;
}

/**
 * Takes the query that has waited longest. For any thread.
 *
 * @param now    as {@link Queued.arrival}
 * @param oldest milliseconds; UDP queries that have waited longer are thrown away, because whoever sent them has asked again
 * @returns false when there is none
 */
export function popQueued(ring: Ring, now: number, oldest: number, out: Queued): boolean {
  const { control, shares, bytes, words, capacity } = ring;
  for (;;) {
    const head = Atomics.load(control, At.Head);
    if (head === Atomics.load(control, At.Tail)) return false;
    const at = (head & (capacity - 1)) * SLOT;
    const word = at >> 2;
    // A slot may be rewritten while it is read here, by then `head` has moved on: lengths are kept in bounds, and the copy is thrown away.
    out.length = Math.min(words[word + Word.Length]!, MAX_QUEUED);
    out.socket = words[word + Word.Socket]!;
    out.ticket = words[word + Word.Ticket]!;
    out.arrival = words[word + Word.Arrival]!;
    out.network = words[word + Word.Bucket]!;
    out.transport = words[word + Word.Transport] === Transport.UDP ? Transport.UDP : Transport.TCP;
    out.senderLength = Math.min(words[word + Word.SenderLength]!, MAX_SENDER);
    for (let i = 0; i < out.senderLength; i++) out.sender[i] = bytes[at + SENDER_AT + i]!;
    for (let i = 0; i < out.length; i++) out.message[i] = bytes[at + MESSAGE_AT + i]!;
    if (Atomics.compareExchange(control, At.Head, head, (head + 1) | 0) !== head) continue;
    Atomics.sub(shares, out.network, 1);
    if (out.transport !== Transport.UDP || ((now - out.arrival) | 0) <= oldest) return true;
    Atomics.add(control, At.Stale, 1);
  }
}

export interface RingReading {
  /** Queries that were put into it. */
  readonly queued: number;
  /** Dropped because it was full, or the query too long. */
  readonly dropped: number;
  /** Dropped because the source's network had its share of it already. */
  readonly refused: number;
  /** Thrown away because they had waited too long. */
  readonly stale: number;
  /** Waiting now. */
  readonly waiting: number;
}

/** Counts since the ring was made, modulo 2^32. */
export const readRing = ({ control }: Ring): RingReading => ({
  queued: control[At.Queued]! >>> 0,
  dropped: control[At.Dropped]! >>> 0,
  refused: control[At.Refused]! >>> 0,
  stale: control[At.Stale]! >>> 0,
  waiting: (Atomics.load(control, At.Tail) - Atomics.load(control, At.Head)) >>> 0,
});
