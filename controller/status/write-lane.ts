/**
 * Everything that the writer writes goes through here, one term at a time: so many writes a second, the urgent ones first, none outside
 * a term. Who is not the writer keeps nothing to write: a new writer looks at everything itself.
 */
import type { KubeError } from "../kube/kube-error.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { createWorkQueue, type WorkQueue, type WorkResult } from "../kube/work-queue.ts";
import type { WriterTerm } from "../kube/writer-fence.ts";
import { createSend, isFence, type Send } from "./fenced-send.ts";

/** Smaller numbers go first. Events are few by their own limits, and in an outage thousands of statuses wait. */
export const PRIORITY = { finalizer: 0, object: 1, event: 2, transition: 3, cosmetic: 4 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

/** What a kind of things to write is given in a term. */
export interface TermLane {
  readonly term: WriterTerm;
  readonly send: Send;
  /** @param id of the thing, within its kind */
  add(id: string, priority: Priority): void;
  addAfter(id: string, delay: number, priority: Priority): void;
}

/** One kind of things to write. */
export interface Writing {
  /** Unique, without a space: the first part of keys. */
  readonly name: string;
  /** A term begins: whatever may have to be written is looked at. Called before anything of the term runs. */
  begin(lane: TermLane): void;
  /** Writes one thing by the newest that is known. */
  write(id: string, lane: TermLane): Promise<WorkResult>;
  /** The term is over; nothing of it runs any more. */
  end(): void;
}

export interface WriteLane {
  /** Begins when nothing of the term before is under way. @returns settles when the term is over and nothing of it is under way either */
  lead(term: WriterTerm): Promise<void>;
}

export interface WriteLaneOptions {
  readonly writings: readonly Writing[];
  readonly ports: KubePorts;
  /** A write threw: a bug. It is tried again. */
  readonly onError: (key: string, error: unknown) => void;
  /** A write failed, and is tried again. */
  readonly onLater?: (key: string, error: KubeError) => void;
}

const RATE = 20;
const BURST = 20;
/** So that one slow request does not hold up the others. */
const CONCURRENCY = 4;
/** An API server takes moments to see a new Lease. When the fence stays shut for so long, somebody has to look, ms. */
const FENCE_PATIENCE = 5000;

export function createWriteLane({ writings, ports, onError, onLater }: WriteLaneOptions): WriteLane {
  const byName = new Map(writings.map((writing) => [writing.name, writing]));
  /** The newest term, until nothing of it is under way. */
  let last: Promise<void> | undefined;

  async function run(term: WriterTerm): Promise<void> {
    if (term.signal.aborted) return;
    const fenced = createSend(term, ports);
    const lanes = new Map<string, TermLane>();
    /** Since when the fence has let nothing through. */
    let shutSince: number | undefined;
    const send =
      (key: string): Send =>
      async (request) => {
        const sent = await fenced(request);
        if (sent.kind !== "Later") shutSince = undefined;
        else if (sent.error !== undefined && !term.signal.aborted) {
          if (isFence(sent.error)) shutSince ??= ports.now();
          if (!isFence(sent.error) || ports.now() - (shutSince ?? ports.now()) >= FENCE_PATIENCE) onLater?.(key, sent.error);
        }
        return sent;
      };
    const queue: WorkQueue = createWorkQueue(
      (key) => {
        const [name, id] = splitKey(key);
        return byName.get(name)!.write(id, { ...lanes.get(name)!, send: send(key) });
      },
      { rate: RATE, burst: BURST, concurrency: CONCURRENCY, onError },
      ports,
    );
    for (const writing of writings) {
      const lane: TermLane = {
        term,
        send: send(writing.name),
        add: (id, priority) => queue.add(`${writing.name} ${id}`, priority),
        addAfter: (id, delay, priority) => queue.addAfter(`${writing.name} ${id}`, delay, priority),
      };
      lanes.set(writing.name, lane);
      writing.begin(lane);
    }
    await ended(term.signal);
    await queue.shutdown();
    for (const writing of writings) writing.end();
  }

  return {
    lead(term) {
      const over = last === undefined ? run(term) : last.then(() => run(term));
      const quiet: Promise<void> = over
        .catch(() => undefined) // whoever waits for `over` is told
        .then(() => {
          if (last === quiet) last = undefined;
        });
      last = quiet;
      return over;
    },
  };
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

function splitKey(key: string): readonly [string, string] {
  const space = key.indexOf(" ");
  return [key.slice(0, space), key.slice(space + 1)];
}

/** What a queue does after a request that was not done. */
export const retry = (sent: { readonly kind: "Later"; readonly after?: number }): WorkResult =>
  sent.after === undefined ? "Retry" : { retryAfter: sent.after };
