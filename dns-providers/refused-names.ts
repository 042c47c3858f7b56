/** Names at which a provider would not have what was wanted, so that it is not tried again with every sync. */
import type { DesiredSet } from "./change.ts";
import type { ProviderError } from "./provider.ts";

export interface RefusedNames {
  /** @returns those that are to be left now: something else is wanted at others, or it is time to try again */
  still(desired: readonly DesiredSet[]): ReadonlySet<string>;
  remember(name: string, desired: readonly DesiredSet[], error: ProviderError): void;
  /** What was said of one of them; undefined when there is none. */
  error(): ProviderError | undefined;
}

/** What was refused is left alone so long, ms, unless something else is wanted there. */
const REFUSED_FOR = 600_000;

/** @param now monotonic milliseconds */
export function createRefusedNames(now: () => number): RefusedNames {
  const refused = new Map<string, { readonly wanted: string; readonly until: number; readonly error: ProviderError }>();
  return {
    still(desired) {
      for (const [name, { wanted, until }] of refused) if (until <= now() || wanted !== wantedAt(name, desired)) refused.delete(name);
      return new Set(refused.keys());
    },
    remember(name, desired, error) {
      refused.set(name, { wanted: wantedAt(name, desired), until: now() + REFUSED_FOR, error });
    },
    error: () => [...refused.values()].at(0)?.error,
  };
}

const wantedAt = (name: string, desired: readonly DesiredSet[]): string => JSON.stringify(desired.filter((set) => set.name === name));
