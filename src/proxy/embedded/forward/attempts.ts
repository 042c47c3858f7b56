/** Where one request has been, and where it may still go. */
import type { Method } from "../http1/method.ts";
import { type Candidates, type Destination, nextEndpoint, type ProxyEndpoint } from "./endpoints.ts";
import type { ProxyContext } from "./proxy-context.ts";
import { takeRetry } from "./retry-budget.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

const NOBODY: readonly ProxyEndpoint[] = [];

export class Attempts {
  readonly #context: ProxyContext;
  readonly #mostSends: number;
  readonly #age: "any" | "fresh";
  #candidates: Candidates;
  #tried: readonly ProxyEndpoint[] = NOBODY;
  /** Connections that were taken for it. */
  count = 0;
  /** How often it was sent. */
  #sends = 0;
  /** The endpoint whose idle connection turned out to be dead. */
  #stale: ProxyEndpoint | undefined;
  #holdsRetry = false;

  constructor(context: ProxyContext, { candidates, route }: Destination, { isIdempotent }: Method) {
    const { attempts } = route.policy.retry;
    this.#context = context;
    this.#candidates = candidates;
    this.#mostSends = isIdempotent ? 1 + attempts : 1;
    this.#age = this.#mostSends > 1 ? "any" : "fresh";
  }

  /** A connection to whoever is next, which counts as tried from now on; undefined when nobody is left. */
  take(): UpstreamConnection | undefined {
    const { pool, settings, isSuspect } = this.#context;
    while (this.#tried.length < settings.endpoints) {
      const endpoint = nextEndpoint(this.#candidates, this.#tried, isSuspect);
      if (endpoint === undefined) return undefined;
      this.#tried = this.#tried.length === 0 ? [endpoint] : [...this.#tried, endpoint];
      const upstream = pool.take(endpoint, endpoint === this.#stale ? "new" : this.#age);
      if (upstream === undefined) continue; // it has enough to do
      this.count++;
      return upstream;
    }
    return undefined;
  }

  noteSent(endpoint: ProxyEndpoint): void {
    const { ejection, ports } = this.#context;
    this.#sends++;
    if (!ejection.isQuiet) ejection.onSend(endpoint, ports.now());
  }

  /** That sending said nothing about the endpoint: it may have the request once more, over a new connection. */
  noteStale(endpoint: ProxyEndpoint): void {
    this.#stale = endpoint;
    this.#sends--;
    this.#tried = this.#tried.filter((one) => one !== endpoint);
  }

  /** It may be sent once more, and somebody is there who has not had it. @param isWell and who is no suspect */
  hasNext(isWell: boolean): boolean {
    if (this.#sends >= this.#mostSends || this.#tried.length >= this.#context.settings.endpoints) return false;
    const endpoint = nextEndpoint(this.#candidates, this.#tried, this.#context.isSuspect);
    return endpoint !== undefined && !(isWell && this.#context.isSuspect(endpoint));
  }

  /** Repeating it is within the budget, or has been already. */
  takeRetry(): boolean {
    this.#holdsRetry ||= takeRetry(this.#context.budget);
    return this.#holdsRetry;
  }

  releaseRetry(): void {
    if (this.#holdsRetry) this.#context.budget.retries--;
    this.#holdsRetry = false;
  }

  /** From now on these may be asked. @returns whether the endpoint is among them */
  retarget(candidates: Candidates, endpoint: ProxyEndpoint): boolean {
    this.#candidates = candidates;
    return candidates.first.includes(endpoint) || candidates.rest().includes(endpoint);
  }
}
