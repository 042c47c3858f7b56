/** One physical cluster counts once, however many MemberClusters lead to it. Pure. */

export interface Claim {
  /** MemberCluster. */
  readonly name: string;
  /** UID of the kube-system namespace that it leads to. */
  readonly uid: string;
  /** Its status says so already. */
  readonly isRecorded: boolean;
  /** RFC 3339. */
  readonly created: string;
}

/**
 * Who stays when several lead to the same cluster: whose status says so, else the oldest, else the first by name. Every replica comes to the
 * same, in whatever order the clusters answered.
 *
 * @returns UID → name of the MemberCluster
 */
export function incumbents(claims: Iterable<Claim>): ReadonlyMap<string, string> {
  const best = new Map<string, Claim>();
  for (const claim of claims) {
    const other = best.get(claim.uid);
    if (other === undefined || precedes(claim, other)) best.set(claim.uid, claim);
  }
  return new Map([...best].map(([uid, { name }]) => [uid, name]));
}

function precedes(a: Claim, b: Claim): boolean {
  if (a.isRecorded !== b.isRecorded) return a.isRecorded;
  if (a.created !== b.created) return a.created < b.created;
  return a.name < b.name;
}
