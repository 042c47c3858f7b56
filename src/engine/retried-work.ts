/** A piece of work that is asked for again and again: never twice at one time, and again by itself after it failed. */

export interface RetriedWork {
  /** Asks for it; requests that come while one waits become one. @returns when what was asked for until now has been tried */
  request(): Promise<void>;
  /** Resolves when nothing that was asked for until now is under way. */
  settled(): Promise<void>;
  /** Why the newest try failed, if it did. */
  failure(): string | undefined;
  /** What waits is dropped, what is under way is not told of any more. */
  stop(): void;
}

export interface RetriedWorkPorts {
  /** Rejects when it could not be done. */
  readonly run: () => Promise<void>;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
  /** Milliseconds. */
  readonly retryAfter: number;
  readonly onError: (error: unknown) => void;
}

export function createRetriedWork({ run, setTimer, retryAfter, onError }: RetriedWorkPorts): RetriedWork {
  let work: Promise<void> = Promise.resolve();
  let isWaiting = false;
  let isStopped = false;
  let failure: string | undefined;
  let cancelRetry = () => {};

  async function attempt(): Promise<void> {
    isWaiting = false;
    cancelRetry();
    if (isStopped) return;
    try {
      await run();
      failure = undefined;
    } catch (error) {
      if (isStopped) return;
      failure = error instanceof Error ? error.message : String(error);
      onError(error);
      cancelRetry = setTimer(retryAfter, () => void request());
    }
  }

  function request(): Promise<void> {
    if (!isWaiting) {
      isWaiting = true;
      work = work.then(attempt);
    }
    return work;
  }

  return {
    request,
    settled: () => work,
    failure: () => failure,
    stop() {
      isStopped = true;
      cancelRetry();
    },
  };
}
