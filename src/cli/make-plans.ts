/** Plans several zones, each from a listing of its own, whoever asks: a server for its API, or a command that has only a folder. */
import type { DesiredSet } from "../../dns-providers/change.ts";
import type { DesiredDelegation } from "../../dns-providers/delegation/delegation.ts";
import { type Capabilities, type Provider, ProviderError } from "../../dns-providers/provider.ts";
import { toZonePlan, type ZoneFailure, type ZonePlan, type ZonePlans } from "../../dns-providers/zone-plan.ts";
import { createZoneSync, type ZoneSyncOptions } from "../../dns-providers/zone-sync.ts";
import type { ProvidedZone } from "./provider-publisher.ts";

export interface ZoneToPlan {
  readonly zone: ProvidedZone;
  /** What it should have; undefined while that is not known. */
  readonly desired: (capabilities: Capabilities) => readonly DesiredSet[] | undefined;
  /** Zones that it delegates. */
  readonly delegations: () => Promise<readonly DesiredDelegation[]>;
  /** Everything of ours there is to go. */
  readonly destroy?: true;
}

export interface Planning {
  /** Opens a provider for a zone. @throws ProviderError when it cannot even be tried */
  readonly open: (zone: ProvidedZone) => Provider;
  /** Aborts after so many milliseconds. */
  readonly deadline: (milliseconds: number) => AbortSignal;
}

/** For one listing, ms, where a whole sync may take longer. */
const LISTING = 60_000;

/** Providers are opened for this alone: they remember what they listed, and a sync that runs meanwhile must not find that changed. */
export async function makePlans(zones: readonly ZoneToPlan[], { open, deadline }: Planning): Promise<Omit<ZonePlans, "notes">> {
  const made = await Promise.all(zones.map((one) => makePlan(one, { open, deadline })));
  return { zones: made.filter((one) => "changes" in one), failures: made.filter((one) => "code" in one) };
}

async function makePlan(
  { zone, desired, delegations: findDelegations, destroy }: ZoneToPlan,
  { open, deadline }: Planning,
): Promise<ZonePlan | ZoneFailure> {
  let provider: Provider | undefined;
  let signal: AbortSignal | undefined;
  try {
    provider = open(zone);
    const sets = desired(provider.capabilities);
    if (sets === undefined) return { zone: zone.name, provider: zone.provider.type, code: "not-ready", message: NOT_READY };
    const delegations = await findDelegations();
    signal = deadline(Math.min(LISTING, provider.capabilities.deadline));
    const planned = await createZoneSync(syncOptions(zone, provider, destroy)).plan({ desired: sets, delegations, signal });
    return toZonePlan(aboutZone(zone, destroy), planned);
  } catch (error) {
    return { zone: zone.name, provider: zone.provider.type, ...failureOf(error, signal) };
  } finally {
    provider?.close?.();
  }
}

export const NOT_READY = "a backend has not been probed yet, so what is to be published is not known. Try again in half a minute.";

/** A sync of its own, which knows nothing yet. @param destroy whatever the policy, and nothing is taken over first */
export const syncOptions = (zone: ProvidedZone, provider: Provider, destroy?: true): ZoneSyncOptions => ({
  ...{ provider, domain: zone.domain, owner: zone.owner, now: () => 0 },
  policy: destroy ? "Sync" : zone.provider.policy,
  adoptFrom: destroy ? [] : zone.provider.adoptFrom,
});

export const aboutZone = (
  zone: ProvidedZone,
  destroy?: true,
): Pick<ZonePlan, "zone" | "domain" | "provider" | "owner" | "policy" | "destroy"> => ({
  ...{ zone: zone.name, domain: zone.domain, provider: zone.provider.type },
  ...{ owner: zone.owner, policy: zone.provider.policy },
  ...(destroy === undefined ? {} : { destroy }),
});

/** What went wrong, with the remedy. */
export function failureOf(error: unknown, signal?: AbortSignal): Pick<ZoneFailure, "code" | "message"> {
  if (error instanceof ProviderError) return { code: error.code, message: error.message };
  if (signal?.aborted === true)
    return { code: "unreachable", message: "the provider did not answer in time. Look whether it can be reached, and ask again." };
  return { code: "unknown", message: `${error instanceof Error ? error.message : error}. This may be a fault of this program: report it.` };
}
