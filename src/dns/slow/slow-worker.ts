/**
 * A thread that answers the queries that need a signature made now: it runs the very same `answer()`, with keys. At low priority, so that no
 * flood of them takes the processor from the threads that answer at once.
 */
import { constants, setPriority } from "node:os";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { garbageCollector } from "../collect-garbage.ts";
import { FastTransportUnavailable, type Libc, loadLibc, MSG_DONTWAIT } from "../fast/libc.ts";
import { LANE_KNOWN, LANE_RANDOM, type Lane } from "./lane.ts";
import { newQueued, popQueued, type Queued } from "./rings.ts";
import { createSlowAnswerer, type SlowAnswerer } from "./slow-answerer.ts";
import { SeatState, SlowControl, type SlowMessage, type SlowReport, type SlowStart } from "./slow-link.ts";

/** Whoever sent a query that is older, ms, has asked again. */
const OLDEST = 1000;
/** Nothing depends on it: whoever has work to do wakes the worker. */
const IDLE_MS = 1000;
/** The largest answer over TCP. */
const LARGEST = 0xffff;

const report = (message: SlowReport): void => parentPort?.postMessage(message);

function run({ link, state, port, counters, settings }: SlowStart, libc: Libc | undefined): void {
  const { control, queues } = link;
  const answerer = createSlowAnswerer({ now: Date.now, random: Math.random, recent: link.recent, counters, settings });
  const entry = newQueued();
  const out = new Uint8Array(LARGEST);
  const collectGarbage = garbageCollector();
  let hasTables = false;
  let passed = 0;
  let next = 0;

  function takeMessages(version: number): void {
    const isOutdated = hasTables;
    for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port)) {
      const { tables, secrets } = received.message as SlowMessage;
      answerer.use(tables, secrets);
      hasTables = true;
    }
    if (isOutdated) collectGarbage();
    passed = version;
  }

  /** Producers take turns. */
  function serveOne(lane: Lane): boolean {
    for (let i = 0; i < queues.length; i++) {
      const producer = (next + i) % queues.length;
      if (!popQueued(queues[producer]![lane], Date.now() | 0, OLDEST, entry)) continue;
      next = producer + 1;
      serve(answerer, entry, out, state, libc);
      return true;
    }
    return false;
  }

  for (;;) {
    const woken = Atomics.load(control, SlowControl.Wake);
    const version = Atomics.load(state, SeatState.Version);
    if (version !== passed) takeMessages(version);
    if (Atomics.load(state, SeatState.Stop) !== 0) return;
    if (serveOne(LANE_KNOWN) || serveOne(LANE_RANDOM)) continue;
    // Whoever hands over a query after this either sees that somebody sleeps, or is seen by the look that follows.
    Atomics.add(control, SlowControl.Sleeping, 1);
    if (!serveOne(LANE_KNOWN) && !serveOne(LANE_RANDOM)) Atomics.wait(control, SlowControl.Wake, woken, IDLE_MS);
    Atomics.sub(control, SlowControl.Sleeping, 1);
  }
}

function serve(answerer: SlowAnswerer, entry: Queued, out: Uint8Array, state: Int32Array, libc: Libc | undefined): void {
  let length = 0;
  try {
    length = answerer.answer(entry, out);
  } catch (error) {
    if (Atomics.add(state, SeatState.Faults, 1) === 0) {
      report({ kind: "fault", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
  Atomics.store(state, SeatState.Signed, answerer.signed() | 0); // before anybody can have seen the answer
  if (entry.socket < 0) {
    report({ kind: "answer", ticket: entry.ticket, bytes: out.slice(0, length) });
    return;
  }
  // A socket's buffer that is full means that nobody would get the answer in time anyway.
  if (length > 0 && libc !== undefined && libc.sendto(entry.socket, out, length, MSG_DONTWAIT, entry.sender, entry.senderLength) < 0) {
    state[SeatState.Errno] = libc.errno();
    Atomics.add(state, SeatState.Unsent, 1);
  }
}

/** Without it only the main thread hands queries over, and sends their answers itself. */
function libcIfAny(): Libc | undefined {
  try {
    return loadLibc();
  } catch (error) {
    if (error instanceof FastTransportUnavailable) return undefined;
    throw error;
  }
}

/** On Linux this is the priority of the calling thread alone; elsewhere it would be the whole process's. */
function yieldToOthers(): void {
  if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
}

yieldToOthers();
run(workerData as SlowStart, libcIfAny());
