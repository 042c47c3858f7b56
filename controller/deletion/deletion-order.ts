/**
 * In which order what is deleted goes (docs/safety.md, rule 7), and what holds an object back meanwhile. A finalizer of ours is on an object for as
 * long as its records at a provider are to go with it: on zones alone, as records of a route go with its zone's next sync, and zones that this
 * program answers for itself vanish with their objects.
 */
import type { Zone } from "../../src/model/inventory.ts";
import type { KubeObject } from "../kube/kube-object.ts";

/** On objects of which a provider holds records that are to go. */
export const FINALIZER = "globalroute.dev/records";

export type DeletableKind = "GlobalRoute" | "DNSZone" | "MemberCluster";
/** What is let go first comes first. */
export const DELETION_ORDER: readonly DeletableKind[] = ["GlobalRoute", "DNSZone", "MemberCluster"];

export const isHeld = ({ metadata }: Pick<KubeObject, "metadata">): boolean => metadata.finalizers?.includes(FINALIZER) === true;
export const isDeleted = ({ metadata }: Pick<KubeObject, "metadata">): boolean => metadata.deletionTimestamp !== undefined;

/** Whether our records in a zone go with its object. A dry run writes nothing, and so removes nothing either. */
export const isRemovedWithObject = ({ provider }: Pick<Zone, "provider">): boolean =>
  provider?.deletionPolicy === "Delete" && provider.policy !== "DryRun";

/** Whether our records in a zone are on their way out: its object says so itself, and nothing else does (rule 11). */
export const isLeaving = (object: Pick<KubeObject, "metadata">, zone: Pick<Zone, "provider">): boolean =>
  isDeleted(object) && isHeld(object) && isRemovedWithObject(zone);

export type DeletionStep =
  /** All is as it should be. */
  | "None"
  /** Put the finalizer on. */
  | "Hold"
  | "RemoveRecords"
  /** Take the finalizer off: records stay, or there are none. */
  | "Release"
  /** Nobody can tell any more where its records are. */
  | "Unreadable";

/**
 * @param object    as it is stored
 * @param zone      as it is served; undefined when its object was never accepted, or nobody can read it any more
 * @param isRemoved our records there are gone
 */
export function deletionStep(
  object: Pick<KubeObject, "metadata">,
  zone: Pick<Zone, "provider"> | undefined,
  isRemoved: boolean,
): DeletionStep {
  const wanted = zone !== undefined && isRemovedWithObject(zone);
  if (!isHeld(object)) return wanted && !isDeleted(object) ? "Hold" : "None";
  if (zone === undefined) return isDeleted(object) ? "Unreadable" : "None";
  if (!wanted) return "Release";
  if (!isDeleted(object)) return "None";
  return isRemoved ? "Release" : "RemoveRecords";
}
