/**
 * The pace of requests of one account: so many at once, then so many a second, for all of them and for some actions by themselves. Urgent
 * requests go before all others. Who is told that it was too fast slows down, and speeds up again little by little.
 */

export interface RequestLaneOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** @returns what cancels it */
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
}

export interface RequestLane {
  /** @returns when a request of the action may be sent @throws the signal's reason */
  enter(action: string, isUrgent: boolean, signal: AbortSignal): Promise<void>;
  /** A request of the action was refused because there were too many. */
  tooFast(action: string): void;
}

interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Less than an account may send, as others share it (Route 53 Developer Guide, "Throttling API requests": 50 at once, 10 a second). */
const ACCOUNT: Rate = { burst: 40, perSecond: 8 };
/** Actions that have a narrower limit of their own (there: 50 and 0.5, 15 and 3, 40 and 5). */
const BY_ACTION: Readonly<Record<string, Rate>> = {
  CreateHealthCheck: { burst: 40, perSecond: 0.4 },
  DeleteHealthCheck: { burst: 12, perSecond: 2 },
  CreateCidrCollection: { burst: 30, perSecond: 4 },
  ChangeCidrCollection: { burst: 30, perSecond: 4 },
  DeleteCidrCollection: { burst: 30, perSecond: 4 },
};

/** What is left of the pace at worst, and what of it comes back per second when nothing is refused. */
const [SLOWEST, GAIN] = [1 / 8, 1 / 16] as const;

export function createRequestLane(options: RequestLaneOptions): RequestLane {
  const all = createGate(ACCOUNT, options);
  const gates = new Map(Object.entries(BY_ACTION).map(([action, rate]) => [action, createGate(rate, options)]));
  return {
    async enter(action, isUrgent, signal) {
      await gates.get(action)?.pass(isUrgent, signal);
      await all.pass(isUrgent, signal);
    },
    tooFast: (action) => (gates.get(action) ?? all).narrow(),
  };
}

interface Gate {
  pass(isUrgent: boolean, signal: AbortSignal): Promise<void>;
  narrow(): void;
}

function createGate({ burst, perSecond }: Rate, { now, setTimer }: RequestLaneOptions): Gate {
  interface Waiting {
    readonly go: () => void;
  }
  const [urgent, others] = [new Set<Waiting>(), new Set<Waiting>()];
  let tokens = burst;
  /** 0..1 of the full one. */
  let pace = 1;
  let filledAt = now();
  let cancel: (() => void) | undefined;

  function fill(): void {
    const seconds = (now() - filledAt) / 1000;
    filledAt = now();
    tokens = Math.min(burst, tokens + pace * perSecond * seconds);
    pace = Math.min(1, pace + GAIN * seconds);
  }

  function serve(): void {
    cancel?.();
    cancel = undefined;
    fill();
    for (const queue of [urgent, others]) {
      for (const waiting of queue) {
        if (tokens < 1) break;
        tokens--;
        queue.delete(waiting);
        waiting.go();
      }
    }
    if (urgent.size + others.size > 0) cancel = setTimer(Math.ceil(((1 - tokens) / (pace * perSecond)) * 1000), serve);
  }

  return {
    pass: (isUrgent, signal) =>
      new Promise((resolve, reject) => {
        const queue = isUrgent ? urgent : others;
        const leave = (): void => {
          queue.delete(waiting);
          reject(signal.reason);
        };
        const waiting: Waiting = {
          go() {
            signal.removeEventListener("abort", leave);
            resolve();
          },
        };
        if (signal.aborted) return reject(signal.reason);
        signal.addEventListener("abort", leave, { once: true });
        queue.add(waiting);
        serve();
      }),
    narrow() {
      fill();
      tokens = Math.min(tokens, 0);
      pace = Math.max(SLOWEST, pace / 2);
    },
  };
}
