/** What became of a request at an endpoint, told to whom it concerns: who ejects endpoints, and whoever counts. */
import type { Milliseconds } from "../../../model/units.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { reportedLoad } from "../outcomes/reported-load.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import type { AttemptResult } from "./outcome.ts";
import type { ProxyContext } from "./proxy-context.ts";
import type { UpstreamConnection, UpstreamLoss } from "./upstream-connection.ts";

/** The first word about an attempt counts. @param status of its response; 0 when none has begun */
export function judgeAttempt(
  { ejection, ports }: ProxyContext,
  upstream: UpstreamConnection,
  result: AttemptResult,
  status: number,
  now: Milliseconds,
): void {
  if (upstream.isJudged) return;
  upstream.isJudged = true;
  const { endpoint } = upstream;
  if (result === "ok") ejection.onSuccess(endpoint);
  else ejection.onFailure(endpoint, now);
  ports.outcomes?.attempt(endpoint, result, (now - upstream.attemptSince) / 1000, status);
}

/** By a response that came to its end. */
export const resultOf = (status: number): AttemptResult => (status >= 502 && status <= 504 ? "status" : "ok");

/**
 * By how it failed. An endpoint that is silent after its response has begun did answer: its stream of events may have nothing to tell.
 *
 * @param status of the response that has begun; 0 when none has
 */
export function resultOfLoss(loss: UpstreamLoss, status: number): AttemptResult {
  if (loss === "head-too-large") return "ok"; // that it is too large for us says nothing about the endpoint
  if (loss === "timeout" && status > 0) return resultOf(status);
  return loss === "unreachable" ? "connect" : loss === "timeout" ? "timeout" : "reset";
}

/** What an endpoint tells of its load with a response that is on its way to a client. */
export function noteLoad({ ports }: ProxyContext, endpoint: ProxyEndpoint, { fields }: ResponseHead, bytes: Buffer): void {
  if (ports.outcomes?.head === undefined) return;
  const load = reportedLoad(fields, bytes);
  if (load !== undefined) ports.outcomes.head(endpoint, load);
}
