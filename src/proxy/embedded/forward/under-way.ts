/** One request among those under way: counted from its beginning until it is answered or given up. */
import type { Milliseconds } from "../../../model/units.ts";
import type { ProxyRoute } from "./endpoints.ts";
import type { ProxyContext } from "./proxy-context.ts";

export class UnderWay {
  readonly #context: ProxyContext;
  readonly #route: ProxyRoute;
  readonly #since: Milliseconds;
  #isCounted = true;

  constructor(context: ProxyContext, route: ProxyRoute, now: Milliseconds) {
    this.#context = context;
    this.#route = route;
    this.#since = now;
    route.load.requests++;
    context.budget.requests++;
  }

  /** Its route has more requests under way than it may have. */
  get isOneTooMany(): boolean {
    return this.#route.load.requests > (this.#route.policy.limits.concurrentRequests ?? Infinity);
  }

  /** As a whole it has taken too long. */
  isLate(now: Milliseconds): boolean {
    const { request } = this.#route.policy.timeouts;
    return request > 0 && now - this.#since >= request;
  }

  /** Only the first end counts. @param status that the client got; 0: it went away before */
  end(host: string, status: number, now: Milliseconds): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.#route.load.requests--;
    this.#context.budget.requests--;
    this.#context.ports.outcomes?.request(host, status, (now - this.#since) / 1000);
  }
}
