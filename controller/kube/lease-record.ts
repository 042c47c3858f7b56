/** A coordination.k8s.io Lease as we read and write it. Pure. */
import type { KubeObject } from "./kube-object.ts";
import { apiVersionOf } from "./kube-object.ts";
import { field, textField } from "./kube-status.ts";
import { microTime } from "./micro-time.ts";
import { LEASES } from "./resources.ts";

export interface LeaseRecord {
  /** Empty = nobody. */
  readonly holder: string;
  /** Changes of holder since the Lease was made. */
  readonly transitions: number;
  /** Milliseconds since the epoch by the holder's clock: for people, never compared with ours. */
  readonly acquired: number;
  readonly renewed: number;
  /** Milliseconds. */
  readonly duration: number;
}

export function readLease(lease: KubeObject): LeaseRecord {
  const count = (name: string): number => {
    const value = field(lease.spec, name);
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  const time = (name: string): number => Date.parse(textField(lease.spec, name)) || 0;
  return {
    holder: textField(lease.spec, "holderIdentity"),
    transitions: count("leaseTransitions"),
    acquired: time("acquireTime"),
    renewed: time("renewTime"),
    duration: count("leaseDurationSeconds") * 1000,
  };
}

/** @param before what it replaces, whose metadata is kept */
export function leaseObject(namespace: string, name: string, record: LeaseRecord, before: KubeObject | undefined): KubeObject {
  return {
    apiVersion: apiVersionOf(LEASES),
    kind: LEASES.kind,
    metadata: before?.metadata ?? { namespace, name },
    spec: {
      holderIdentity: record.holder,
      leaseTransitions: record.transitions,
      acquireTime: microTime(record.acquired),
      renewTime: microTime(record.renewed),
      leaseDurationSeconds: Math.max(1, Math.ceil(record.duration / 1000)),
    },
  };
}
