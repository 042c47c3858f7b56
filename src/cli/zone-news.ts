/** What the log tells of a zone that is kept elsewhere. Pure. */
import type { Conflict, Plan } from "../../dns-providers/planner.ts";
import { count } from "../model/count.ts";
import type { ZoneProvider } from "../model/inventory.ts";

const TAKE_OUT = "Remove them there, or take the hosts out of the routes";
const ADOPT = "Remove them there, or have a delegation become ours by delegation.adopt: true";
const isOfDelegation = ({ type }: Conflict): boolean => type === "NS" || type === "DS";

/** What a plan left undone, in one sentence; empty when nothing. */
export function newsOf(policy: ZoneProvider["policy"], { conflicts, held, groups, contested, waiting }: Plan): string {
  const others = conflicts.map(({ name, type, reason, owner }) => `${name} ${type} (${reason}${owner === undefined ? "" : ` ${owner}`})`);
  const parts = [
    ...(conflicts.length === 0
      ? []
      : [`not ours and left alone: ${firstThree(others)}. ${conflicts.some(isOfDelegation) ? ADOPT : TAKE_OUT}`]),
    ...(held.length === 0 ? [] : [`${count(held.length, "record set")} would go at once and are kept: run globalroute confirm`]),
    ...(contested.length === 0
      ? []
      : [
          `somebody else keeps changing ${firstThree(contested)}, left alone for an hour: find the other tool, and take the names from it or from us`,
        ]),
    ...waiting.map(({ child, why }) => `the delegation of ${child} is not as it is wanted: ${why}`),
    ...(policy === "DryRun" && groups.length > 0 ? [`policy DryRun: ${count(groups.length, "name")} would be changed`] : []),
  ];
  return parts.join("; ");
}

/** The first three. */
export const firstThree = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
