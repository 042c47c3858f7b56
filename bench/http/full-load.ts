/** A load of as many requests as are answered, whoever asks. */

export interface FullLoad {
  readonly url: string;
  /** Of the Host header. */
  readonly host: string;
  /** Each asks again as soon as it has its answer. */
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly seconds: number;
  /** Answers of any kind. */
  readonly requests: number;
  /** Answers with another status than 2xx and 3xx, and connections that failed, broke or were silent for long. */
  readonly failed: number;
  /** Microseconds, of which most is waiting for the others: every connection asks again at once. */
  readonly p50: number;
  readonly p99: number;
}

/** Runs a program on the core of the load. Rejects when it prints no result. */
export type Generator = (load: FullLoad) => Promise<LoadResult>;
