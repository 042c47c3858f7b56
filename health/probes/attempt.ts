/** One probe under its hard deadline. It implements a port, so it may use the machine's clock. */
import type { ProbeReason, ProbeResult } from "../../src/model/health.ts";
import { ms } from "../../src/model/units.ts";
import type { ProbeLimits } from "../ports.ts";
import { probeReason } from "./probe-reason.ts";

export interface Attempt {
  /** Ends the probe; later calls change nothing. */
  finish(reason: ProbeReason, load?: number): void;
  /** Ends the probe with the class of an error. */
  fail(error: unknown): void;
  /** From now on the deadline ends the probe with this reason instead of `timeout`: the rest no longer matters. */
  settle(reason: ProbeReason, load?: number): void;
  /** The connection stands; its round trip is the time since `dialledAt` (of the monotonic clock). */
  connected(dialledAt: number): void;
  /** Closes something when the probe ends, however it ends; at once if it has ended. */
  release(close: () => void): void;
}

/** Runs one probe. Never rejects: whatever `run` throws is classified. After `timeout` nothing that it has opened stays open. */
export function attempt(limits: ProbeLimits, run: (attempt: Attempt) => void): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const closers: (() => void)[] = [];
    let roundTrip: number | undefined;
    let settled: { reason: ProbeReason; load?: number | undefined } | undefined;
    let done = false;

    const finish = (reason: ProbeReason, load?: number): void => {
      if (done) return;
      done = true;
      clearTimeout(deadline);
      limits.signal.removeEventListener("abort", expire);
      for (const close of closers) close();
      resolve({
        ok: reason === "ok",
        reason,
        latency: ms(performance.now() - startedAt),
        ...(roundTrip === undefined ? {} : { roundTrip: ms(roundTrip) }),
        ...(load === undefined ? {} : { load }),
      });
    };
    const expire = (): void => finish(settled?.reason ?? "timeout", settled?.load);
    // After a stall of this process the timer fires before sockets are read: look at them once more before blaming the endpoint.
    const deadline = setTimeout(() => setImmediate(expire), limits.timeout);
    limits.signal.addEventListener("abort", expire, { once: true });

    const self: Attempt = {
      finish,
      fail: (error) => finish(probeReason(error)),
      settle: (reason, load) => {
        settled = { reason, load };
      },
      connected: (dialledAt) => {
        roundTrip = performance.now() - dialledAt;
      },
      release: (close) => {
        if (done) close();
        else closers.push(close);
      },
    };
    if (limits.signal.aborted) return expire();
    try {
      run(self);
    } catch (error) {
      self.fail(error);
    }
  });
}
