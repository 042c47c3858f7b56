/**
 * In which order deleted objects go (docs/safety.md, rule 7): first clients are led away, then records are removed, then the object is let go;
 * routes before zones before clusters. An object has our finalizer for exactly as long as a provider holds records of it: zones that this program
 * answers for itself vanish with their objects. Pure.
 */

/** On objects of which a provider holds records. */
export const FINALIZER = "globalroute.dev/records";

export type DeletableKind = "GlobalRoute" | "DNSZone" | "MemberCluster";
/** What is let go first comes first. */
export const DELETION_ORDER: readonly DeletableKind[] = ["GlobalRoute", "DNSZone", "MemberCluster"];

export interface Deletable {
  readonly kind: DeletableKind;
  /** `namespace/name` or `name` */
  readonly key: string;
  /** `metadata.deletionTimestamp`, ms since the epoch; absent while nobody has deleted it. */
  readonly deletedAt?: number;
  readonly isHeld: boolean;
  /** Records that providers hold because of it: of a route its own, of a zone all of ours in it, of a cluster those that name its addresses. */
  readonly records: number;
  /** Longest that a client may keep an answer that comes from it, ms. */
  readonly maxTtl: number;
  /** Of zones. Orphan = records stay where they are. */
  readonly deletionPolicy?: "Orphan" | "Delete";
}

export type DeletionStep =
  /** Put the finalizer on, before the first record is written. */
  | { readonly step: "Hold"; readonly object: Deletable }
  /** Name it in no answer; look again at `until`, ms since the epoch. */
  | { readonly step: "Drain"; readonly object: Deletable; readonly until: number }
  /** Others go first. */
  | { readonly step: "Wait"; readonly object: Deletable; readonly for: DeletableKind }
  | { readonly step: "RemoveRecords"; readonly object: Deletable }
  /** Take the finalizer off. */
  | { readonly step: "Release"; readonly object: Deletable };

/** @param now milliseconds since the epoch. @returns what is to be done now, in its order; nothing for objects that are as they should be */
export function deletionSteps(objects: readonly Deletable[], now: number): readonly DeletionStep[] {
  const isLeaving = ({ deletedAt, isHeld }: Deletable): boolean => deletedAt !== undefined && isHeld;
  return DELETION_ORDER.flatMap((kind, rank) => {
    const before = DELETION_ORDER.slice(0, rank).find((earlier) => objects.some((object) => object.kind === earlier && isLeaving(object)));
    return objects.filter((object) => object.kind === kind).flatMap((object) => stepOf(object, before, now) ?? []);
  });
}

function stepOf(object: Deletable, before: DeletableKind | undefined, now: number): DeletionStep | undefined {
  const { deletedAt, isHeld, records, maxTtl, deletionPolicy } = object;
  if (deletedAt === undefined) {
    if (records > 0 && !isHeld) return { step: "Hold", object };
    return records === 0 && isHeld ? { step: "Release", object } : undefined;
  }
  const until = deletedAt + maxTtl;
  if (isDrained(object) && now < until) return { step: "Drain", object, until };
  if (!isHeld) return undefined;
  if (before !== undefined) return { step: "Wait", object, for: before };
  return records === 0 || deletionPolicy === "Orphan" ? { step: "Release", object } : { step: "RemoveRecords", object };
}

/** Clients are led to other clusters; of a route or a zone there is nowhere to lead them to. */
const isDrained = ({ kind }: Deletable): boolean => kind === "MemberCluster";
