/** Where one request has been, and where it may still go. */
import type { HttpPolicy } from "../../../model/inventory.ts";
import type { Milliseconds } from "../../../model/units.ts";
import { type Candidates, type Destination, nextEndpoint, type ProxyEndpoint } from "./endpoints.ts";
import type { ExchangeRequest } from "./exchange-client.ts";
import type { ProxyContext } from "./proxy-context.ts";
import { takeRetry } from "./retry-budget.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/**
 * To whom a request may go on. "any": whoever has not had it. "free": who has a connection for it, too, so that {@link Attempts.take} gives one:
 * nothing is let go of for less. "well": and is no suspect.
 */
type Next = "any" | "free" | "well";

const NOBODY: readonly ProxyEndpoint[] = [];

export class Attempts {
  readonly #context: ProxyContext;
  readonly #request: ExchangeRequest;
  readonly #retry: HttpPolicy["retry"];
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

  constructor(context: ProxyContext, request: ExchangeRequest, { candidates, route }: Destination) {
    this.#context = context;
    this.#request = request;
    this.#retry = route.policy.retry;
    this.#candidates = candidates;
    this.#mostSends = request.method.isIdempotent ? 1 + this.#retry.attempts : 1;
    this.#age = this.#mostSends > 1 ? "any" : "fresh";
  }

  /** It may be sent twice, and is still here. */
  get isRepeatable(): boolean {
    return this.#request.method.isIdempotent && this.#request.body.isKept;
  }

  /** A connection to whoever is next, which counts as tried from now on; undefined when nobody is left. */
  take(now: Milliseconds): UpstreamConnection | undefined {
    const { pool, settings, isSuspect } = this.#context;
    while (this.#tried.length < settings.endpoints) {
      const endpoint = nextEndpoint(this.#candidates, this.#tried, isSuspect);
      if (endpoint === undefined) return undefined;
      this.#tried = this.#tried.length === 0 ? [endpoint] : [...this.#tried, endpoint];
      const upstream = pool.take(endpoint, endpoint === this.#stale ? "new" : this.#age, now);
      if (upstream === undefined) continue; // it has enough to do
      this.count++;
      return upstream;
    }
    return undefined;
  }

  noteSent(endpoint: ProxyEndpoint, now: Milliseconds): void {
    const { ejection } = this.#context;
    this.#sends++;
    if (!ejection.isQuiet) ejection.onSend(endpoint, now);
  }

  /** That sending said nothing about the endpoint: it may have the request once more, over a new connection. */
  noteStale(endpoint: ProxyEndpoint): void {
    this.#stale = endpoint;
    this.#sends--;
    this.#tried = this.#tried.filter((one) => one !== endpoint);
  }

  /** It may be sent once more, and somebody is there who has not had it. */
  hasNext(who: Next): boolean {
    const { pool, settings, isSuspect } = this.#context;
    if (this.#sends >= this.#mostSends) return false;
    let tried = this.#tried;
    while (tried.length < settings.endpoints) {
      const endpoint = nextEndpoint(this.#candidates, tried, isSuspect);
      if (endpoint === undefined || (who === "well" && isSuspect(endpoint))) return false;
      if (who === "any" || pool.hasRoom(endpoint)) return true;
      tried = [...tried, endpoint]; // as take passes over it
    }
    return false;
  }

  /** It may be sent once more, to somebody else. */
  mayRepeat(to: Next): boolean {
    return this.isRepeatable && this.hasNext(to);
  }

  /** Somebody else is asked for a better response. @param isHedged somebody is being asked already */
  isUnwanted(status: number, isHedged: boolean): boolean {
    if (!this.#retry.codes.includes(status) || !this.isRepeatable || !this.#request.body.isWhole) return false;
    if (isHedged) return true;
    if (!this.hasNext("free")) return false;
    if (this.takeRetry()) return true;
    this.#context.counters.retriesDenied++;
    return false;
  }

  /** Who may be asked has changed. @returns whether the endpoint is not to be asked any more, and somebody who is well is there instead */
  isToLeave(endpoint: ProxyEndpoint, now: Milliseconds): boolean {
    const { choose, ejection } = this.#context;
    const destination = choose(this.#request.host, this.#request.from);
    if (destination === undefined) return false; // what was begun is ended
    const { first, rest } = destination.candidates;
    this.#candidates = destination.candidates;
    const isOffered = first.includes(endpoint) || rest().includes(endpoint);
    return (!isOffered || ejection.isEjected(endpoint, now)) && this.hasNext("well");
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
}
