/** Measures one failover of the real demo as a client outside sees it. */
import { performance } from "node:perf_hooks";
import { type Sample, watchAnswers } from "./answer-watch.ts";
import { type Demo, startDemo } from "./demo.ts";

export interface FailoverCase {
  /** SIGKILL: the port refuses. SIGSTOP: it is silent. */
  readonly signal: "SIGKILL" | "SIGSTOP";
  readonly cluster: string;
  /** A network near the cluster. */
  readonly subnet: string;
  readonly from: string;
  /** Address of the cluster that is next nearest. */
  readonly to: string;
}

export interface FailoverResult {
  /** From the signal to the first question that was answered with the next cluster, and every later one too. */
  readonly milliseconds: number;
  readonly questions: number;
  /** Answers that were empty, failed, or named neither the old nor the new address. Must be none. */
  readonly wrong: readonly Sample[];
  /** Questions without an answer. Must be none. */
  readonly lost: number;
}

/** A German network, whose nearest cluster is Dublin and whose next nearest is N. Virginia. */
export const GERMANY: Omit<FailoverCase, "signal"> = { cluster: "eu-west", subnet: "91.64.0.0/24", from: "127.0.10.1", to: "127.0.10.2" };

const QUESTION_EVERY_MS = 50;
const GIVE_UP_MS = 15_000;

/** Breaks a cluster of a running demo and watches `shop.demo.example` until the answers have moved for a whole second. */
export async function measureFailover(demo: Demo, { signal, cluster, subnet, from, to }: FailoverCase): Promise<FailoverResult> {
  const watch = await watchAnswers(demo.dnsPort, "shop.demo.example", subnet, QUESTION_EVERY_MS);
  try {
    await watch.until((sample) => sample.addresses[0] === from, GIVE_UP_MS);
    const broken = performance.now();
    process.kill(demo.pids.get(cluster) ?? Number.NaN, signal);
    const moved = await watch.until((sample) => sample.addresses[0] === to, GIVE_UP_MS);
    await watch.until((sample) => sample.asked > moved.asked + 1_000, GIVE_UP_MS);
    const samples = watch.samples();
    const lastOld = samples.findLastIndex((sample) => sample.addresses[0] === from);
    const settled = samples[lastOld + 1];
    return {
      milliseconds: (settled?.asked ?? Number.POSITIVE_INFINITY) - broken,
      questions: samples.length,
      wrong: samples.filter(
        (sample) => sample.rcode !== "NOERROR" || sample.addresses.length !== 1 || ![from, to].includes(sample.addresses[0] ?? ""),
      ),
      lost: watch.lost(),
    };
  } finally {
    watch.close();
  }
}

/** As {@link measureFailover}, in a fresh demo: a cluster that failed lately returns later each time. */
export async function measureInFreshDemo(failover: FailoverCase): Promise<FailoverResult> {
  const demo = await startDemo();
  try {
    return await measureFailover(demo, failover);
  } finally {
    await demo.stop();
  }
}

/** The middle value; of two middle values the greater. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
