/** One AWS account as Route 53 sees it: what is in it, its quotas, its clock. Actions read and change it; nothing here knows of HTTP. */
import type { HealthCheckConfig } from "./health-check-config.ts";
import type { Quotas } from "./limits.ts";
import type { RecordSet } from "./record-set.ts";
import { type Element, element } from "./xml.ts";

export interface Vpc {
  readonly region: string;
  readonly id: string;
}

export interface HostedZone {
  /** Such as `Z0000000000000001`. */
  readonly id: string;
  /** In stored form. */
  readonly name: string;
  readonly callerReference: string;
  readonly comment?: string;
  /** Of a private zone; a public one has none. */
  readonly vpcs: readonly Vpc[];
  readonly nameServers: readonly string[];
  readonly delegationSetId?: string;
  /** In list order. */
  sets: readonly RecordSet[];
  /** Milliseconds of the clock until which another batch is refused with PriorRequestNotComplete. */
  busyUntil: number;
  /** Batches that are under way: held up by a fault. */
  inFlight: number;
}

export interface HealthCheck {
  readonly id: string;
  readonly callerReference: string;
  readonly config: HealthCheckConfig;
  readonly version: number;
}

export interface CidrCollection {
  readonly id: string;
  readonly name: string;
  readonly callerReference: string;
  readonly version: number;
  /** Blocks by location, as they were sent. */
  readonly locations: ReadonlyMap<string, readonly string[]>;
}

export interface DelegationSet {
  readonly id: string;
  readonly callerReference: string;
  readonly nameServers: readonly string[];
}

export interface SubmittedChange {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly submittedAt: number;
  readonly comment?: string;
}

export interface Account {
  /** Twelve digits. */
  readonly id: string;
  readonly quotas: Quotas;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly serviceZones: ReadonlySet<string>;
  readonly mayDangle: boolean;
  /** Whether health checks take addresses that are reserved for documentation. */
  readonly allowsDocumentationAddresses: boolean;
  /** Milliseconds from PENDING to INSYNC. */
  readonly propagationMilliseconds: () => number;
  /** Milliseconds that a zone works on a batch, refusing others. */
  readonly processingMilliseconds: () => number;
  /** @returns false when the account has changed too many record sets in too short a time */
  readonly admitChanges: (count: number) => boolean;
  /** A number that no other call has returned. */
  readonly nextNumber: () => number;
  readonly zones: Map<string, HostedZone>;
  readonly changes: Map<string, SubmittedChange>;
  readonly healthChecks: Map<string, HealthCheck>;
  /** Caller references of deleted health checks, which may not come back. */
  readonly spentReferences: Set<string>;
  /** Endpoints that fail, by health check. What a status says is made of it. */
  readonly failingChecks: Set<string>;
  readonly collections: Map<string, CidrCollection>;
  readonly delegationSets: Map<string, DelegationSet>;
  /** Tags by `hostedzone/ID` and `healthcheck/ID`. */
  readonly tags: Map<string, Map<string, string>>;
}

/** What an action is called with. */
export interface Call {
  /** Parts of the path, decoded. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Root of the body, where the action has one; else an element without children. */
  readonly body: Element;
}

export interface Result {
  readonly status: number;
  readonly root: Element;
  /** Path of what was created. */
  readonly location?: string;
}

export const ok = (root: Element): Result => ({ status: 200, root });
export const created = (root: Element, location: string): Result => ({ status: 201, root, location });

/** Sixteen letters and digits that begin with a letter of the kind, such as `Z` for zones. */
export const newId = (kind: string, account: Account): string =>
  `${kind}${account.nextNumber().toString(36).toUpperCase().padStart(16, "0")}`;

/** Looks like a version 4 UUID and counts. */
export const newUuid = (account: Account): string => `00000000-0000-4000-8000-${account.nextNumber().toString(16).padStart(12, "0")}`;

export function submitChange(account: Account, comment?: string): SubmittedChange {
  const change = { id: newId("C", account), submittedAt: account.now(), ...(comment === undefined ? {} : { comment }) };
  account.changes.set(change.id, change);
  return change;
}

/** The answer to what submits a change: every change begins as PENDING. */
export const encodeSubmitted = (change: SubmittedChange): Element => changeInfo(change, "PENDING");

/** Of a change that somebody asks about. */
export const encodeChange = (account: Account, change: SubmittedChange): Element =>
  changeInfo(change, account.now() >= change.submittedAt + account.propagationMilliseconds() ? "INSYNC" : "PENDING");

const changeInfo = ({ id, submittedAt, comment }: SubmittedChange, status: "PENDING" | "INSYNC"): Element =>
  element("ChangeInfo", [
    element("Id", `/change/${id}`),
    element("Status", status),
    element("SubmittedAt", new Date(submittedAt).toISOString()),
    comment === undefined ? undefined : element("Comment", comment),
  ]);
