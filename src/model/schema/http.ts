/** `http` of a GlobalRoute: what its proxies do with requests, in the words of the Gateway API where it has them. */
import { z } from "zod";
import { celRules, duration, integer, setOf } from "./parts.ts";

const timeouts = z
  .strictObject({
    request: duration("0s", "24h")
      .prefault("0s")
      .describe("From the end of a request's head to the end of its response, whatever is tried meanwhile. 0s = no end."),
    backendRequest: duration("10ms", "1h")
      .optional()
      .meta({ whenAbsent: "10s, or request if that is shorter" })
      .describe(
        "How long an endpoint may take to begin its response before an idempotent request (RFC 9110 §9.2.2) is sent to the next one. Other requests are never sent twice: they wait for at least a minute.",
      ),
  })
  .meta(
    celRules({
      rule: "!has(self.backendRequest) || !has(self.request) || duration(self.request) == duration('0s') || duration(self.backendRequest) <= duration(self.request)",
      message: "backendRequest must not be longer than request: shorten it, or lengthen request",
    }),
  )
  .prefault({})
  .describe("How long is waited.");

const retry = z
  .strictObject({
    attempts: integer(0, 5)
      .default(2)
      .describe("How many times an idempotent request is sent again at most, each time to an endpoint that has not had it."),
    codes: setOf(integer(400, 599), 32, 0)
      .default([502, 503, 504])
      .describe("Statuses upon which the next endpoint is asked. When none is left, the response is passed on as it is."),
  })
  .prefault({})
  .describe("When a request is sent again. Those that are not idempotent go to another endpoint only if nothing was sent.");

const hedge = z
  .strictObject({
    after: duration("1ms", "1m").describe("How long to wait for a response to begin. Should be longer than nearly all responses take."),
  })
  .optional()
  .meta({ whenAbsent: "one endpoint at a time" })
  .describe("Asks the next endpoint as well when one is slow, for idempotent requests without a body. Whoever answers first is passed on.");

const limits = z
  .strictObject({
    bodyBytes: integer(0, 2 ** 40)
      .optional()
      .meta({ whenAbsent: "no bound but the proxy's own" })
      .describe("Size of a request's body; beyond it the answer is 413."),
    concurrentRequests: integer(1, 1_000_000)
      .optional()
      .meta({ whenAbsent: "no bound but the proxy's own" })
      .describe("Requests of this route under way in one proxy; beyond it the answer is 503, with Retry-After."),
  })
  .prefault({})
  .describe("Bounds that keep one route from taking the whole proxy.");

export const http = z
  .strictObject({ timeouts, retry, hedge, limits })
  .optional()
  .meta({ whenAbsent: "the defaults of its members" })
  .describe("What proxies do with requests of this route: timeouts, retries, limits. DNS answers do not depend on it.");
