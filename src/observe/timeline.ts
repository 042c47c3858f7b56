/** The event timeline: what happened, in order, bounded. Everything that reports failovers (status, SSE, live view, metrics) reads it. */

export const EVENT_KINDS = [
  "ConfigApplied",
  "ConfigRejected",
  "ConfigHeld",
  "GeoLoaded",
  "GeoRejected",
  "LastGoodLoaded",
  "EndpointHealthy",
  "EndpointUnhealthy",
  "EndpointUnknown",
  "VantageSuspect",
  "VantageTrusted",
  "BackendWithdrawn",
  "BackendReturned",
  "FailbackPending",
  "WithdrawalHeld",
  "WithdrawalReleased",
  "Failover",
  "FailoverPublished",
  "FailoverPropagated",
  "FailoverUnseen",
  "FailOpen",
  "FailOpenEnded",
  "OverrideBegan",
  "OverrideEnded",
  "DrillHeld",
  "DrillAborted",
  "DrillReported",
  "ProxyRejected",
  "ProxyRecovered",
  "TablePublished",
] as const;

/** What an event tells; docs/timeline.md says when each is written and with which details. */
export type EventKind = (typeof EVENT_KINDS)[number];

export interface TimelineEvent {
  /** Grows by one; a client resumes from the last one it saw. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: EventKind;
  /** `GlobalRoute default/shop`, `MemberCluster eu-west`, `endpoint 192.0.2.1:443`, … */
  readonly object: string;
  /** One sentence for people. */
  readonly message: string;
  /** Flat facts for programs; the keys depend on `kind` and are listed in docs/timeline.md. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export interface Timeline {
  add(event: Omit<TimelineEvent, "id" | "at"> & { readonly at?: number }): TimelineEvent;
  /** Oldest first; those with an id above `after`. */
  list(after?: number): readonly TimelineEvent[];
  subscribe(listener: (event: TimelineEvent) => void): () => void;
}

/**
 * @param capacity how many events are kept; the oldest are dropped first
 * @param now milliseconds since the epoch
 */
export function createTimeline(capacity: number, now: () => number): Timeline {
  let next = 1;
  const events: TimelineEvent[] = [];
  const listeners = new Set<(event: TimelineEvent) => void>();
  return {
    add(input) {
      const event: TimelineEvent = { ...input, id: next++, at: input.at ?? now() };
      events.push(event);
      if (events.length > capacity) events.shift();
      for (const listener of listeners) listener(event);
      return event;
    },
    list: (after = 0) => events.filter((event) => event.id > after),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
