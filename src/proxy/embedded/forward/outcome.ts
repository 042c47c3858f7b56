/** What the proxy tells of requests as they end, for whoever counts them or judges endpoints by them. Called on the hot path: keep it cheap. */
import type { ProxyEndpoint } from "./endpoints.ts";

/**
 * How one attempt at an endpoint ended. "ok": it gave a response, whatever its status, except "status": one that says that nobody behind it
 * could be reached (502, 503, 504). So did one that was silent after its response had begun; one whose head is larger than we take is "ok".
 * "connect": no connection came about. "reset": the connection broke before the response's end, or what came is no HTTP. "timeout": it did not
 * begin its response, or not read the request, in time.
 */
export type AttemptResult = "ok" | "connect" | "reset" | "timeout" | "status";

export interface Outcomes {
  /** @param seconds from the start of the attempt. @param status of the response; 0 when none has begun */
  attempt(endpoint: ProxyEndpoint, result: AttemptResult, seconds: number, status: number): void;
  /** A request has ended. @param status what the client was answered; 0 when it went away before. @param seconds from the end of its head */
  request(host: string, status: number, seconds: number): void;
  /** A response's head told the endpoint's load: 1 = all that it can take. */
  head?(endpoint: ProxyEndpoint, load: number): void;
}
