/** From a `MemberCluster` object to the cluster that the engine works on. */
import type { ApiContext } from "./api-context.ts";
import type { Findings } from "./findings.ts";
import type { Cluster } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import type { RegionTable } from "./region-table.ts";
import { toLocation } from "./to-location.ts";

/**
 * @param api absent when the objects are files'
 * @returns undefined when its location cannot be told; findings say why
 */
export function toCluster(
  object: ObjectOf<"MemberCluster">,
  regions: RegionTable,
  findings: Findings,
  api?: ApiContext,
): Cluster | undefined {
  if (api === undefined) refuseInFiles(object, findings);
  else checkAddressing(object, findings);
  const location = toLocation(object.spec.location, ["spec", "location"], "the cluster", regions, findings);
  if (location === undefined) return undefined;
  return { name: object.name, labels: object.labels, location, state: object.spec.state, weight: object.spec.weight };
}

/** Members that only a controller honours: in files they would silently do nothing. */
function refuseInFiles({ spec }: ObjectOf<"MemberCluster">, findings: Findings): void {
  const only = "works only with a Kubernetes controller";
  if (spec.access !== undefined)
    findings.error(["spec", "access"], "kubernetes-only", only, "Remove it: from a folder of files no cluster's API server is asked.");
  if (spec.addressing !== undefined)
    findings.error(
      ["spec", "addressing"],
      "kubernetes-only",
      only,
      "Remove it, and list what clients connect to as addresses of the backends.",
    );
}

function checkAddressing({ spec: { addressing } }: ObjectOf<"MemberCluster">, findings: Findings): void {
  if (addressing === undefined) return;
  const { type, addresses, hostName, nat } = addressing;
  const check = (member: string, isThere: boolean, needs: typeof type, isNeeded: boolean) => {
    const path = ["spec", "addressing", member];
    if (isThere && type !== needs)
      findings.error(path, "field-unused", `goes with type ${needs} only, and the type is ${type}`, "Remove it, or change the type.");
    else if (!isThere && isNeeded && type === needs)
      findings.error(path, "field-missing", `is required with type ${needs}`, `Add ${member}, or change the type.`);
  };
  check("addresses", addresses !== undefined, "Static", true);
  check("hostName", hostName !== undefined, "HostName", true);
  check("nat", nat !== undefined, "Status", false);
}
