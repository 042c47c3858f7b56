import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newSignatureCache, readSignature, SIGNATURE_BYTES, type Signature, signatureCapacity, storeSignature } from "./signature-cache.ts";

/** Spread over sets as a hash is. */
const keyOf = (id: number): Int32Array =>
  Int32Array.from([0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f], (odd) => Math.imul(id + 1, odd));
const signature = (fill: number, expiration = 1000, inception = 10): Signature => ({
  inception,
  expiration,
  bytes: new Uint8Array(SIGNATURE_BYTES).map((_, i) => fill + i),
});

/** What a reader copies out, or undefined. */
function read(cache: ReturnType<typeof newSignatureCache>, key: Int32Array, until = 0, stamp = 1): Signature | undefined {
  const out = new Uint8Array(8 + SIGNATURE_BYTES + 4);
  if (!readSignature(cache, key, until, stamp, out, 0, 12)) return undefined;
  const view = new DataView(out.buffer);
  return { expiration: view.getUint32(0), inception: view.getUint32(4), bytes: out.subarray(12, 12 + SIGNATURE_BYTES) };
}

describe("one thread", () => {
  test("what was stored is read, times and all", () => {
    const cache = newSignatureCache(64);
    expect(read(cache, keyOf(1))).toBeUndefined();
    expect(storeSignature(cache, keyOf(1), signature(7, 0xffff_fff0, 0x8000_0001), 1, false)).toBe(true);
    expect(read(cache, keyOf(1))).toEqual(signature(7, 0xffff_fff0, 0x8000_0001));
    expect(read(cache, keyOf(2))).toBeUndefined();
  });

  test("each word of the key counts", () => {
    const cache = newSignatureCache(4);
    storeSignature(cache, keyOf(1), signature(1), 1, false);
    for (let i = 0; i < 4; i++) {
      const other = keyOf(1);
      other[i]! ^= 1 << 30;
      expect(read(cache, other)).toBeUndefined();
    }
  });

  test("one that expires before it is needed is absent", () => {
    const cache = newSignatureCache(64);
    storeSignature(cache, keyOf(1), signature(1, 1000), 1, false);
    expect(read(cache, keyOf(1), 1000)).toBeDefined();
    expect(read(cache, keyOf(1), 1001)).toBeUndefined();
  });

  test("a newer signature of the same RRset takes its place", () => {
    const cache = newSignatureCache(4);
    for (let i = 0; i < 100; i++) expect(storeSignature(cache, keyOf(1), signature(i, 1000 + i), 1, false)).toBe(true);
    expect(read(cache, keyOf(1))).toEqual(signature(99, 1099));
  });

  test("filled to three quarters, nothing is lost without eviction", () => {
    const cache = newSignatureCache(8192);
    const count = signatureCapacity(cache) * 0.75;
    for (let id = 0; id < count; id++) expect(storeSignature(cache, keyOf(id), signature(id & 0xff), 1, false)).toBe(true);
    for (let id = 0; id < count; id++) expect(read(cache, keyOf(id))?.bytes[0]).toBe(id & 0xff);
  });

  test("full: refused without eviction, and what is in use stays with it", () => {
    const cache = newSignatureCache(64);
    const kept = Array.from({ length: 8 }, (_, id) => keyOf(id));
    for (const key of kept) storeSignature(cache, key, signature(1), 1, true);
    let id = 1000;
    while (storeSignature(cache, keyOf(id), signature(2), 1, false)) id++;
    for (let now = 2; now < 1000; now++) {
      for (const key of kept) expect(read(cache, key, 0, now)).toBeDefined();
      expect(storeSignature(cache, keyOf(10_000 + now), signature(3), now, true)).toBe(true);
      expect(read(cache, keyOf(10_000 + now), 0, now)).toEqual(signature(3));
    }
  });

  test("like a map that forgets now and then, and never mixes things up", () => {
    const action = fc.record({
      store: fc.boolean(),
      id: fc.nat(40),
      fill: fc.nat(255),
      expiration: fc.integer({ min: 1, max: 20 }),
      evict: fc.boolean(),
      until: fc.nat(20),
      stamp: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const cache = newSignatureCache(16);
        const oracle = new Map<number, Signature>();
        for (const { store, id, fill, expiration, evict, until, stamp } of actions) {
          if (store) {
            const given = signature(fill, expiration);
            if (storeSignature(cache, keyOf(id), given, stamp, evict)) {
              oracle.set(id, given);
              expect(read(cache, keyOf(id))).toEqual(given);
            }
          } else {
            const found = read(cache, keyOf(id), until, stamp);
            const known = oracle.get(id);
            if (found !== undefined) expect(found).toEqual(known);
            if (known === undefined || known.expiration < until) expect(found).toBeUndefined();
          }
        }
      }),
    );
  });
});

/** Writes signatures whose every byte tells key and time, over few entries, so that readers and writers meet all the time. */
const WRITER = `
  import { workerData, parentPort } from "node:worker_threads";
  const { storeSignature } = await import(workerData.module);
  const keys = workerData.keys;
  for (let round = 1; Atomics.load(workerData.stop, 0) === 0; round++) {
    for (let id = 0; id < keys.length; id++) {
      const tag = (round + workerData.offset) & 0xff;
      storeSignature(workerData.cache, keys[id], { inception: tag, expiration: 1000 + tag, bytes: new Uint8Array(64).fill(tag ^ id) }, round, true);
    }
  }
`;

test("several threads write, and no reader ever sees half of anything", async () => {
  const cache = newSignatureCache(16);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const keys = Array.from({ length: 24 }, (_, id) => keyOf(id)); // more than there is room for
  const module = new URL("./signature-cache.ts", import.meta.url).href;
  const url = new URL(`data:text/javascript,${encodeURIComponent(WRITER)}`);
  const workers = [0, 100].map((offset) => new Worker(url, { workerData: { module, cache, keys, stop, offset } }));
  const ended = workers.map((worker) => new Promise((resolve, reject) => worker.once("exit", resolve).once("error", reject)));
  let found = 0;
  for (let tries = 0; tries < 3_000_000 && found < 200_000; tries++) {
    const id = tries % keys.length;
    const seen = read(cache, keys[id]!, 0, 1);
    if (seen === undefined) continue;
    found++;
    const tag = seen.inception;
    if (seen.expiration !== 1000 + tag || seen.bytes.some((byte) => byte !== (tag ^ id)))
      expect.fail(`torn: ${JSON.stringify({ id, seen })}`);
  }
  Atomics.store(stop, 0, 1);
  await Promise.all(ended);
  expect(found).toBeGreaterThan(1000);
});
