/**
 * One thread that answers DNS over UDP: poll → recvmmsg → answer in place → sendmmsg, for ever. It allocates nothing for a query, and
 * between batches it looks for what the main thread has for it.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { newRandom } from "../../routing/dice.ts";
import { answer, newAnswerContext, useTables } from "../answer.ts";
import { type AnswerContext, DEFER } from "../answer-context.ts";
import { garbageCollector } from "../collect-garbage.ts";
import { Transport } from "../counters.ts";
import { createSlowQueue, type SlowQueue } from "../slow/slow-queue.ts";
import { newSource, type Source } from "../source.ts";
import { BATCH, type Batch, createBatch, HEADER_WORDS, IOVEC_WORDS } from "./batch.ts";
import { inlineMore } from "./inline-more.ts";
import { FastTransportUnavailable, type Libc, loadLibc, MSG_DONTWAIT, POLLIN } from "./libc.ts";
import { SOCKADDR_V4, SOCKADDR_V6 } from "./sockaddr.ts";
import { warmPlaces } from "./warm-places.ts";
import { Control, SAMPLES, type WorkerMessage, type WorkerReport, type WorkerSocket, type WorkerStart } from "./worker-link.ts";
import { loadXdpLibc, type XdpLibc } from "./xdp/xdp-libc.ts";
import { type Listener, mapXdpRings, type XdpRings } from "./xdp/xdp-rings.ts";
import type { XdpSocket } from "./xdp/xdp-socket.ts";

/** One batch of so many is timed. A power of two. */
const TIMED = 8;
/** Full batches that one socket may have before the others get their turn. */
const IN_A_ROW = 8;
/** Nothing depends on it: the eventfd wakes the worker. */
const IDLE_MS = 1000;
/** Without a query for so long: time to collect garbage, ms. */
const LULL_MS = 20;
/** Tables that are no longer used may wait for a lull; with so many, it is done at once. */
const MOST_OUTDATED = 4;
const POLLFD = 8;

const report = (message: WorkerReport): void => parentPort?.postMessage(message);

