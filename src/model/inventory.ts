/**
 * The inventory: every object that the engine works on, validated, with defaults filled in and durations as numbers. It is a plain
 * immutable value (it survives JSON), produced by a source (files, Kubernetes, peers) and consumed by `compile`.
 */
import type { Milliseconds, Seconds } from "./units.ts";

export interface Inventory {
  readonly routes: readonly Route[];
  readonly clusters: readonly Cluster[];
  readonly zones: readonly Zone[];
  readonly overrides: readonly Override[];
  /** Absent = none, as in what versions without them have saved. */
  readonly fleets?: readonly ProxyFleet[];
}

/** `namespace/name`, the identity of a route. */
export type RouteKey = string;
export const routeKey = (route: { readonly namespace: string; readonly name: string }): RouteKey => `${route.namespace}/${route.name}`;

export interface Route {
  readonly namespace: string;
  readonly name: string;
  /** Lower-case A-labels without the trailing dot; the first label may be `*`. */
  readonly hosts: readonly string[];
  readonly ttl: { readonly min: Seconds; readonly max: Seconds };
  readonly answers: number;
  readonly spread: number;
  readonly families: "Common" | "Each";
  readonly backends: readonly Backend[];
  readonly order: "Nearest" | "Latency" | "Weighted" | "Priority";
  readonly tolerance: Tolerance;
  readonly rules: readonly Rule[];
  readonly sticky: "None" | "ClientSubnet";
  /** Percent of a backend's capacity between which its clients are given away; absent = never. */
  readonly shed?: { readonly lowPercent: number; readonly highPercent: number };
  readonly health: HealthPolicy;
  readonly failover: FailoverPolicy;
  /** What proxies do with its requests; absent = what `httpPolicyOf` tells. No answer of DNS depends on it. */
  readonly http?: HttpPolicy;
  /** ALPN ids of the HTTPS record that hints at the addresses (RFC 9460); empty = no HTTPS record. */
  readonly alpn: readonly string[];
  /** Names of the zones that publish this route; empty = every zone whose domain holds the host. */
  readonly zones: readonly string[];
  /** Names of the fleets whose proxies pass its requests on; absent = every fleet. */
  readonly fleets?: readonly string[];
}

/** Candidates within the tolerance of the best remaining one form one tier. Exactly one member is set, or none (ties only). */
export interface Tolerance {
  readonly distanceKm?: number;
  readonly latencyMs?: number;
}

export interface Backend {
  readonly name: string;
  readonly cluster: string;
  /** Canonical IPv4, IPv6 (RFC 5952) or lower-case host names; never empty. */
  readonly addresses: readonly string[];
  /** Host names that addresses were resolved from, where they were. */
  readonly resolvedFrom?: readonly string[];
  /** 0 = warm standby. */
  readonly weight: number;
  /** Lower first. */
  readonly priority: number;
  /** -99..99. */
  readonly bias: number;
  /** Requests per second that it can serve, if somebody said so. Shedding goes by it where requests pass through this process. */
  readonly capacity?: number;
}

export interface Rule {
  readonly name: string;
  readonly clients: ClientMatch;
  /** The cluster names allowed or preferred, already resolved from names and selector (both given = both hold). */
  readonly to: readonly string[];
  readonly mode: "Require" | "Prefer";
  /** What a client of unknown place gets. */
  readonly unknownPlace: "Apply" | "Skip";
}

/** A client matches when any member of any list matches. */
export interface ClientMatch {
  readonly continents: readonly string[];
  /** ISO 3166-1 alpha-2, upper case; named sets are already expanded into it. */
  readonly countries: readonly string[];
  /** ISO 3166-2, upper case (`US-CA`). */
  readonly subdivisions: readonly string[];
  readonly asns: readonly number[];
  /** Canonical CIDR. */
  readonly subnets: readonly string[];
}

export interface Probe {
  readonly type: "HTTP" | "TCP" | "TLS" | "GRPC";
  /** HTTP only: `HTTPS` speaks TLS. GRPC: `HTTPS` = over TLS, `HTTP` = h2c. */
  readonly scheme: "HTTP" | "HTTPS";
  readonly port: number;
  readonly path: string;
  /** Host header and SNI; a route's first host if not given. */
  readonly host: string;
  /** gRPC health service name (empty = whole server). */
  readonly service: string;
  readonly expect: { readonly status: readonly { readonly from: number; readonly to: number }[]; readonly body?: string };
  /** Whether the server's certificate is verified; always true unless the user opted out. */
  readonly verify: boolean;
}

