/** Decides which readings of the source become the inventory: errors are refused whole, a collapse is held, overrides always pass. */
import type { Inventory } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import { COLLAPSE_WINDOW, type Collapse, inputCollapse } from "../routing/input-collapse.ts";
import type { SourceReading } from "./source.ts";

export type Verdict =
  | { readonly kind: "accepted"; readonly inventory: Inventory }
  /** What was in force stays, but for overrides: an incident is the wrong time to be told of a typing mistake elsewhere. */
  | { readonly kind: "rejected"; readonly errors: readonly Problem[]; readonly inventory?: Inventory }
  | { readonly kind: "held"; readonly collapse: readonly Collapse[]; readonly inventory: Inventory };

export interface InputGate {
  offer(reading: SourceReading): Verdict;
  /** Accepts what is held. @returns the inventory that was held, if any */
  confirm(): { readonly inventory: Inventory; readonly collapse: readonly Collapse[] } | undefined;
  /** The reading that is held back, if one is. */
  held(): readonly Collapse[] | undefined;
  problems(): readonly Problem[];
  isRejecting(): boolean;
}

/**
 * @param first what is in force at the start (a saved inventory), if anything; a restart compares with nothing, because a changed
 *              configuration is what many restarts are for
 * @param now   milliseconds since the epoch
 */
export function createInputGate(first: Inventory | undefined, now: () => number): InputGate {
  let inForce = first;
  let accepted: { readonly at: number; readonly inventory: Inventory }[] = [];
  let held: { readonly inventory: Inventory; readonly collapse: readonly Collapse[] } | undefined;
  let problems: readonly Problem[] = [];
  let rejecting = false;

  function accept(inventory: Inventory): void {
    const at = now();
    held = undefined;
    inForce = inventory;
    // Of what is older than the window only the newest counts: it was in force when the window began.
    const old = accepted.filter((entry) => at - entry.at >= COLLAPSE_WINDOW).slice(-1);
    accepted = [...old, ...accepted.filter((entry) => at - entry.at < COLLAPSE_WINDOW), { at, inventory }];
  }

  /** The largest loss against anything that was in force within the window. */
  function collapseOf(next: Inventory): readonly Collapse[] {
    const at = now();
    const recent = accepted.filter(
      (entry, i) => at - entry.at < COLLAPSE_WINDOW || i === accepted.length - 1 || at - accepted[i + 1]!.at < COLLAPSE_WINDOW,
    );
    return recent.map((entry) => inputCollapse(entry.inventory, next)).find((collapse) => collapse.length > 0) ?? [];
  }

  return {
    offer({ inventory, problems: found }) {
      problems = found;
      const errors = found.filter((problem) => problem.severity === "error");
      rejecting = errors.length > 0;
      if (rejecting) {
        if (inForce === undefined) return { kind: "rejected", errors };
        inForce = { ...inForce, overrides: inventory.overrides };
        return { kind: "rejected", errors, inventory: inForce };
      }
      const collapse = collapseOf(inventory);
      if (collapse.length > 0 && inForce !== undefined) {
        held = { inventory, collapse };
        inForce = { ...inForce, overrides: inventory.overrides };
        return { kind: "held", collapse, inventory: inForce };
      }
      accept(inventory);
      return { kind: "accepted", inventory };
    },
    confirm() {
      const confirmed = held;
      if (confirmed === undefined) return undefined;
      accepted = [];
      accept(confirmed.inventory);
      return confirmed;
    },
    held: () => held?.collapse,
    problems: () => problems,
    isRejecting: () => rejecting,
  };
}