function run(libc: Libc, start: WorkerStart): void {
  const { control, samples, counters, port, wakeFd, settings, slow } = start;
  let clock = Date.now(); // once a batch: no answer needs it finer
  const tools = slow && { recent: slow.link.recent, signer: undefined };
  const context = newAnswerContext({ now: () => clock, random: newRandom(Math.random() * 0x1_0000_0000) }, counters, settings, tools);
  const queue = slow && createSlowQueue(slow.link, slow.producer, Math.random() * 0x1_0000_0000);
  const source = newSource(Transport.UDP);
  const batches: readonly [Batch, Batch] = [createBatch(libc, false), createBatch(libc, true)];
  const wakeWord = new Uint8Array(8);
  let sockets: readonly WorkerSocket[] = [];
  const queues: XdpRings[] = [];
  let xdpLibc: XdpLibc | undefined;
  let pollSet = new Int32Array(new SharedArrayBuffer(POLLFD));
  let pollAddress = 0;
  let passed = 0;
  const collectGarbage = garbageCollector();
  let outdated = 0;

  /** { int fd; short events; short revents } for the eventfd, then for each socket, then for each queue of an interface. */
  function watch(next: readonly WorkerSocket[]): void {
    sockets = next;
    pollSet = new Int32Array(new SharedArrayBuffer(POLLFD * (1 + next.length + queues.length)));
    [wakeFd, ...[...next, ...queues].map(({ fd }) => fd)].forEach((fd, i) => {
      pollSet[2 * i] = fd;
      pollSet[2 * i + 1] = POLLIN;
    });
    pollAddress = libc.addressOf(new Uint8Array(pollSet.buffer));
  }

  function takeMessages(version: number): void {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const message = next.message as WorkerMessage;
      if (message.kind === "tables") {
        if (context.tables !== undefined) outdated++;
        useTables(context, message.tables);
      } else if (message.kind === "queue") {
        read(message.socket, message.listeners);
      } else if (message.kind === "no-queues") {
        queues.length = 0;
        watch(sockets);
      } else {
        watch(message.sockets);
      }
    }
    passed = version;
    Atomics.store(control, Control.Passed, version);
    if (outdated >= MOST_OUTDATED) freeTables();
  }

  function read(socket: XdpSocket, listeners: readonly Listener[]): void {
    try {
      xdpLibc ??= loadXdpLibc(libc);
      const rings = mapXdpRings(xdpLibc, socket, listeners, batches);
      queues.push(rings);
      watch(sockets);
      report({ kind: "reading", fd: rings.fd, mapped: rings.mapped });
    } catch (error) {
      report({ kind: "unreadable", fd: socket.fd, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Takes some ten milliseconds, in which nobody is answered. */
  function freeTables(): void {
    collectGarbage();
    outdated = 0;
  }

  watch([]);
  report({ kind: "ready" });
  let rounds = 0;
  for (;;) {
    const version = Atomics.load(control, Control.Version);
    if (version !== passed) takeMessages(version);
    if (Atomics.load(control, Control.Stop) !== 0) return;
    if (libc.poll(pollAddress, 1 + sockets.length + queues.length, outdated > 0 ? LULL_MS : IDLE_MS) <= 0) {
      if (outdated > 0) freeTables();
      continue;
    }
    if (pollSet[1] !== POLLIN) libc.read(wakeFd, wakeWord, 8); // revents are the upper half of the word
    for (let s = 0; s < sockets.length; s++) {
      if (pollSet[2 * s + 3] === POLLIN) continue;
      const { fd, isV6 } = sockets[s]!;
      const batch = isV6 ? batches[1] : batches[0];
      for (let row = 0; row < IN_A_ROW; row++) {
        const count = libc.recvmmsg(fd, batch.headers, BATCH, MSG_DONTWAIT, 0);
        if (count <= 0) break;
        clock = Date.now();
        const timed = (rounds++ & (TIMED - 1)) === 0;
        const started = timed ? performance.now() : 0;
        if (count > 1 && context.tables !== undefined) control[Control.Warmed] = warmPlaces(context.tables.routing, batch, count, isV6);
        const silent = answerBatch(batch, count, isV6, fd, clock, source, context, control, queue);
        send(libc, fd, batch, count, silent, control);
        if (timed) sample(started, samples, control);
        batch.reset(count);
        if (count < BATCH || Atomics.load(control, Control.Version) !== passed) break;
      }
    }
    for (let q = 0; q < queues.length; q++) {
      if (pollSet[2 * (sockets.length + q) + 3] === POLLIN) continue;
      const rings = queues[q]!;
      for (let row = 0; row < IN_A_ROW; row++) {
        const count = rings.receive();
        if (count === 0) break;
        const { batch } = rings;
        clock = Date.now();
        const timed = (rounds++ & (TIMED - 1)) === 0;
        const started = timed ? performance.now() : 0;
        const isV6 = rings.isV6();
        if (count > 1 && context.tables !== undefined) control[Control.Warmed] = warmPlaces(context.tables.routing, batch, count, isV6);
        answerBatch(batch, count, isV6, rings.socket(), clock, source, context, control, queue);
        rings.send();
        if (timed) sample(started, samples, control);
        batch.reset(count);
        if (Atomics.load(control, Control.Version) !== passed) break;
      }
    }
  }
}

function sample(started: number, samples: Float64Array, control: Int32Array): void {
  const sampled = control[Control.Sampled]!;
  samples[sampled % SAMPLES] = (performance.now() - started) / 1000;
  Atomics.store(control, Control.Sampled, sampled + 1);
}

/** @returns how many of the messages get no answer; their length is 0 */
function answerBatch(
  batch: Batch,
  count: number,
  isV6: boolean,
  fd: number,
  now: number,
  source: Source,
  context: AnswerContext,
  control: Int32Array,
  queue: SlowQueue | undefined,
): number {
  const { slots, views, senders, words, receivedWord, lengthWord } = batch;
  let silent = 0;
  source.isV6 = isV6;
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const sender = senders[i]!;
    const received = words[receivedWord + i * HEADER_WORDS]!;
    let length = 0;
    if ((sender[2]! | sender[3]!) !== 0) {
      // port 0 cannot be answered
      readSender(sender, isV6, source);
      context.message = slot;
      context.view = views[i]!;
      try {
        length = answer(slot, received, source, slot, context);
        if (length === DEFER) {
          if (fd >= 0) queue?.defer(slot, received, context.lane, sender, fd, now);
          length = 0; // somebody else sends the answer
        }
      } catch (error) {
        if (Atomics.add(control, Control.Faults, 1) === 0) {
          report({ kind: "fault", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
        }
      }
    }
    words[lengthWord + i * IOVEC_WORDS] = length;
    if (length === 0) silent++;
  }
  return silent;
}

function readSender(sender: Uint8Array, isV6: boolean, source: Source): void {
  if (isV6) {
    for (let i = 0; i < 16; i++) source.v6[i] = sender[SOCKADDR_V6.address + i]!;
  } else {
    const at = SOCKADDR_V4.address;
    source.v4 = ((sender[at]! << 24) | (sender[at + 1]! << 16) | (sender[at + 2]! << 8) | sender[at + 3]!) >>> 0;
  }
}

/** Sends the answers between the silent ones. One that the kernel refuses (a firewall, no route) is counted and passed over. */
function send(libc: Libc, fd: number, batch: Batch, count: number, silent: number, control: Int32Array): void {
  const { words, lengthWord, headers, headerSize } = batch;
  let at = 0;
  while (at < count) {
    let end = count;
    if (silent > 0) {
      while (at < count && words[lengthWord + at * IOVEC_WORDS] === 0) at++;
      end = at;
      while (end < count && words[lengthWord + end * IOVEC_WORDS] !== 0) end++;
      if (at === end) return;
    }
    const sent = libc.sendmmsg(fd, headers + at * headerSize, end - at, 0);
    if (sent > 0) {
      at += sent;
    } else {
      control[Control.Errno] = libc.errno();
      Atomics.add(control, Control.Unsent, 1);
      at++;
    }
  }
}

inlineMore();
try {
  run(loadLibc(), workerData as WorkerStart);
} catch (error) {
  if (!(error instanceof FastTransportUnavailable)) throw error;
  report({ kind: "unavailable", message: error.message });
}
