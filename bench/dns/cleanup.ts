/** Undoes what a benchmark did to the machine, however it ends: by itself, by an exception, or by a signal. */

export interface Cleanup {
  /** @param undo runs once, the latest first; must not wait for anything, because the process may be ending */
  add(undo: () => void): void;
  /** Undoes everything so far. */
  run(): void;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

export function createCleanup(): Cleanup {
  const undos: (() => void)[] = [];
  const run = (): void => {
    for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
      try {
        undo();
      } catch (error) {
        console.error(`bench: cleaning up: ${error instanceof Error ? error.message : String(error)}`); // the rest must still be undone
      }
    }
  };
  process.on("exit", run);
  for (const [signal, number] of Object.entries(SIGNALS)) process.on(signal, () => process.exit(128 + number));
  return { add: (undo) => undos.push(undo), run };
}
