/** From a route's probe to a check that the provider makes by itself. Pure. */
import type { HealthPolicy } from "../../src/model/inventory.ts";
import { uncheckable } from "../../src/model/native-policy.ts";
import type { HealthCheck } from "../record-set.ts";

/** Checkers look every so many seconds; the shorter interval costs more and is used only where the route asks for it. */
const [FAST, SLOW] = [10, 30] as const;
const MOST_FAILURES = 10;

/** @param address canonical @returns undefined when the provider cannot look at the endpoint as the probe does */
export function healthCheckOf(health: HealthPolicy, address: string): HealthCheck | undefined {
  if (uncheckable(health, address) !== undefined) return undefined;
  const { type, scheme, port, host, path, expect } = health.probe;
  const common = {
    address,
    port,
    interval: health.interval < 1000 * SLOW ? FAST : SLOW,
    threshold: Math.min(health.fall, MOST_FAILURES),
  } as const;
  if (type === "TCP") return { type, ...common };
  return { type: scheme, ...common, host, path, ...(expect.body === undefined ? {} : { body: expect.body }) };
}
