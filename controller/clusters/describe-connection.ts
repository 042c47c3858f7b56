/** How a connection to a member cluster is, in words for its status. Pure. */
import type { KubeError } from "../kube/kube-error.ts";
import { resourceTitle } from "../kube/resource-path.ts";
import type { ClusterConnection, SourceKind } from "./cluster-objects.ts";
import { sourceResources } from "./source-resources.ts";

/** Why there is nothing to connect with. */
export interface AccessProblem {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
  /** Whether the connection in use is given up: its credential was taken away, not just mistaken. */
  readonly withdraws: boolean;
}

export interface ConnectionFacts {
  readonly access: AccessProblem | undefined;
  /** MemberCluster that counts for the same cluster. */
  readonly other: string | undefined;
  /** What a new credential met. */
  readonly refused: KubeError | undefined;
  /** Some credential was accepted. */
  readonly isActive: boolean;
  /** Why the server has not answered for too long. */
  readonly failing: KubeError | undefined;
  /** Each kind was read once, or cannot be. */
  readonly hasRead: boolean;
  readonly forbidden: readonly SourceKind[];
  readonly hidesIdentity: boolean;
}

/** The most important first: why nothing can be read, then why not everything. */
export function describeConnection(facts: ConnectionFacts): Pick<ClusterConnection, "state" | "reason" | "message"> {
  const { access, other, refused, isActive, failing, hasRead, forbidden, hidesIdentity } = facts;
  if (access !== undefined) {
    const goesOn = isActive ? " The connection that there was goes on meanwhile." : "";
    const message = `${sentence(access.message)} ${access.remedy}${goesOn}`;
    return { state: access.withdraws ? "Unreachable" : "Refused", reason: access.reason, message };
  }
  if (other !== undefined) {
    const message = `This is the cluster that MemberCluster ${other} leads to. Delete one of the two, or correct its Secret.`;
    return { state: "Refused", reason: "SameCluster", message };
  }
  if (refused !== undefined) {
    const goesOn = isActive ? " The connection with the credential before goes on meanwhile." : "";
    return { state: "Unreachable", reason: reasonOf(refused), message: `${refused.message}${goesOn}` };
  }
  if (!isActive) return { state: "Connecting", reason: "Connecting", message: "The cluster is being asked for the first time." };
  if (failing !== undefined) {
    return { state: "Unreachable", reason: reasonOf(failing), message: `${failing.message} What was read before is kept.` };
  }
  if (!hasRead) return { state: "Connecting", reason: "Reading", message: "The API server answers, and is being read for the first time." };
  if (forbidden.length > 0) {
    const permissions = forbidden.map((kind) => `list and watch ${resourceTitle(sourceResources[kind])}`).join(", ");
    const message = `Not permitted to ${permissions}. Grant it, or leave the kind out of spec.access.sources.`;
    return { state: "Connected", reason: "Forbidden", message };
  }
  if (hidesIdentity) {
    const message = "Not permitted to get the namespace kube-system, so a cluster that is listed twice goes unnoticed. Grant it.";
    return { state: "Connected", reason: "IdentityUnknown", message };
  }
  return { state: "Connected", reason: "Connected", message: "The API server answers." };
}

/** Words that stay the same while a server fails in the same way. */
function reasonOf(error: KubeError): string {
  if (error.isUnauthorized) return "Unauthorized";
  if (error.isForbidden) return "Forbidden";
  return error.reason === "NotTrusted" || error.reason === "AddressForbidden" ? error.reason : "Unreachable";
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
