/** What metrics read when a scrape asks: values that others keep. */

/** Every reason that {@link MetricReadings.degraded} is known to give: exported as 0 while it does not hold, so that an alert can tell 0 from absent. */
export const DEGRADED_REASONS: readonly string[] = [
  "config-rejected",
  "inputs-held",
  "geo-stale",
  "geo-rejected",
  "last-good",
  "compile-failed",
  "vantage-suspect",
  "fail-open",
  "withdrawal-held",
  "state-unsaved",
  "hub-unreachable",
  "peer-lost",
  "provider-failing",
  "removals-held",
  "names-contested",
  "delegation-waiting",
  "proxy-failing",
];

/** Values that somebody else keeps; they are read when a scrape asks. A reading that is left out exports no series. */
export interface MetricReadings {
  readonly table?: () => { readonly version: number; readonly ageSeconds: number };
  /** Age of the oldest geo database in use, by its build date. */
  readonly geoAgeSeconds?: () => number;
  readonly degraded?: () => readonly string[];
  readonly endpoints?: () => EndpointReadings;
  /** Counts since the process began. */
  readonly dnsQueries?: () => Iterable<DnsQueryReading>;
  /** Counts since the process began. */
  readonly decisions?: () => Iterable<DecisionReading>;
  /** Counts since the process began. */
  readonly answers?: () => Iterable<AnswerReading>;
  /** Counts since the process began. */
  readonly rateLimited?: () => Iterable<RateLimitReading>;
  /** Counts since the process began. */
  readonly cookies?: () => Iterable<CookieReading>;
  /** Queries that waited for a thread that signs; counts since the process began. */
  readonly slow?: () => SlowReading;
  /** One for each signed zone. */
  readonly signatures?: () => Iterable<SignatureReading>;
  /** One for each zone that is served. */
  readonly zoneSerials?: () => Iterable<ZoneSerialReading>;
  /** Policies of the present table whose ECS scopes are the leaves' own, because merged ones would not fit the byte budget. */
  readonly scopeFallbacks?: () => number;
  /** Epoch of the term in which this replica writes; undefined while another one does. */
  readonly writerEpoch?: () => number | undefined;
  /** One for each member cluster with an API server. */
  readonly clusters?: () => Iterable<{ readonly cluster: string; readonly connected: boolean }>;
  /** One for each other replica and vantage that was met. */
  readonly peers?: () => Iterable<PeerReading>;
  /** Works out what the other readings tell, where that takes long. @param breathe lets others have their turn */
  readonly prepare?: (breathe: () => Promise<void>) => Promise<void>;
  /** Who is served where now, as of the last {@link prepare}. */
  readonly serving?: () => ServingReading | undefined;
  /** One for each zone that is kept elsewhere, at the replica that writes it. */
  readonly providerZones?: () => Iterable<ProviderZoneReading>;
  /** The embedded proxy, where there is one; counts since the process began. */
  readonly proxy?: () => ProxyReading;
  /** One for each ProxyFleet, as this process finds it. */
  readonly proxyFleets?: () => Iterable<ProxyFleetReading>;
  /** Envoys that are told nothing, since they say that they are of no fleet or at no place of theirs; undefined where no Envoy may ask. */
  readonly proxyStrangers?: () => number | undefined;
  /** One for each certificate that clients of the proxy or Envoys are shown, and one for the authorities of Envoys. */
  readonly certificates?: () => Iterable<CertificateReading>;
  /** Of the program. */
  readonly version?: () => string;
}

export interface PeerReading {
  readonly peer: string;
  readonly role: string;
  readonly connected: boolean;
  /** Since it was last heard; absent when it never was. */
  readonly ageSeconds?: number;
}

export interface ServingReading {
  /** The cluster that most people of a route are answered with, and their share, 0..1; routes that answer nobody are left out. */
  readonly routes: Iterable<{ readonly route: string; readonly cluster: string; readonly share: number }>;
  /** Share of people, over all routes alike, who are answered with a cluster, 0..1; every cluster is named. */
  readonly clusters: Iterable<{ readonly cluster: string; readonly share: number }>;
  /** What people lose by not being answered with the best cluster that rules allow them; a quantile that nothing is known of is left out. */
  readonly regret: Iterable<{ readonly quantile: number; readonly km?: number; readonly seconds?: number }>;
}

export interface ProviderZoneReading {
  /** Domain. */
  readonly zone: string;
  /** Since the last sync that succeeded; absent before the first. */
  readonly syncAgeSeconds?: number;
  /** Record sets that are to be otherwise than they were written last; absent before the first try. */
  readonly pendingChanges?: number;
}

export interface ProxyFleetReading {
  readonly fleet: string;
  /** Connected, or answering; those of them that have all there is; those that have rejected something. */
  readonly connected: number;
  readonly current: number;
  readonly rejected: number;
}

export interface CertificateReading {
  /** Who connects: clients of the embedded proxy, or Envoys. */
  readonly listener: "proxy" | "xds";
  /** Its file, of the proxy's as it is called in their folder. */
  readonly certificate: string;
  /** Until it ends; below 0 when it has. */
  readonly seconds: number;
}

/** There may be tens of thousands. */
export interface EndpointReadings {
  /** Each address of a cluster once. They are the same objects (===) while nothing about them changes, so that nothing is made anew. */
  readonly labels: readonly { readonly cluster: string; readonly address: string }[];
  /** Of each, in the same order: 1 while every probe of it finds it Healthy, else 0. May change in place. */
  readonly healthy: Uint8Array;
}

export interface ProxyReading {
  /** `2xx` and the like, or `aborted`. */
  readonly requests: Iterable<{ readonly code: string; readonly count: number }>;
  /** Requests on their way to endpoints; one that is tried again counts each time. */
  readonly attempts: Iterable<{ readonly cluster: string; readonly result: string; readonly count: number }>;
  /** As of now. */
  readonly connections: Iterable<{ readonly state: "client" | "busy" | "idle"; readonly count: number }>;
  readonly retries: Iterable<{ readonly result: "made" | "denied"; readonly count: number }>;
  /** How often an endpoint was set back because requests kept failing there. */
  readonly ejections: number;
  /** How many are now. */
  readonly ejected: number;
  /** Requests that the proxy answered by itself, and connections that it turned away. */
  readonly refused: Iterable<{ readonly reason: string; readonly count: number }>;
}

export interface DnsQueryReading {
  readonly rcode: string;
  readonly type: string;
  readonly transport: string;
  readonly count: number;
}

export interface DecisionReading {
  /** As `mode` of an explanation. */
  readonly mode: string;
  readonly count: number;
}

export interface AnswerReading {
  readonly cluster: string;
  readonly count: number;
}

export interface RateLimitReading {
  readonly action: "slipped" | "dropped";
  readonly count: number;
}

export interface CookieReading {
  readonly state: "valid" | "client_only" | "invalid";
  readonly count: number;
}

/** Lanes: names that exist, and random ones, which do not or only by a wildcard. */
export interface SlowReading {
  readonly lanes: readonly [SlowLaneReading, SlowLaneReading];
  /** Signatures made on demand. */
  readonly signed: number;
}

export interface SlowLaneReading {
  readonly queued: number;
  /** Dropped: no room, the source's network has its share, or waited too long. */
  readonly dropped: number;
  readonly refused: number;
  readonly stale: number;
}

export interface SignatureReading {
  /** Domain. */
  readonly zone: string;
  /** Until the first of its signatures ends. */
  readonly seconds: number;
}

export interface ZoneSerialReading {
  /** Domain. */
  readonly zone: string;
  readonly serial: number;
}
