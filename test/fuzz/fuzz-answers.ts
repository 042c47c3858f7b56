/** Hostile packets into the answering function, in process: each answer checked, and made twice, apart and in place. */
import { appendTsig, type TsigKey } from "../../src/dns/transfer/tsig.ts";
import { decodeMessage } from "../../src/dns/wire/decode-message.ts";
import { createHostilePackets } from "../support/hostile-packets.ts";
import { checkAnswer, checkByPeer } from "./check-answer.ts";

/** The one transaction key that subjects know. */
export const FUZZ_KEY: TsigKey = { name: "many.example.org", algorithm: "hmac-sha256", secret: new Uint8Array(32).fill(9) };

/** One way to answer. Both functions get the same packets in the same order and must say the same. */
export interface FuzzSubject {
  readonly name: string;
  readonly isUdp: boolean;
  /** Bytes that an answer may take. */
  readonly room: number;
  /** @returns bytes written into `out`; 0 = nothing is sent */
  readonly apart: (query: Uint8Array, length: number, out: Uint8Array) => number;
  /** As `apart`, over the query's own bytes. */
  readonly inPlace: (message: Uint8Array, length: number) => number;
  /** Milliseconds since the epoch, as the answering threads have it. */
  readonly now: () => number;
  /** True when a query may go without an answer (rate limits). */
  readonly mayDrop: boolean;
}

export interface FuzzCounts {
  packets: number;
  answered: number;
  /** Milliseconds that the slowest packet took. */
  slowest: number;
  /** Answers by RCODE, without its upper bits. */
  readonly rcodes: number[];
}

export const newFuzzCounts = (): FuzzCounts => ({ packets: 0, answered: 0, slowest: 0, rcodes: new Array<number>(16).fill(0) });

/** One answer of so many is shown to an unrelated decoder too. */
const PEER_SAMPLE = 1000;
/** One answer of so many is looked at for a cookie to send back. No multiple of the number of subjects. */
const LEARN = 11;
const COOKIE = 10;
const GUARD = 64;
const CANARY = 0xaa;

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/**
 * Sends `packets` packets of a seed to the subjects in turn, and adds to `counts`.
 *
 * @param now milliseconds, monotonic
 * @throws with seed, packet number and bytes, at the first thing that is wrong
 */
export function fuzzAnswers(subjects: readonly FuzzSubject[], packets: number, seed: number, counts: FuzzCounts, now: () => number): void {
  let at = 0;
  const hostile = createHostilePackets(seed, {
    forged: 0.75,
    sign: (message, length) => appendTsig(message, length, { key: FUZZ_KEY, mac: new Uint8Array(0), timersOnly: false }, signedAt()),
  });
  /** Now, or outside of what clocks may differ by. */
  const signedAt = (): number => subjects[at]!.now() + (hostile.random() < 0.9 ? 0 : 600_000);
  const memory = new Uint8Array(GUARD + 0xffff + GUARD).fill(CANARY);
  const windows = subjects.map(({ room }) => memory.subarray(GUARD, GUARD + room));
  const message = new Uint8Array(0xffff);

  for (let i = 0; i < packets; i++) {
    at = i % subjects.length;
    const length = hostile.next();
    const subject = subjects[at]!;
    const out = windows[at]!;
    const fail = (what: string, bytes = 0): never => {
      const shown = bytes > 0 ? `\nanswer ${hexOf(out.subarray(0, bytes))}` : "";
      throw new Error(`${subject.name}: ${what}; seed ${seed}, packet ${i}\nquery ${hexOf(hostile.buffer.subarray(0, length))}${shown}`);
    };
    const started = now();
    for (let k = 0; k < length; k++) message[k] = hostile.buffer[k]!;
    let [written, again] = [0, 0];
    try {
      // in turn: what the first one has signed, the second one finds signed
      const isFirst = hostile.random() < 0.5;
      if (isFirst) again = subject.inPlace(message, length);
      written = subject.apart(hostile.buffer, length, out);
      if (!isFirst) again = subject.inPlace(message, length);
    } catch (error) {
      fail(`threw ${error instanceof Error ? error.stack : String(error)}`);
    }
    counts.slowest = Math.max(counts.slowest, now() - started);
    counts.packets++;
    if (again !== written) fail(`${written} bytes apart, ${again} in place`, written);
    if (written === 0) {
      const isQuery = length >= 12 && (hostile.buffer[2]! & 0x80) === 0;
      if (isQuery && !subject.mayDrop) fail("a query got no answer");
      continue;
    }
    for (let k = 0; k < written; k++) if (message[k] !== out[k]) fail(`byte ${k} is ${message[k]} in place`, written);
    const fault = checkAnswer(hostile.buffer, length, out.subarray(0, written), subject.isUdp);
    if (fault !== undefined) fail(fault, written);
    if (counts.answered++ % PEER_SAMPLE === 0) {
      const disagreement = checkByPeer(out.subarray(0, written));
      if (disagreement !== undefined) fail(disagreement, written);
    }
    if (i % LEARN === 0) {
      const cookie = decodeMessage(out.subarray(0, written))?.edns?.options.find(({ code }) => code === COOKIE);
      if (cookie !== undefined) hostile.learn(cookie.data);
    }
    counts.rcodes[out[3]! & 15]!++;
  }
  for (let k = 0; k < GUARD; k++) {
    if (memory[k] !== CANARY || memory[memory.length - 1 - k] !== CANARY)
      throw new Error(`seed ${seed}: bytes outside of the answer's buffer were written`);
  }
}
