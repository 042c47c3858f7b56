/** How many file descriptors HAProxy needs: with too few it does not start, or leaves clients waiting without a word. Pure. */

import type { Layout } from "./layout.ts";
import { DIRECT } from "./names.ts";
import { type ConfigOptions, serversOf } from "./render-config.ts";
import type { Seat } from "./seats.ts";

export interface DescriptorNeed {
  /** Without them it does not start. */
  readonly toStart: number;
  /** With as many clients as it is to hold. */
  readonly inAll: number;
}

/** Sockets and pipes of HAProxy's own, and two for each thread: 43 with two of them. */
const OWN = 100;
/** A client's connection, both ends of the one between the two passes, and the one to the cluster. */
const FOR_EACH_CLIENT = 4;
/** Clients at a time, if not given. */
const CLIENTS = 1_000;

/** @param present as for `renderConfig` */
export function descriptorsFor(layout: Layout, present: ReadonlyMap<string, readonly Seat[]>, options: ConfigOptions): DescriptorNeed {
  const serving = layout.plans.flatMap(({ ranks }) => ranks.filter(({ rank }) => rank === "serving"));
  // HAProxy sets one aside for each server that it may check, used or not; each plan has two for who serves alone.
  const checked = serving.reduce((sum, rank) => sum + serversOf(rank, present.get(rank.name) ?? []) + DIRECT.length, 0);
  const toStart = OWN + options.listen.length + checked;
  return { toStart, inAll: toStart + FOR_EACH_CLIENT * (options.clients ?? CLIENTS) };
}

/**
 * @param limit what the running HAProxy may open
 * @returns for people: what is short, and the remedy; undefined when nothing is
 */
export function describeShortage(
  { inAll, toStart }: DescriptorNeed,
  limit: number,
  { clients = CLIENTS }: ConfigOptions,
): string | undefined {
  if (inAll <= limit) return undefined;
  const effect =
    toStart > limit ? "it cannot be reloaded" : `clients beyond ${Math.floor((limit - toStart) / FOR_EACH_CLIENT)} at a time wait`;
  return `haproxy may open ${limit} files and needs ${inAll} for its routes and ${clients} clients at a time, so ${effect}. Raise LimitNOFILE of its service (ulimit -n) and restart it.`;
}