export interface HealthPolicy {
  readonly probe: Probe;
  readonly interval: Milliseconds;
  readonly timeout: Milliseconds;
  readonly rise: number;
  readonly fall: number;
  readonly quorum: Quorum;
  /** False: what the cluster tells of the readiness of Pods has no say. Absent = true. */
  readonly useReadiness?: boolean;
  /** False: what becomes of users' requests has no say. Absent = true. */
  readonly useRequests?: boolean;
}

export type Quorum = { readonly type: "Majority" } | { readonly type: "Count"; readonly count: number };

export interface FailoverPolicy {
  readonly whenAllUnhealthy: "FailOpen" | "HoldLast";
  readonly failback: { readonly mode: "Automatic" | "Approval"; readonly after: Milliseconds; readonly slowStart: Milliseconds };
  readonly tricklePercent: number;
  readonly maxWithdrawalPercent: number;
}

export interface HttpPolicy {
  readonly timeouts: {
    /** From the end of the request's head to the end of its response; 0 = no end. */
    readonly request: Milliseconds;
    /** For one endpoint to begin its response. Not longer than `request`, where that has an end. */
    readonly backendRequest: Milliseconds;
  };
  /** Of idempotent requests (RFC 9110 §9.2.2). */
  readonly retry: {
    /** After the first one: 0..5. */
    readonly attempts: number;
    /** Statuses upon which the next endpoint is asked. */
    readonly codes: readonly number[];
  };
  /** The next endpoint is asked as well when one has not begun its response by then; absent = never. */
  readonly hedge?: { readonly after: Milliseconds };
  /** Absent = the proxy's own. */
  readonly limits: {
    readonly bodyBytes?: number;
    /** In one proxy. */
    readonly concurrentRequests?: number;
  };
}

export interface Cluster {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly location: Location;
  readonly state: "Active" | "Draining" | "Cordoned";
  /** Percent, multiplies the backend's weight. */
  readonly weight: number;
}

export interface Location {
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
  /** ISO 3166-1 alpha-2, if known. */
  readonly country?: string;
  readonly continent?: string;
  /** What the user wrote, for people: `aws eu-west-1` or `53.35,-6.26`. */
  readonly label: string;
}

export interface Zone {
  readonly name: string;
  /** Lower-case, without the trailing dot. */
  readonly domain: string;
  readonly nameservers: readonly string[];
  readonly soa: {
    readonly mname: string;
    readonly rname: string;
    readonly refresh: Seconds;
    readonly retry: Seconds;
    readonly expire: Seconds;
    readonly minimum: Seconds;
    readonly ttl: Seconds;
  };
  readonly records: readonly StaticRecord[];
  /** DNS suffixes that routes may use; empty = the whole zone. */
  readonly allowedSuffixes: readonly string[];
  readonly owner: string;
  /** Present when the zone is signed. */
  readonly dnssec?: ZoneDnssec;
  /** Present when others may take copies of the zone. */
  readonly transfer?: ZoneTransfer;
  /** Present when we keep its delegation: in which DNSZone, by name, and whether what others made there becomes ours. */
  readonly delegation?: { readonly parent: string; readonly adopt: boolean };
  /** Present when the zone is kept elsewhere: then nothing of it is answered here, and it has neither nameservers nor records. */
  readonly provider?: ZoneProvider;
  /** Present while its object waits to be deleted until our records there are gone: nothing is written there any more. */
  readonly isLeaving?: true;
}

/** Who keeps a zone that is not answered here, and what may be done there. */
export type ZoneProvider = Rfc2136Zone | Route53Zone | PowerDnsZone | ExternalDnsZone;

interface KeptZone {
  /** Owner ids of ExternalDNS whose records become ours. */
  readonly adoptFrom: readonly string[];
  readonly policy: "UpsertOnly" | "Sync" | "DryRun";
  /** `Delete`: our records go when the object does; they stay if not given. */
  readonly deletionPolicy?: "Delete";
}

export interface Rfc2136Zone extends KeptZone {
  readonly type: "RFC2136";
  readonly server: { readonly host: string; readonly port: number };
  readonly key: TransferKey;
}

export interface Route53Zone extends KeptZone {
  readonly type: "Route53";
  readonly hostedZoneId?: string;
  readonly visibility: "Public" | "Private";
  /** Assumed before anything is asked for. */
  readonly role?: { readonly arn: string; readonly externalId?: string };
}

export interface PowerDnsZone extends KeptZone {
  readonly type: "PowerDNS";
  /** Of its webserver: `http://192.0.2.53:8081`. */
  readonly server: string;
  readonly serverId: string;
  /** Absolute paths of files: the API key, and who signed the server's certificate. */
  readonly keyPath: string;
  readonly caPath?: string;
  /** `Lua`: its scripts choose by client. */
  readonly answers: "Plain" | "Lua";
  readonly luaEnabledBy: "Server" | "Zone";
}

