/** Plans and what became of them, as lines for people. Pure. */

import { setInWords } from "../../dns-providers/set-in-words.ts";
import type { AppliedPlans, PlannedChange, PlannedConflict, SetName, ZonePlan, ZonePlans } from "../../dns-providers/zone-plan.ts";
import { isOwnRecord, setOf } from "../../dns-providers/zone-plan.ts";
import { count } from "../model/count.ts";
import type { Paint, Style } from "./text.ts";

export interface PlanView {
  /** Also records that are ours alone: registry and helpers. */
  readonly all: boolean;
  /** Where it was saved. */
  readonly saved?: string;
}

/** @returns lines, the last of which counts the changes that are shown */
export function renderPlans({ zones, failures, notes }: ZonePlans, { all, saved }: PlanView, paint: Paint): readonly string[] {
  const shown = zones.flatMap(({ changes }) => changes.filter((change) => all || !isOwnRecord(change)));
  return [
    ...notes.map((note) => `${paint("yellow", "note:")} ${note}`),
    ...zones.flatMap((zone) => [...renderZone(zone, all, paint), ""]),
    ...failures.flatMap(({ zone, provider }) => [`${paint("bold", zone)} (${provider}): ${paint("red", "could not be planned")}`, ""]),
    ...(zones.length + failures.length === 0 ? ["No zone is kept elsewhere: there is nothing to plan.", ""] : []),
    ...(saved === undefined ? [] : [`Saved. Carry it out with: globalroute apply ${saved}`]),
    `Plan: ${counts(shown)}.`,
  ];
}

function renderZone(plan: ZonePlan, all: boolean, paint: Paint): readonly string[] {
  const { zone, domain, provider, owner, policy, changes, conflicts, held, kept, waiting = [], destroy } = plan;
  const shown = changes.filter((change) => all || !isOwnRecord(change));
  const folded = changes.length - shown.length;
  const own = changes.filter((change) => !shown.includes(change));
  return [
    `${paint("bold", zone)} (${domain}, ${provider}, owner ${owner}, policy ${policy})${destroy ? paint("red", ", everything goes") : ""}:${changes.length === 0 ? " no changes" : ""}`,
    ...shown.map((change) => renderChange(change, paint)),
    ...(folded === 0
      ? []
      : [`    ${paint("dim", `and ${count(folded, "record")} of GlobalRoute's own: ${counts(own)} (--all shows them)`)}`]),
    ...conflicts.map((conflict) => `  ${paint("yellow", "!")} ${renderConflict(conflict)}`),
    ...(held.length === 0
      ? []
      : [
          `  ${paint("yellow", "held:")} ${count(held.length, "removal")} at once wait for \`globalroute confirm\`, or for \`apply\` of this plan: ${names(held)}`,
        ]),
    ...(kept.length === 0 ? [] : [`  ${paint("dim", "kept:")} wanted no more, and policy ${policy} removes nothing: ${names(kept)}`]),
    ...waiting.map(({ child, why }) => `  ${paint("yellow", "waits:")} the delegation of ${child}: ${why}`),
  ];
}

const SIGNS = {
  Create: { sign: "+", style: "green" },
  Replace: { sign: "~", style: "yellow" },
  Delete: { sign: "-", style: "red" },
} as const satisfies Record<PlannedChange["action"], { readonly sign: string; readonly style: Style }>;

function renderChange(change: PlannedChange, paint: Paint): string {
  const { sign, style } = SIGNS[change.action];
  const { before, after, resource } = change;
  const [was, becomes] = [before, after].map((content) => (content === undefined ? undefined : setInWords(setOf(change, content))));
  const what = [was, becomes].filter((words) => words !== undefined).join(" → ");
  const whose = resource === undefined ? "" : paint("dim", `  for ${resource}`);
  return `  ${paint(style, sign)} ${title(change)}  ${what}${whose}`;
}

const REASONS = {
  Foreign: "what is there is somebody else's",
  OwnedByAnother: "the name belongs to another owner",
  CnameThere: "somebody else's CNAME is there",
  NotAlone: "a CNAME would not stand alone there",
  Reserved: "the name is kept for GlobalRoute's own records, or too long to have one",
} as const satisfies Record<PlannedConflict["reason"], string>;

const renderConflict = ({ name, type, reason, owner, resource }: PlannedConflict): string =>
  `${name} ${type} is not ours and stays as it is: ${REASONS[reason]}${owner === undefined ? "" : ` (${owner})`}${resource === undefined ? "" : `, wanted for ${resource}`}`;

const title = ({ name, type, setIdentifier }: SetName): string =>
  `${name} ${type}${setIdentifier === undefined ? "" : ` [${setIdentifier}]`}`;

const MOST_NAMES = 10;
const names = (sets: readonly SetName[]): string =>
  `${sets.slice(0, MOST_NAMES).map(title).join(", ")}${sets.length > MOST_NAMES ? ` and ${sets.length - MOST_NAMES} more` : ""}`;

function counts(changes: readonly PlannedChange[]): string {
  const of = (action: PlannedChange["action"]): number => changes.filter((change) => change.action === action).length;
  return `${of("Create")} to create, ${of("Replace")} to replace, ${of("Delete")} to delete`;
}

export function renderApplied({ zones }: AppliedPlans, paint: Paint): readonly string[] {
  if (zones.length === 0) return ["The plan has no changes: nothing was done."];
  return zones.map(({ zone, outcome, changes, message }) =>
    outcome === "Applied"
      ? `${paint("bold", zone)}: ${paint("green", "applied")}, ${count(changes, "change")}`
      : `${paint("bold", zone)}: ${paint(outcome === "Failed" ? "red" : "yellow", outcome.toLowerCase())}: ${message}`,
  );
}
