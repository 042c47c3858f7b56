/**
 * The load generator of `bench/dns.ts`: a process of its own, to be pinned to a core. Takes its {@link LoadSpec} as JSON in the first
 * argument and prints {@link LoadResult} as JSON.
 *
 * It never sleeps: a server would have to wake it up, which no client across a network asks of it.
 *
 * Closed loop: each socket keeps `window` queries outstanding. Open loop: queries leave at a fixed rate, one socket after the other, whether
 * answers come or not. A query without an answer within half a second is lost, and its place is free again.
 */
import { readFileSync } from "node:fs";
import { MAX_SEGMENTS, openClientSockets, SLOT } from "./client-sockets.ts";
import { addLatency, latencyAt, newHistogram } from "./histogram.ts";
import { processCpuSeconds } from "./process-cpu.ts";
import { QUERIES, readQueryFile } from "./query-file.ts";

export interface LoadSpec {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Of the server, whose CPU time is read at the start and the end of the window that is measured. */
  readonly pid: number;
  readonly queryFile: string;
  readonly sockets: number;
  /** Queries that each socket may have outstanding in a closed loop. */
  readonly window: number;
  /** Queries a second; without it a closed loop. */
  readonly rate?: number;
  /** Before the window that is measured. */
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** Of the window that is measured. */
export interface LoadResult {
  readonly seconds: number;
  readonly answered: number;
  /** Sent and not answered within half a second. */
  readonly lost: number;
  /** Answers that are no answer (QR), have an RCODE, or hold no record. */
  readonly wrong: number;
  /** Answers that nobody waited for, such as those of lost queries. */
  readonly stray: number;
  readonly serverCpuSeconds: number;
  /** Share of the time in which this generator found nothing to do: what it had in reserve. */
  readonly idle: number;
  /** Share of the queries that left more than 100 µs late, or were left out because the generator was 10 ms behind (open loop). */
  readonly late: number;
  /** Microseconds from sending to receiving. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Milliseconds. */
const LOST_AFTER = 500;
const SWEEP_EVERY = 100;
/** Open places that make a send worth its call while answers keep coming. */
const WORTH_SENDING = 8;
/** Rounds without anything to do after which every open place is used. */
const STILL = 10;
/** Milliseconds. */
const LATE = 0.1;
const HOPELESS = 10;
/** Queries of one socket. They leave in the order of their ids, from `next`; everything before `oldest` is answered or lost. */
interface Flow {
  next: number;
  oldest: number;
  outstanding: number;
  /** Milliseconds of each id's sending; 0 = not outstanding. */
  readonly sentAt: Float64Array;
}

function run(spec: LoadSpec): LoadResult {
  const { bytes, length } = readQueryFile(readFileSync(spec.queryFile));
  const sockets = openClientSockets(spec.port, spec.sockets, bytes, length);
  const { answers } = sockets;
  const flows = Array.from({ length: spec.sockets }, (_, i): Flow => {
    const first = Math.floor((i * QUERIES) / spec.sockets);
    return { next: first, oldest: first, outstanding: 0, sentAt: new Float64Array(QUERIES) };
  });
  let histogram = newHistogram();
  let answered = 0;
  let lost = 0;
  let wrong = 0;
  let stray = 0;
  let late = 0;
  let idle = 0;
  let sent = 0;

  /** @returns how many went out */
  const send = (index: number, wanted: number, now: number): number => {
    const flow = flows[index]!;
    const count = Math.min(wanted, MAX_SEGMENTS, QUERIES - flow.next);
    if (sockets.send(index, flow.next, count) === 0) return 0;
    flow.sentAt.fill(now, flow.next, flow.next + count);
    flow.next = (flow.next + count) % QUERIES;
    flow.outstanding += count;
    return count;
  };

  /** @returns how many came in */
  const receive = (index: number): number => {
    const flow = flows[index]!;
    const count = sockets.receive(index);
    if (count === 0) return 0;
    const now = performance.now();
    for (let i = 0; i < count; i++) {
      const at = i * SLOT;
      const id = (answers[at]! << 8) | answers[at + 1]!;
      const sentAt = flow.sentAt[id]!;
      if (sentAt === 0) {
        stray++;
        continue;
      }
      flow.sentAt[id] = 0;
      flow.outstanding--;
      answered++;
      addLatency(histogram, (now - sentAt) * 1000);
      const isAnswer = sockets.lengthOf(i) >= 12 && (answers[at + 2]! & 0x80) !== 0 && (answers[at + 3]! & 15) === 0;
      if (!isAnswer || (answers[at + 6]! | answers[at + 7]!) === 0) wrong++;
    }
    return count;
  };

  const sweep = (now: number): void => {
    for (const flow of flows) {
      for (; flow.oldest !== flow.next; flow.oldest = (flow.oldest + 1) % QUERIES) {
        const sentAt = flow.sentAt[flow.oldest]!;
        if (sentAt === 0) continue;
        if (now - sentAt < LOST_AFTER) break;
        flow.sentAt[flow.oldest] = 0;
        flow.outstanding--;
        lost++;
      }
    }
  };

  /**
   * @param worth open places of a socket that make it worth a call
   * @returns whether anything went out
   */
  const fillWindows = (worth: number): boolean => {
    let did = false;
    for (let i = 0; i < flows.length; i++) {
      const open = spec.window - flows[i]!.outstanding;
      if (open >= worth) did = send(i, open, performance.now()) > 0 || did;
    }
    return did;
  };

  let turn = 0;
  /** @returns whether anything was due */
  const sendDue = (rate: number, startedAt: number): boolean => {
    const now = performance.now();
    const due = Math.floor((rate * (now - startedAt)) / 1000) - sent;
    // Behind by more than the process could catch up with: these queries are never sent, rather than all at once.
    const skipped = Math.max(0, due - Math.ceil((rate * HOPELESS) / 1000));
    sent += skipped;
    late += skipped;
    for (let left = Math.min(due - skipped, flows.length); left > 0; left--) {
      turn = (turn + 1) % flows.length;
      if (now - startedAt - (1000 * (sent + 1)) / rate > LATE) late++;
      sent++;
      send(turn, 1, now);
    }
    return due > 0;
  };

  /** Runs until `end`. */
  const drive = (end: number): void => {
    const startedAt = performance.now();
    sent = 0;
    let swept = startedAt;
    let quiet = 0;
    for (let now = startedAt; now < end; ) {
      let did = spec.rate === undefined ? fillWindows(quiet > STILL ? 1 : WORTH_SENDING) : sendDue(spec.rate, startedAt);
      for (let i = 0; i < flows.length; i++) if (flows[i]!.outstanding > 0) did = receive(i) > 0 || did;
      quiet = did ? 0 : quiet + 1;
      const after = performance.now();
      if (!did) idle += after - now;
      if (after - swept > SWEEP_EVERY) {
        sweep(after);
        swept = after;
      }
      now = after;
    }
  };

  drive(performance.now() + 1000 * spec.warmupSeconds);
  histogram = newHistogram();
  answered = lost = wrong = stray = late = idle = 0;
  const cpuBefore = processCpuSeconds(spec.pid);
  const startedAt = performance.now();
  drive(startedAt + 1000 * spec.seconds);
  const elapsed = (performance.now() - startedAt) / 1000;
  const serverCpuSeconds = processCpuSeconds(spec.pid) - cpuBefore;
  sockets.close();
  return {
    seconds: elapsed,
    answered,
    lost,
    wrong,
    stray,
    serverCpuSeconds,
    idle: idle / 1000 / elapsed,
    late: late / Math.max(1, sent),
    p50: latencyAt(histogram, 0.5),
    p99: latencyAt(histogram, 0.99),
    p999: latencyAt(histogram, 0.999),
  };
}

const spec: LoadSpec = JSON.parse(process.argv[2] ?? "{}");
process.stdout.write(`${JSON.stringify(run(spec))}\n`);
