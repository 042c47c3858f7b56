/**
 * Requests at a constant rate over a fixed number of connections, each with one request at a time. Time is an argument.
 *
 * A request has a moment at which it is due, whatever became of those before it, and its latency counts from there: a proxy that stands still
 * for a second is asked nothing in that second, and a generator that measured only what it sent would not see it (coordinated omission).
 */

export interface PacerOptions {
  /** Requests a second. */
  readonly rate: number;
  /** Numbered from 0; the one that has been free longest is taken. */
  readonly connections: number;
  /** Milliseconds, of any clock. Requests are due from `start` to `end`, and are counted from `measureFrom` on. */
  readonly start: number;
  readonly measureFrom: number;
  readonly end: number;
}

export interface Pacer {
  /** Sends what is due and not sent yet, as far as connections are free. */
  tick(now: number): void;
  /** The answer to what was sent on this connection. */
  answered(connection: number, now: number): void;
  /** Whether every request was sent and answered. */
  isOver(): boolean;
  /** How many requests are counted, and the latencies of those that were answered: microseconds, the shortest first. */
  result(): { readonly due: number; readonly latencies: readonly number[] };
}

export function createPacer({ rate, connections, start, measureFrom, end }: PacerOptions, send: (connection: number) => void): Pacer {
  const free = Array.from({ length: connections }, (_, i) => i);
  /** Connection → its request, numbered from 0. */
  const asked = new Float64Array(connections);
  const latencies: number[] = [];
  let sent = 0;
  /** How many are due before that time. */
  const dueBefore = (time: number): number => Math.ceil((rate * (time - start)) / 1000);
  const total = dueBefore(end);
  const firstCounted = dueBefore(measureFrom);

  return {
    tick(now) {
      const limit = Math.min(total, Math.floor((rate * (now - start)) / 1000) + 1);
      while (sent < limit && free.length > 0) {
        const connection = free.shift()!;
        asked[connection] = sent++;
        send(connection);
      }
    },
    answered(connection, now) {
      free.push(connection);
      const request = asked[connection]!;
      if (request >= firstCounted) latencies.push(1000 * (now - start - (1000 * request) / rate));
    },
    isOver: () => sent === total && free.length === connections,
    result: () => ({ due: total - firstCounted, latencies: latencies.toSorted((a, b) => a - b) }),
  };
}
