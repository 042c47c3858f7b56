/** What tests make go wrong, and what they read of what was asked. */
import { StatusError } from "./status-error.ts";

/** Which requests; what is absent does not matter. */
export interface RequestMatch {
  readonly method?: string;
  readonly path?: RegExp;
  /** `list`, `watch`, `get`, `create`, `update`, `patch`, `delete`, … */
  readonly verb?: string;
}

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly verb: string;
}

/** What becomes of a request before it is looked at. */
export interface Fate {
  readonly drop: boolean;
  readonly hang: boolean;
  /** Milliseconds. */
  readonly delay: number;
  readonly refusal?: StatusError;
  /** Seconds, for the Retry-After header. */
  readonly retryAfter?: number;
}

export interface Faults {
  /** The next requests that match fail with a status. */
  failNext(count: number, failure: { readonly status: number; readonly retryAfter?: number; readonly match?: RequestMatch }): void;
  /** Their connections are closed without an answer. */
  dropNext(count: number, match?: RequestMatch): void;
  /** Requests get no answer. @returns what ends it: those that wait are answered then */
  hang(match?: RequestMatch): () => void;
  /** Answers come later. @returns what ends it */
  delay(milliseconds: number, match?: RequestMatch): () => void;
  /** 403 for what matches, watches under way not among it. @returns what ends it */
  forbid(match: RequestMatch): () => void;
  /** Nobody gets an answer, and connections are closed. @returns what ends it */
  outage(): () => void;
  /** For the server. */
  fateOf(asked: Asked): Fate;
  /** For the server: resolves when a request may go on that hung. */
  untilReleased(asked: Asked): Promise<void>;
  isDown(): boolean;
}

interface Countdown {
  left: number;
  readonly match: RequestMatch;
  readonly fate: Partial<Fate>;
}

const matches = ({ method, path, verb }: RequestMatch, asked: Asked): boolean =>
  (method === undefined || method === asked.method) &&
  (path === undefined || path.test(asked.path)) &&
  (verb === undefined || verb === asked.verb);

/** @param closeAll closes every connection */
export function createFaults(closeAll: () => void): Faults {
  const countdowns: Countdown[] = [];
  const standing = new Set<{ readonly match: RequestMatch; readonly fate: Partial<Fate> }>();
  const waiting = new Set<() => void>();
  let outages = 0;

  const stand = (match: RequestMatch, fate: Partial<Fate>): (() => void) => {
    const entry = { match, fate };
    standing.add(entry);
    return () => {
      standing.delete(entry);
      for (const wake of [...waiting]) wake();
    };
  };
  const failure = (status: number, message: string): StatusError => new StatusError(status, message);
  const fateOf = (asked: Asked): Fate => {
    const counted = countdowns.find(({ left, match }) => left > 0 && matches(match, asked));
    if (counted !== undefined) counted.left--;
    const all = [...standing].filter(({ match }) => matches(match, asked)).map(({ fate }) => fate);
    const base: Fate = { drop: outages > 0, hang: false, delay: 0 };
    return Object.assign(base, ...all, counted?.fate ?? {});
  };

  return {
    failNext(count, { status, retryAfter, match = {} }) {
      const refusal = failure(status, `the test wants ${status}`);
      countdowns.push({ left: count, match, fate: retryAfter === undefined ? { refusal } : { refusal, retryAfter } });
    },
    dropNext(count, match = {}) {
      countdowns.push({ left: count, match, fate: { drop: true } });
    },
    hang: (match = {}) => stand(match, { hang: true }),
    delay: (milliseconds, match = {}) => stand(match, { delay: milliseconds }),
    forbid: (match) => stand(match, { refusal: failure(403, "forbidden: the test wants it so") }),
    outage() {
      outages++;
      closeAll();
      return () => {
        outages--;
      };
    },
    fateOf,
    async untilReleased(asked) {
      const hangs = (): boolean => [...standing].some(({ match, fate }) => fate.hang === true && matches(match, asked));
      while (hangs()) {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    isDown: () => outages > 0,
  };
}
