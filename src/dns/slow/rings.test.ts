import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Transport } from "../counters.ts";
import { MAX_QUEUED, newQueued, newRing, popQueued, pushQueued, type Queued, type Ring, readRing } from "./rings.ts";

const entry = (more: Partial<Queued> = {}): Queued => ({
  ...newQueued(),
  socket: 7,
  transport: Transport.UDP,
  length: 12,
  senderLength: 16,
  ...more,
});
const message = (fill: number): Uint8Array => new Uint8Array(MAX_QUEUED).fill(fill);
const push = (ring: Ring, fill: number, more: Partial<Queued> = {}): boolean => pushQueued(ring, entry(more), message(fill), message(fill));
const OLDEST = 1000;

describe("a ring", () => {
  test("gives back what was put in, in order, once", () => {
    const ring = newRing(4, 4);
    const out = newQueued();
    for (let i = 1; i <= 3; i++)
      expect(push(ring, i, { length: 100 + i, ticket: i, arrival: i, socket: 10 + i, senderLength: 28 })).toBe(true);
    for (let i = 1; i <= 3; i++) {
      expect(popQueued(ring, 5, OLDEST, out)).toBe(true);
      expect(out).toMatchObject({ length: 100 + i, ticket: i, arrival: i, socket: 10 + i, senderLength: 28, transport: Transport.UDP });
      expect(out.message.subarray(0, out.length)).toEqual(message(i).subarray(0, 100 + i));
      expect(out.sender).toEqual(message(i).subarray(0, 28));
    }
    expect(popQueued(ring, 5, OLDEST, out)).toBe(false);
    expect(readRing(ring)).toEqual({ queued: 3, dropped: 0, refused: 0, stale: 0, waiting: 0 });
  });

  test("drops what does not fit, and counts it", () => {
    const ring = newRing(4, 4);
    const pushed = [1, 2, 3, 4, 5, 6].map((i) => push(ring, i, { network: i }));
    expect(pushed).toEqual([true, true, true, true, false, false]);
    expect(readRing(ring)).toMatchObject({ queued: 4, dropped: 2, waiting: 4 });
    expect(popQueued(ring, 0, OLDEST, newQueued())).toBe(true);
    expect(push(ring, 7, { length: MAX_QUEUED + 1 })).toBe(false);
    expect(push(ring, 8, { length: MAX_QUEUED })).toBe(true);
    expect(readRing(ring)).toMatchObject({ queued: 5, dropped: 3, waiting: 4 });
  });

  test("a source network has its share and no more, until its queries are taken out", () => {
    const ring = newRing(16, 2);
    expect([1, 2, 3].map((i) => push(ring, i, { network: 9 }))).toEqual([true, true, false]);
    expect(push(ring, 4, { network: 10 })).toBe(true);
    expect(readRing(ring)).toMatchObject({ refused: 1, waiting: 3 });
    expect(popQueued(ring, 0, OLDEST, newQueued())).toBe(true);
    expect([5, 6].map((i) => push(ring, i, { network: 9 }))).toEqual([true, false]);
  });

  test("throws old UDP queries away, and no others", () => {
    const ring = newRing(8, 8);
    const out = newQueued();
    push(ring, 1, { arrival: 0 });
    push(ring, 2, { arrival: 0, transport: Transport.TCP });
    push(ring, 3, { arrival: 1 });
    expect(popQueued(ring, 1001, OLDEST, out) && out.message[0]).toBe(2);
    expect(popQueued(ring, 1001, OLDEST, out) && out.message[0]).toBe(3);
    expect(readRing(ring)).toMatchObject({ stale: 1, waiting: 0 });
    expect(push(ring, 4, { arrival: 0x7fff_ffff })).toBe(true);
    expect(popQueued(ring, 0x8000_0001 | 0, OLDEST, out)).toBe(true); // the clock's 32 bits may wrap
  });

  test("of two consumers that read the same query, one gets it and the other the next", () => {
    const ring = newRing(8, 8);
    for (const ticket of [1, 2]) push(ring, ticket, { ticket });
    const [slow, quick] = [newQueued(), newQueued()];
    let socket = 0;
    let overtaken = false;
    Object.defineProperty(slow, "socket", {
      get: () => socket,
      set(value: number) {
        socket = value;
        if (overtaken) return;
        overtaken = true; // another thread takes the query while this one copies it
        expect(popQueued(ring, 0, OLDEST, quick)).toBe(true);
      },
    });
    expect(popQueued(ring, 0, OLDEST, slow)).toBe(true);
    expect([quick.ticket, slow.ticket]).toEqual([1, 2]);
    expect(readRing(ring).waiting).toBe(0);
  });

  test("like a queue, whatever the order of pushes and pops", () => {
    const action = fc.record({ push: fc.boolean(), network: fc.nat(3), fill: fc.nat(255), length: fc.integer({ min: 12, max: 40 }) });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
        const [capacity, share] = [8, 3];
        const ring = newRing(capacity, share);
        const oracle: { fill: number; length: number; network: number }[] = [];
        const out = newQueued();
        for (const { push: isPush, network, fill, length } of actions) {
          if (isPush) {
            const fits = oracle.length < capacity && oracle.filter((one) => one.network === network).length < share;
            expect(push(ring, fill, { network, length })).toBe(fits);
            if (fits) oracle.push({ fill, length, network });
          } else {
            const expected = oracle.shift();
            expect(popQueued(ring, 0, OLDEST, out)).toBe(expected !== undefined);
            if (expected !== undefined) expect([out.message[0], out.length]).toEqual([expected.fill, expected.length]);
          }
          expect(readRing(ring).waiting).toBe(oracle.length);
        }
      }),
    );
  });
});

/** Takes queries out until it is told to stop, and says which. */
const CONSUMER = `
  import { workerData, parentPort } from "node:worker_threads";
  const { newQueued, popQueued } = await import(workerData.module);
  const out = newQueued();
  const seen = [];
  let torn = 0;
  for (;;) {
    const stop = Atomics.load(workerData.stop, 0) === 1;
    if (!popQueued(workerData.ring, 0, 1000, out)) {
      if (stop) break;
      continue;
    }
    seen.push(out.ticket);
    for (let i = 0; i < out.length; i++) if (out.message[i] !== (out.ticket & 0xff)) torn++;
  }
  parentPort.postMessage({ seen, torn });
`;

test("one thread puts in, two take out: everything arrives whole, in order, and once", async () => {
  const ring = newRing(16, 16);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const module = new URL("./rings.ts", import.meta.url).href;
  const url = new URL(`data:text/javascript,${encodeURIComponent(CONSUMER)}`);
  const consumers = [0, 1].map(() => new Worker(url, { workerData: { module, ring, stop } }));
  const results = consumers.map(
    (worker) => new Promise<{ seen: number[]; torn: number }>((resolve, reject) => worker.once("message", resolve).once("error", reject)),
  );
  const COUNT = 5000;
  const [one, bytes] = [entry({ length: 64 }), message(0)];
  for (let ticket = 0; ticket < COUNT; ) {
    one.ticket = ticket;
    one.network = ticket;
    if (pushQueued(ring, one, bytes.fill(ticket & 0xff, 0, 64), bytes)) ticket++;
  }
  Atomics.store(stop, 0, 1);
  const [a, b] = await Promise.all(results);
  expect([a!.torn, b!.torn]).toEqual([0, 0]);
  for (const { seen } of [a!, b!]) expect(seen).toEqual([...seen].sort((x, y) => x - y));
  expect([...a!.seen, ...b!.seen].sort((x, y) => x - y)).toEqual(Array.from({ length: COUNT }, (_, i) => i));
});
