/** The JSON of `explain`: part of the API, so additive changes only. */
import type { Health } from "../model/health.ts";

export interface Explanation {
  /** `81.2.69.160` or `81.2.69.0/24`, as understood. */
  readonly client: string;
  readonly host: string;
  /** `namespace/name` of the route. */
  readonly route: string;
  readonly family: "A" | "AAAA";
  readonly place: {
    readonly known: boolean;
    readonly continent?: string;
    readonly country?: string;
    readonly subdivisions?: readonly string[];
    readonly asn?: number;
    readonly latitude?: number;
    readonly longitude?: number;
    /** Rule networks that hold the client. */
    readonly subnets?: readonly string[];
  };
  /** Rules that applied, in order: all matching Require rules, then the first matching Prefer rule. */
  readonly rules: readonly { readonly name: string; readonly mode: "Require" | "Prefer"; readonly why: string }[];
  /** Name of the rule that decided, or null. */
  readonly rule: string | null;
  /** 1-based tier that serves; null when nothing may be answered. */
  readonly tier: number | null;
  /** `Usable`, `Pending` (failback pending), `FailOpenUnknown`, `FailOpenUnhealthy`, `FailOpenDraining`, `Held`, `Nothing` (SERVFAIL) or `NotOffered` (NODATA). */
  readonly mode: string;
  /** Sticky routes: the client's slot. */
  readonly slot?: number;
  /** Routes that are not sticky: cluster → share 0..1 of this client's answers; one that names several counts for each of them. */
  readonly shares?: Readonly<Record<string, number>>;
  readonly scopePrefixLength: number;
  /** Seconds. */
  readonly ttl: number;
  /** Of this answer; for a route that is not sticky, of one possible answer. */
  readonly clusters: readonly string[];
  readonly addresses: readonly string[];
  readonly candidates: readonly Candidate[];
  /** Things a reader should know: a rule whose field no loaded database carries, an unknown place, a held state. */
  readonly notes: readonly string[];
}

export interface Candidate {
  readonly cluster: string;
  readonly backend: string;
  readonly address: string;
  readonly health: Health | "Draining" | "Cordoned";
  readonly distanceKm: number | null;
  readonly latencyMs: number | null;
  readonly latencySource: "measured" | "model" | null;
  /** Effective weight in percent (backend × cluster / 100). */
  readonly weight: number;
  /** 1-based; null when a rule excludes it. */
  readonly tier: number | null;
  /** In this answer; for a route that is not sticky, in some of this client's answers. */
  readonly taken: boolean;
  readonly reason: string;
}
