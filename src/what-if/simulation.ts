/** What a simulation says: the JSON of `globalroute simulate`. An interface: members are added, never changed. */

export interface Simulation {
  readonly scenario: Scenario;
  readonly clients: ClientsReport;
  /** In the order of the configuration; those that only the changed one has stand last. */
  readonly routes: readonly RouteSimulation[];
  readonly total: TotalReport;
  /** Sentences for people: what the figures rest on, and what would be otherwise in earnest. */
  readonly notes: readonly string[];
}

/** What was asked, in the words of the command. */
export interface Scenario {
  readonly config: string;
  readonly down: readonly string[];
  readonly drain: readonly string[];
  /** Where the configuration of afterwards is, if it is another. */
  readonly changed?: string;
  readonly load?: string;
}

export interface ClientsReport {
  /** `world`: drawn from the population; else the file that listed them. */
  readonly source: string;
  readonly count: number;
  /** What weights are: inhabitants, requests per second, or whatever the list means by them. */
  readonly unit: "people" | "requests/s" | "weight";
  /** Of all clients. */
  readonly weight: number;
  /** Of the draw; absent for a list. */
  readonly seed?: number;
}

export interface RouteSimulation {
  /** `namespace/name` */
  readonly route: string;
  readonly hosts: readonly string[];
  readonly family: "A" | "AAAA";
  /** `Both`, or whether only the configuration of before or that of afterwards has it. */
  readonly presence: "Both" | "Removed" | "Added";
  readonly clusters: readonly ClusterServing[];
  /** Clients whose answers name other clusters. */
  readonly moved: Amount;
  /** Those, by where they are; the heaviest first. */
  readonly moves: readonly Move[];
  /** Clients whose answers would hold other addresses, moved or not: the difference between two configurations. */
  readonly changed: Amount;
  /** Those, by where they are and by rule networks that hold them; the heaviest first. */
  readonly changes: readonly Move[];
  readonly distanceKm: BeforeAfter<Spread>;
  readonly latencyMs: BeforeAfter<Spread>;
  /** How clients were answered; only what occurs. */
  readonly modes: BeforeAfter<Readonly<Record<string, Amount>>>;
  /** Clients whose answer a Require rule forbids: must be none. Checked by the rules, not by what decided. */
  readonly residency: BeforeAfter<readonly Violation[]>;
  readonly stale: Stale;
  /** Backends that the withdrawal budget would keep in service if one vantage alone saw time-outs. */
  readonly guardWouldHold: readonly string[];
}

export interface BeforeAfter<T> {
  readonly before: T;
  readonly after: T;
}

export interface Amount {
  readonly weight: number;
  /** Of all clients, 0..1. */
  readonly share: number;
}

export interface ClusterServing {
  readonly cluster: string;
  /** Requests per second that it can take; null when not all of its backends say so. */
  readonly capacity: number | null;
  readonly before: Serving;
  readonly after: Serving;
}

export interface Serving extends Amount {
  /** Requests per second at its busiest time; null when no load is known. */
  readonly load: number | null;
  /** That time, as the load file calls it; null without times. */
  readonly time: string | null;
  /** Load by capacity, 1 = full; null when either is not known. */
  readonly utilisation: number | null;
}

export interface Move extends Amount {
  /** Null for clients of unknown place. */
  readonly continent: string | null;
  readonly country: string | null;
  /** Networks of rules that hold them; absent where none does. */
  readonly subnets?: readonly string[];
  /** Clusters of the answer; empty = nothing is answered. */
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** Of all clients that are answered and whose place is known. */
export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

export interface Violation extends Amount {
  readonly rule: string;
  /** The one that it forbids. */
  readonly cluster: string;
  readonly country: string | null;
}

/** How long resolvers go on giving the old answer to clients that have moved. */
export interface Stale {
  /** Longest TTL of answers that were given before, seconds. */
  readonly ttl: number;
  /** Share of all clients that still get the old answer, so many seconds after the change was published. */
  readonly curve: readonly { readonly seconds: number; readonly share: number }[];
}

/** Summed over routes: each client counts once a route. */
export interface TotalReport {
  readonly clusters: readonly ClusterServing[];
  readonly moved: Amount;
  readonly changed: Amount;
  /** The largest share of any route's clients that would get another answer. */
  readonly mostChanged: number;
  /** Clients that are answered by fail-open, by a hold, or not at all, afterwards. */
  readonly failOpen: Amount;
  readonly held: Amount;
  readonly nothing: Amount;
  /** Clients in violation of a Require rule. */
  readonly violations: BeforeAfter<Amount>;
  /** Where load is above capacity afterwards. */
  readonly overloaded: readonly { readonly route: string; readonly cluster: string; readonly utilisation: number }[];
}
