/** Requests by what their clients were answered. */
import type { Outcomes } from "../forward/outcome.ts";

/** Classes of status codes (RFC 9110 §15), and clients that went away before an answer had begun. */
const CLASSES = ["aborted", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;
export type CodeClass = (typeof CLASSES)[number];

export interface RequestTally extends Pick<Outcomes, "request"> {
  /** Since the start; what has not occurred is left out. */
  readonly requests: () => Iterable<{ readonly code: CodeClass; readonly count: number }>;
}

/** @param onDuration seconds that a request took which was answered */
export function createRequestTally(onDuration: (seconds: number) => void): RequestTally {
  const counts = new Float64Array(CLASSES.length);
  return {
    request(_host, status, seconds) {
      counts[Math.floor(status / 100)]! += 1;
      if (status > 0) onDuration(seconds);
    },
    *requests() {
      for (const [i, code] of CLASSES.entries()) if (counts[i]! > 0) yield { code, count: counts[i]! };
    },
  };
}
