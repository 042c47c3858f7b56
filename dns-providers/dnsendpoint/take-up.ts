/**
 * Whether ExternalDNS reads what we write: it puts the generation that it has seen into the status of each DNSEndpoint, right before it turns
 * to its provider. What becomes of the records there it tells in its own log and metrics alone.
 */

/** An object's generation, and the one that ExternalDNS has seen. */
export interface Generations {
  readonly written: number;
  readonly observed: number;
}

export type TakeUpNews =
  /** ExternalDNS has seen everything, so many milliseconds after it was written. */
  | { readonly kind: "TakenUp"; readonly milliseconds: number }
  /** It has not seen these objects for so long, and nothing else of them meanwhile. */
  | { readonly kind: "NotTakenUp"; readonly objects: readonly string[]; readonly milliseconds: number };

export interface TakeUpOptions {
  /** @returns undefined when the object is gone */
  readonly look: (name: string, signal: AbortSignal) => Promise<Generations | undefined>;
  /** How long ExternalDNS may need, ms. */
  readonly patience: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** @throws the signal's reason */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly onNews: (news: TakeUpNews) => void;
}

export interface TakeUp {
  /** An object was written. */
  expect(name: string): void;
  close(): void;
}

/** How often objects are looked at that ExternalDNS has not seen, ms. */
const LOOK = 5000;

interface Expected {
  /** When it was written first since ExternalDNS had seen all of it. */
  readonly began: number;
  /** When ExternalDNS was last seen to do something. */
  since: number;
  /** Undefined: not yet looked at. */
  observed: number | undefined;
}

export function createTakeUp({ look, patience, now, sleep, onNews }: TakeUpOptions): TakeUp {
  const closing = new AbortController();
  const expected = new Map<string, Expected>();
  let isRunning = false;
  /** The objects of the last bad news. */
  let told = "";

  async function run(): Promise<void> {
    let began = Number.POSITIVE_INFINITY;
    while (expected.size > 0) {
      await sleep(LOOK, closing.signal);
      for (const [name, one] of [...expected]) {
        began = Math.min(began, one.began);
        await lookAt(name, one);
      }
      closing.signal.throwIfAborted();
      tellLate();
    }
    isRunning = false;
    onNews({ kind: "TakenUp", milliseconds: now() - began });
  }

  async function lookAt(name: string, one: Expected): Promise<void> {
    let found: Generations | undefined;
    try {
      found = await look(name, closing.signal);
    } catch {
      return; // an API server that is away says nothing of ExternalDNS
    }
    if (found === undefined || found.observed >= found.written) expected.delete(name);
    else {
      if (one.observed !== undefined && one.observed !== found.observed) one.since = now();
      one.observed = found.observed;
    }
  }

  function tellLate(): void {
    const late = [...expected].filter(([, { since }]) => now() - since >= patience);
    const objects = late.map(([name]) => name).sort();
    if (objects.length > 0 && objects.join() !== told)
      onNews({ kind: "NotTakenUp", objects, milliseconds: now() - Math.min(...late.map(([, { since }]) => since)) });
    told = objects.join();
  }

  return {
    expect(name) {
      if (closing.signal.aborted) return;
      const began = now();
      if (!expected.has(name)) expected.set(name, { began, since: began, observed: undefined });
      if (isRunning) return;
      isRunning = true;
      run().catch(() => {}); // closed
    },
    close: () => closing.abort(),
  };
}
