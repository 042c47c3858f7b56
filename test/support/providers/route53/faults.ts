/** What goes wrong next, as a test says. */

export type Fault = {
  /** Such as `ChangeResourceRecordSets`; absent = any. */
  readonly action?: string;
  /** How many requests; absent = one. */
  readonly times?: number;
} & (
  | { readonly kind: "Error"; readonly status: number; readonly code: string; readonly message?: string }
  /** Held up before it is carried out. A zone whose batch is held up refuses other batches with PriorRequestNotComplete. */
  | { readonly kind: "Delay"; readonly milliseconds: number }
  /** The connection breaks, and nothing was done. */
  | { readonly kind: "DropBefore" }
  /** The connection breaks, and all was done. */
  | { readonly kind: "DropAfter" }
);

export interface Faults {
  add(fault: Fault): void;
  /** The fault of this request, in the order in which they were added; each is used up. */
  take(action: string): Fault | undefined;
  clear(): void;
}

export function createFaults(): Faults {
  const due: { readonly fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      due.push({ fault, left: fault.times ?? 1 });
    },
    take(action) {
      const at = due.findIndex(({ fault }) => fault.action === undefined || fault.action === action);
      const found = due[at];
      if (found === undefined) return undefined;
      found.left--;
      if (found.left <= 0) due.splice(at, 1);
      return found.fault;
    },
    clear() {
      due.length = 0;
    },
  };
}
