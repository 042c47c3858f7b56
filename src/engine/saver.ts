/** Writes the last good world soon after it has changed: one write at a time, and again by itself after one that failed. */

export interface Saver {
  /** Something changed that should outlive the process. */
  request(): void;
  /** Writes a last time, after what is under way; later requests do nothing. */
  finish(): Promise<void>;
  /** True while the newest write failed: a restart would find an older world, or none. */
  isFailing(): boolean;
}

export interface SaverPorts {
  /** Writes what is there now; rejects when it could not. */
  readonly write: () => Promise<void>;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Milliseconds. */
const SOON = 1000;
const RETRY = 10_000;
/** A write that took long is followed by a pause of this many times as long, so that a large world does not take up a core… */
const PAUSE = 4;
/** …but of no more than this: what a killed process forgets is bounded. */
const LONGEST_PAUSE = 30_000;

export function createSaver({ write, setTimer, now, onError }: SaverPorts): Saver {
  let waiting = false;
  let cancel = () => {};
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;
  let requested = false;
  let pause = SOON;
  let failing = false;
  let finished = false;

  function schedule(delay: number): void {
    if (waiting || finished) return;
    waiting = true;
    cancel = setTimer(delay, () => {
      waiting = false;
      void writeNext();
    });
  }

  /** One after another: two writers of one file could leave the older world behind. */
  function writeNext(): Promise<void> {
    writing = writing.then(async () => {
      const began = now();
      isWriting = true;
      requested = false;
      try {
        await write();
        failing = false;
      } catch (error) {
        failing = true;
        onError(error);
      }
      isWriting = false;
      pause = Math.min(LONGEST_PAUSE, Math.max(SOON, PAUSE * (now() - began)));
      if (failing) schedule(RETRY);
      else if (requested) schedule(pause);
    });
    return writing;
  }

  return {
    request() {
      if (isWriting) requested = true;
      else schedule(pause);
    },
    async finish() {
      finished = true;
      cancel();
      await writeNext();
    },
    isFailing: () => failing,
  };
}
