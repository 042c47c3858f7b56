/** An operator's act: what it is aimed at, and the `TrafficOverride` that it becomes, in a file or in an API server. */
import type { Override, OverrideAction } from "../model/inventory.ts";
import { API_GROUP, API_VERSION } from "../model/kinds.ts";
import { CommandError } from "./io.ts";

export type Target = Override["target"];

const MAX_REASON = 256;

/** `eu-west`; `default/shop`; `default/shop/eu-west`. */
export function parseTarget(text: string): Target {
  const parts = text.split("/");
  const [first = "", second = "", backend] = parts;
  if (parts.length > 3 || parts.includes(""))
    throw new CommandError(2, `${JSON.stringify(text)} is no target. Write CLUSTER, NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND.`);
  if (parts.length === 1) return { kind: "MemberCluster", name: first };
  return { kind: "GlobalRoute", namespace: first, name: second, ...(backend === undefined ? {} : { backend }) };
}

/** As it was written on the command line. */
export function formatTarget(target: Target): string {
  if (target.kind === "MemberCluster") return target.name;
  return [target.namespace, target.name, ...(target.backend === undefined ? [] : [target.backend])].join("/");
}

export const sameTarget = (a: Target, b: Target): boolean => a.kind === b.kind && formatTarget(a) === formatTarget(b);

/**
 * Without white space around it. The schema's bounds: an object that breaks them would have the whole folder refused.
 *
 * @throws CommandError (exit 2)
 */
export function requireReason(text: string): string {
  const reason = text.trim();
  if (reason === "" || reason.length > MAX_REASON)
    throw new CommandError(2, `--reason needs 1 to ${MAX_REASON} characters: whoever finds the override later will want to know.`);
  return reason;
}

export interface Act {
  /** First part of the object's name. */
  readonly verb: "drain" | "drill" | "approve" | "promote" | "abort";
  readonly action: OverrideAction;
  readonly target: Target;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly start?: number;
  readonly until?: number;
  /** Who does it. */
  readonly by: string;
}

/** Equal for equal verb and target, so that doing it again replaces it. A cluster's has no namespace: whoever writes it knows which. */
export function overrideName({ verb, target }: Pick<Act, "verb" | "target">): string {
  const { kind, name } = target;
  return `${verb}-${kind === "GlobalRoute" && target.backend !== undefined ? `${name}.${target.backend}` : name}`;
}

/** @param namespace of an override of a cluster, where it needs one */
export function overrideObject(act: Act, namespace?: string) {
  const { action, target, reason, start, until, by } = act;
  const { kind, name } = target;
  const instant = (at: number): string => new Date(at).toISOString();
  const where = kind === "GlobalRoute" ? target.namespace : namespace;
  return {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: "TrafficOverride",
    metadata: {
      name: overrideName(act),
      ...(where === undefined ? {} : { namespace: where }),
      annotations: { "globalroute.dev/by": by },
    },
    spec: {
      targetRef: { kind, name, ...(kind === "GlobalRoute" && target.backend !== undefined ? { backend: target.backend } : {}) },
      action,
      ...(start === undefined ? {} : { start: instant(start) }),
      ...(until === undefined ? {} : { until: instant(until) }),
      reason,
    },
  };
}
