/** Decides which readings of the source become the inventory: errors are refused whole, a collapse is held, overrides always pass. */
import type { Inventory, Override } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import {
  COLLAPSE_WINDOW,
  type Collapse,
  collapseOf,
  haveSameNames,
  type InputNames,
  isSameInput,
  namesOf,
} from "../routing/input-collapse.ts";
import type { SourceReading } from "./source.ts";

export type Verdict =
  | { readonly kind: "accepted"; readonly inventory: Inventory }
  /** What was in force stays, but for overrides: an incident is the wrong time to be told of a typing mistake elsewhere. */
  | { readonly kind: "rejected"; readonly errors: readonly Problem[]; readonly inventory?: Inventory }
  | { readonly kind: "held"; readonly collapse: readonly Collapse[]; readonly inventory: Inventory };

export interface InputGate {
  offer(reading: SourceReading): Verdict;
  /** Accepts what is held, with today's overrides. @returns the inventory, if one was held */
  confirm(): { readonly inventory: Inventory; readonly collapse: readonly Collapse[] } | undefined;
  /** The reading that is held back, if one is. */
  held(): readonly Collapse[] | undefined;
  problems(): readonly Problem[];
  isRejecting(): boolean;
}

/** What was there from an instant on. Names only: whole inventories of a busy minute would fill the memory. */
interface Accepted {
  readonly at: number;
  readonly names: InputNames;
}

/**
 * @param first   what is in force at the start (a saved inventory), if anything; a restart compares with nothing, because a changed
 *                configuration is what many restarts are for
 * @param now     milliseconds since the epoch
 * @param holding the process before held a collapse of `first` that nobody had confirmed: the restart is no confirmation
 */
export function createInputGate(first: Inventory | undefined, now: () => number, holding = false): InputGate {
  let inForce = first;
  let accepted: readonly Accepted[] = holding && first !== undefined ? [{ at: now(), names: namesOf(first) }] : [];
  let held: { readonly inventory: Inventory; readonly names: InputNames; readonly collapse: readonly Collapse[] } | undefined;
  /** Of the newest reading without errors. */
  let named: { readonly inventory: Inventory; readonly names: InputNames } | undefined;
  let problems: readonly Problem[] = [];
  let rejecting = false;

  function nameAll(inventory: Inventory): InputNames {
    const names = named !== undefined && haveSameNames(named.inventory, inventory) ? named.names : namesOf(inventory);
    named = { inventory, names };
    return names;
  }

  function accept(inventory: Inventory, names: InputNames): void {
    const at = now();
    held = undefined;
    inForce = inventory;
    const newest = accepted.at(-1);
    if (newest !== undefined && (newest.names === names || isSameInput(newest.names, names))) return; // what is there has not changed
    accepted = [...recent(at), { at, names }];
  }

  /** What was in force at any time of the window: of what is older than it, only the newest. */
  function recent(at: number): readonly Accepted[] {
    accepted = accepted.map((entry) => (entry.at > at ? { ...entry, at } : entry)); // the clock was set back
    return accepted.filter((_entry, i) => i === accepted.length - 1 || at - accepted[i + 1]!.at < COLLAPSE_WINDOW);
  }

  /** The first loss against anything that was in force within the window. */
  const collapse = (names: InputNames): readonly Collapse[] =>
    recent(now())
      .map((entry) => (entry.names === names ? [] : collapseOf(entry.names, names)))
      .find((found) => found.length > 0) ?? [];

  /** Those of the reading, and those of before that stood where it could not look. */
  function overridesOf(read: readonly Override[], errors: readonly Problem[]): readonly Override[] {
    const before = new Map((inForce?.overrides ?? []).map((override) => [nameOf(override), override]));
    const present = read.map((override) => dated(override, before.get(nameOf(override))));
    for (const override of read) before.delete(nameOf(override));
    const unseen = [...before.values()].filter(({ file }) => file !== undefined && errors.some((error) => covers(error.file, file)));
    return [...present, ...unseen];
  }

  /** An approval counts for the outage it was given in: without a start, from when it was first seen. */
  function dated(override: Override, before: Override | undefined): Override {
    if (override.action !== "ApproveFailback" || override.start !== undefined) return override;
    const start = before === undefined || !isSameAct(override, before) ? undefined : before.start;
    return { ...override, start: start ?? now() };
  }

  return {
    offer({ inventory: read, problems: found }) {
      problems = found;
      const errors = found.filter((problem) => problem.severity === "error");
      rejecting = errors.length > 0;
      const overrides = overridesOf(read.overrides, errors);
      if (rejecting) {
        if (inForce === undefined) return { kind: "rejected", errors };
        inForce = { ...inForce, overrides };
        return { kind: "rejected", errors, inventory: inForce };
      }
      const inventory = { ...read, overrides };
      const names = nameAll(inventory);
      const lost = collapse(names);
      if (lost.length > 0 && inForce !== undefined) {
        held = { inventory, names, collapse: lost };
        inForce = { ...inForce, overrides };
        return { kind: "held", collapse: lost, inventory: inForce };
      }
      accept(inventory, names);
      return { kind: "accepted", inventory };
    },
    confirm() {
      if (held === undefined) return undefined;
      const confirmed = { inventory: { ...held.inventory, overrides: inForce?.overrides ?? [] }, collapse: held.collapse };
      accepted = [];
      accept(confirmed.inventory, held.names);
      return confirmed;
    },
    held: () => held?.collapse,
    problems: () => problems,
    isRejecting: () => rejecting,
  };
}

const nameOf = ({ namespace, name }: Override): string => `${namespace}/${name}`;

const isSameAct = (a: Override, b: Override): boolean =>
  JSON.stringify([a.target, a.action, a.reason, a.until]) === JSON.stringify([b.target, b.action, b.reason, b.until]);

/** @param place a file, or a folder that could not be read */
const covers = (place: string, file: string): boolean => file === place || file.startsWith(place.endsWith("/") ? place : `${place}/`);
