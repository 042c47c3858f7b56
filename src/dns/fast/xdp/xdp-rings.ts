/** The worker's side of an AF_XDP socket: batches of queries out of shared memory, and their answers back from the same places. Hot. */
import { BATCH, type Batch, HEADER_WORDS, IOVEC_WORDS, SLOT } from "../batch.ts";
import { AF_INET, AF_INET6, MSG_DONTWAIT, systemError } from "../libc.ts";
import { SOCKADDR_V4, SOCKADDR_V6 } from "../sockaddr.ts";
import { isV6Frame, MESSAGE_V4, MESSAGE_V6, messageLength, turnAround } from "./frame.ts";
import type { XdpLibc } from "./xdp-libc.ts";
import { FRAME, FRAMES, HEADROOM, type RingOffsets, type XdpSocket } from "./xdp-socket.ts";

/** A socket of the kernel's own on one of our addresses. */
export interface Listener {
  readonly fd: number;
  readonly isV6: boolean;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** Mapped memory. A socket lives for as long as a ring of it is mapped, so whoever outlives the reader gives it back. */
export interface Mapping {
  readonly address: number;
  readonly length: number;
}

export interface XdpRings {
  readonly fd: number;
  readonly mapped: readonly Mapping[];
  /**
   * Takes the next queries of one family to one of our addresses, as if `recvmmsg` had received them into a batch.
   *
   * @returns how many; 0 = none is there
   */
  receive(): number;
  /** That batch; its slots are other views each time. */
  readonly batch: Batch;
  readonly isV6: () => boolean;
  /** The kernel's socket on the address that the batch was sent to: whoever answers later sends by it. -1 = none */
  readonly socket: () => number;
  /** Sends what was answered of it: lengths as {@link Batch} has them, 0 = nothing. */
  send(): void;
}

const PROT_READ_WRITE = 3;
const MAP_SHARED_POPULATE = 0x8001;
const PAGE_OFFSETS = { receive: 0, transmit: 0x8000_0000, fill: 0x1_0000_0000, completion: 0x1_8000_0000 } as const;
const MASK = FRAMES - 1;
/** A transmit call sends some tens of frames. More calls than this mean that the kernel takes none: they go with the next batch. */
const KICKS = 256;

interface Ring extends Mapping {
  /** Word of the producer's and the consumer's count. */
  readonly producer: number;
  readonly consumer: number;
  /** Word of the first descriptor. */
  readonly first: number;
  readonly counts: Int32Array;
  readonly words: Uint32Array;
}

/**
 * @param batch memory of its headers is used, that of its slots is not
 * @throws the system's error
 */
export function mapXdpRings(libc: XdpLibc, socket: XdpSocket, listeners: readonly Listener[], batches: readonly [Batch, Batch]): XdpRings {
  const { fd, memory, base, rings } = socket;
  const map = (name: keyof typeof PAGE_OFFSETS, entry: number): Ring => mapRing(libc, fd, rings[name], PAGE_OFFSETS[name], entry);
  const receiving = map("receive", 16);
  const transmitting = map("transmit", 16);
  const filling = map("fill", 8);
  const completing = map("completion", 8);
  const words = new Uint16Array(memory, base, (FRAMES * FRAME) / 2);
  const slots: (Uint8Array | undefined)[] = [];
  const views: (DataView | undefined)[] = [];
  const places = new Uint32Array(BATCH);
  // Where a worker that died was. The frames that it held in its hands are lost: a batch of thousands.
  let received = Atomics.load(receiving.counts, receiving.consumer);
  let transmitted = Atomics.load(transmitting.counts, transmitting.producer);
  let completed = Atomics.load(completing.counts, completing.consumer);
  let filled = Atomics.load(filling.counts, filling.producer);
  let count = 0;
  let isV6 = false;
  let answeredBy = -1;

  /** The slots of an ordinary batch never change; here each message stands where it was received. */
  const own = (batch: Batch): Batch => ({ ...batch, slots: [...batch.slots], views: [...batch.views] });
  const [v4, v6] = [own(batches[0]), own(batches[1])];

  function give(place: number): void {
    filling.words[filling.first + (filled & MASK) * 2] = place & -FRAME;
    filled = (filled + 1) | 0;
  }

  /** Views are made when a frame is used for the first time, and kept. */
  function look(i: number, batch: Batch, place: number): void {
    const key = 2 * (place >>> 11) + (isV6 ? 1 : 0);
    let slot = slots[key];
    if (slot === undefined) {
      const at = base + place + (isV6 ? MESSAGE_V6 : MESSAGE_V4);
      slot = new Uint8Array(memory, at, SLOT);
      slots[key] = slot;
      views[key] = new DataView(memory, at, SLOT);
    }
    (batch.slots as Uint8Array[])[i] = slot;
    (batch.views as DataView[])[i] = views[key]!;
  }

  /** As the kernel would have written it. */
  function writeSender(sender: Uint8Array, frame: number): void {
    const from = frame + (isV6 ? 27 : 17);
    sender[0] = isV6 ? AF_INET6 : AF_INET;
    sender[SOCKADDR_V4.port] = words[from]!;
    sender[SOCKADDR_V4.port + 1] = words[from]! >>> 8;
    const [address, at, length] = isV6 ? [frame + 11, SOCKADDR_V6.address, 8] : [frame + 13, SOCKADDR_V4.address, 2];
    for (let i = 0; i < length; i++) {
      const word = words[address + i]!;
      sender[at + 2 * i] = word;
      sender[at + 2 * i + 1] = word >>> 8;
    }
  }

  /** Whether two frames of one family were sent to the same address and port. */
  function haveSameTarget(a: number, b: number): boolean {
    if (words[a + (isV6 ? 28 : 18)] !== words[b + (isV6 ? 28 : 18)]) return false;
    const [first, length] = isV6 ? [19, 8] : [15, 2];
    for (let i = 0; i < length; i++) if (words[a + first + i] !== words[b + first + i]) return false;
    return true;
  }

  function socketFor(frame: number): number {
    const port = words[frame + (isV6 ? 28 : 18)]!;
    const at = 2 * (frame + (isV6 ? 19 : 15));
    const found = listeners.find(
      (listener) =>
        listener.isV6 === isV6 &&
        listener.port === (((port & 0xff) << 8) | (port >>> 8)) &&
        listener.address.every((byte, i) => byte === ((words[(at + i) >>> 1]! >>> (8 * ((at + i) & 1))) & 0xff)),
    );
    return found?.fd ?? -1;
  }

  function reclaim(): void {
    const produced = Atomics.load(completing.counts, completing.producer);
    while (completed !== produced) {
      give(completing.words[completing.first + (completed & MASK) * 2]!);
      completed = (completed + 1) | 0;
    }
    Atomics.store(completing.counts, completing.consumer, completed);
    Atomics.store(filling.counts, filling.producer, filled);
  }

  if (!socket.isUsed) {
    for (let i = 0; i < FRAMES; i++) give(i * FRAME);
    Atomics.store(filling.counts, filling.producer, filled);
  }

  return {
    fd,
    mapped: [receiving, transmitting, filling, completing].map(({ address, length }) => ({ address, length })),
    get batch() {
      return isV6 ? v6 : v4;
    },
    isV6: () => isV6,
    socket: () => answeredBy,
    receive() {
      const produced = Atomics.load(receiving.counts, receiving.producer);
      count = 0;
      let first = -1;
      while (received !== produced && count < BATCH) {
        const at = receiving.first + (received & MASK) * 4;
        const place = receiving.words[at]!;
        const frame = place >>> 1;
        const isOther = isV6Frame(words, frame) !== isV6;
        if (first < 0) isV6 = isV6Frame(words, frame);
        else if (isOther || !haveSameTarget(first, frame)) break;
        received = (received + 1) | 0;
        const length = (place & (FRAME - 1)) === HEADROOM ? messageLength(words, frame, receiving.words[at + 2]!, isV6) : -1;
        if (length < 0) {
          give(place);
          continue;
        }
        const batch = isV6 ? v6 : v4;
        if (first < 0) {
          first = frame;
          answeredBy = socketFor(frame);
        }
        look(count, batch, place);
        writeSender(batch.senders[count]!, frame);
        batch.words[batch.receivedWord + count * HEADER_WORDS] = length;
        places[count++] = place;
      }
      Atomics.store(receiving.counts, receiving.consumer, received);
      if (count === 0) Atomics.store(filling.counts, filling.producer, filled);
      return count;
    },
    send() {
      const { words: lengths, lengthWord } = isV6 ? v6 : v4;
      for (let i = 0; i < count; i++) {
        const place = places[i]!;
        const length = lengths[lengthWord + i * IOVEC_WORDS]!;
        if (length === 0) {
          give(place);
          continue;
        }
        const at = transmitting.first + (transmitted & MASK) * 4;
        transmitting.words[at] = place;
        transmitting.words[at + 1] = 0;
        transmitting.words[at + 2] = turnAround(words, place >>> 1, length, isV6);
        transmitting.words[at + 3] = 0;
        transmitted = (transmitted + 1) | 0;
      }
      Atomics.store(transmitting.counts, transmitting.producer, transmitted);
      for (let i = 0; i < KICKS && Atomics.load(transmitting.counts, transmitting.consumer) !== transmitted; i++) {
        libc.kick(fd, 0, 0, MSG_DONTWAIT, 0, 0);
      }
      reclaim();
    },
  };
}

function mapRing(libc: XdpLibc, fd: number, { producer, consumer, descriptors }: RingOffsets, offset: number, entry: number): Ring {
  const length = descriptors + FRAMES * entry;
  const address = libc.mmap(0, length, PROT_READ_WRITE, MAP_SHARED_POPULATE, fd, offset);
  if (address < 0) throw systemError(libc, "mmap of a ring");
  const memory = libc.viewOf(address, length);
  return {
    address,
    length,
    producer: producer >> 2,
    consumer: consumer >> 2,
    first: descriptors >> 2,
    counts: new Int32Array(memory, 0, length >> 2),
    words: new Uint32Array(memory, 0, length >> 2),
  };
}