export interface ExternalDnsZone extends KeptZone {
  readonly type: "ExternalDNS";
  /** Of the DNSEndpoints, in the hub. */
  readonly namespace: string;
  /** How often ExternalDNS looks. */
  readonly interval: Milliseconds;
}

/** Proxies that are told who serves. */
export type ProxyFleet = EnvoyFleetSpec | HaproxyFleetSpec;

interface FleetOfProxies {
  readonly name: string;
  readonly places: readonly { readonly name: string; readonly location: Location }[];
  /** On the proxies' machines: PEM certificates of those who may sign what endpoints show, where they speak TLS. */
  readonly endpointCaFile: string;
}

export interface EnvoyFleetSpec extends FleetOfProxies {
  readonly type: "Envoy";
  /** Absent = Envoys have listeners of their own. */
  readonly listener?: {
    readonly address: string;
    readonly port: number;
    /** Files on Envoy's machine. */
    readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
    readonly trustedHops: number;
  };
}

export interface HaproxyFleetSpec extends FleetOfProxies {
  readonly type: "HAProxy";
  /** Proxies in front of its members whose X-Forwarded-For counts. */
  readonly trustedHops: number;
  readonly members: readonly HaproxyMemberSpec[];
}

export interface HaproxyMemberSpec {
  readonly name: string;
  /** Of the fleet's places. */
  readonly place: string;
  readonly listen: readonly { readonly address: string; readonly port: number; readonly certificateFile?: string }[];
  /** Absent = the Unix socket in its folder. */
  readonly admin?: { readonly address: string; readonly port: number };
  readonly reload: "Master" | "Manual";
  readonly runAs?: { readonly user: string; readonly group: string };
}

/** Who may take copies of a zone, and who is told of changes. Secrets stay in their files. */
export interface ZoneTransfer {
  readonly keys: readonly TransferKey[];
  /** A request is allowed when any entry matches it. */
  readonly allow: readonly {
    /** Canonical CIDR; empty = everywhere. */
    readonly networks: readonly string[];
    /** Name of the key that must have signed it. */
    readonly key?: string;
  }[];
  readonly notify: readonly { readonly address: string; readonly port: number; readonly key?: string }[];
}

export interface TransferKey {
  /** As secondaries know it: lower case, without the trailing dot. */
  readonly name: string;
  readonly algorithm: "hmac-sha256" | "hmac-sha512";
  /** Absolute path of the secret. */
  readonly path: string;
}

/** How a zone is signed. Private keys stay in their files: an inventory is saved and shown. */
export interface ZoneDnssec {
  /** Exactly one is Active. */
  readonly keys: readonly ZoneKeyFile[];
  /** What CDS and CDNSKEY ask of the parent: Secure = DS records of the keys, Insecure = none. */
  readonly delegation: "Secure" | "Insecure";
}

export interface ZoneKeyFile {
  readonly name: string;
  /** Absolute path of the private key. */
  readonly path: string;
  readonly state: "Published" | "Active" | "Retired";
  /** Key tag of the DNSKEY (RFC 4034 appendix B). */
  readonly tag: number;
  /** The public half: x and y in base64, as in a DNSKEY record (RFC 6605 §4). */
  readonly publicKey: string;
}

export interface StaticRecord {
  /** Absolute, lower-case, without the trailing dot. */
  readonly name: string;
  readonly type: "A" | "AAAA" | "CAA" | "CNAME" | "DS" | "MX" | "NS" | "SRV" | "TXT";
  readonly ttl: Seconds;
  /** Presentation format, one per record. */
  readonly values: readonly string[];
}

/** `PromoteStep` and `AbortRollout` reach the rollout before there is an inventory; the engine itself does nothing with them. */
export type OverrideAction =
  | "Drain"
  | "Cordon"
  | "Freeze"
  | "ForceUp"
  | "Drill"
  | "ApproveFailback"
  | "ConfirmWithdrawal"
  | "PromoteStep"
  | "AbortRollout";

export interface Override {
  readonly namespace: string;
  readonly name: string;
  readonly target:
    | { readonly kind: "MemberCluster"; readonly name: string }
    | { readonly kind: "GlobalRoute"; readonly namespace: string; readonly name: string; readonly backend?: string };
  readonly action: OverrideAction;
  readonly reason: string;
  /** Milliseconds since the epoch; absent = at once / without end. */
  readonly start?: number;
  readonly until?: number;
  /** The file that it was read from, if there is one: while that cannot be read, nobody knows that the override has been taken back. */
  readonly file?: string;
  /** A drill that was given up: it is over for good, whatever `until` says. */
  readonly aborted?: DrillAbort;
}

/** Why a drill was given up. */
export interface DrillAbort {
  /** For people, as part of a sentence. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
