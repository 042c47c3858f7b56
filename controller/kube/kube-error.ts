/** What can go wrong between us and an API server. */

export interface KubeErrorFacts {
  /** HTTP status; 0 when no answer came (refused, cut, timed out, not trusted). */
  readonly status: number;
  /** `Status.reason` of the API (`Conflict`, `Forbidden`, …); without an answer why (`Refused`, `Timeout`, `NotTrusted`, …); or empty. */
  readonly reason: string;
  /** Milliseconds that the server asks to wait (Retry-After), if it does. */
  readonly retryAfter?: number;
}

/** The message names the server, the request and the fact. Never holds a credential. */
export class KubeError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly retryAfter: number | undefined;

  constructor(message: string, facts: KubeErrorFacts, options?: ErrorOptions) {
    super(message, options);
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfter = facts.retryAfter;
  }

  /** The object changed, or exists already. */
  get isConflict(): boolean {
    return this.status === 409;
  }

  /** The resourceVersion is too old to watch or page from: list again. */
  get isGone(): boolean {
    return this.status === 410;
  }

  /** The identity lacks a permission: retrying soon does not help. */
  get isForbidden(): boolean {
    return this.status === 403;
  }

  /** The credential is not accepted (any more). */
  get isUnauthorized(): boolean {
    return this.status === 401;
  }

  /** The object or the kind is not there. */
  get isNotFound(): boolean {
    return this.status === 404;
  }

  /** Trying again later can help. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
