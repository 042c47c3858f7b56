/** Who is told what becomes of requests in the embedded proxy: those who count them, and those who judge endpoints by them. */
import type { Milliseconds } from "../../../model/units.ts";
import { createRequestTally, type RequestTally } from "./request-tally.ts";
import { createTrafficBook, type TrafficBook } from "./traffic-book.ts";

/** As `Outcomes`, for the proxy. */
export interface ProxyOutcomes extends RequestTally, TrafficBook {}

/**
 * @param now        monotonic
 * @param onDuration seconds of each request that was answered
 */
export const createProxyOutcomes = (now: () => Milliseconds, onDuration: (seconds: number) => void): ProxyOutcomes => ({
  ...createTrafficBook(now),
  ...createRequestTally(onDuration),
});
