/** `plan --config` and `apply --config`: a server's plans, from a folder alone, with every backend taken for healthy. */
import { performance } from "node:perf_hooks";
import { lookAtDelegations } from "../../dns-providers/delegation/delegation-watch.ts";
import { type Provider, ProviderError } from "../../dns-providers/provider.ts";
import { aliasZone } from "../../dns-providers/route53/alias-zones.ts";
import { setsOf } from "../../dns-providers/sets-of.ts";
import type { AppliedPlans, AppliedZone, ZonePlan, ZonePlans } from "../../dns-providers/zone-plan.ts";
import { createZoneSync } from "../../dns-providers/zone-sync.ts";
import { ApiError } from "../admin/api-error.ts";
import { createFlattener } from "../dns/flatten.ts";
import { createHostResolver } from "../dns/resolver.ts";
import { type EndpointHealth, NOT_PROBED } from "../model/health.ts";
import type { Inventory, Zone } from "../model/inventory.ts";
import { parseIp } from "../model/ip.ts";
import { applyPlan, applyPlans, notApplied } from "./apply-plan.ts";
import { createDelegationPorts } from "./delegation-ports.ts";
import { CommandError, type Io } from "./io.ts";
import { failureOf, makePlans, syncOptions, type ZoneToPlan } from "./make-plans.ts";
import { compileFolder } from "./offline-world.ts";
import { createProviderOpener, digest } from "./open-provider.ts";
import { chooseZones } from "./plan-desk.ts";
import type { ProvidedZone } from "./provider-publisher.ts";
import { isPublishedIn } from "./published-hosts.ts";
import { authorityAt, watchedZones } from "./watched-zones.ts";

export const TAKEN_FOR_HEALTHY = "from the folder alone: nothing was probed, so every backend is taken for healthy";
const HEALTHY: EndpointHealth = { ...NOT_PROBED, health: "Healthy", reason: "ok" };
/** For all host names of backends, ms. */
const RESOLVING = 10_000;

export interface OfflinePlanning {
  readonly config: string;
  readonly mmdb: readonly string[];
  /** Plans that everything of ours goes. */
  readonly destroy?: true;
}

/** @throws CommandError (exit 2) */
export async function planOffline(names: readonly string[], planning: OfflinePlanning, io: Pick<Io, "now" | "cwd">): Promise<ZonePlans> {
  const all = chosen(names, await zonesOf(planning, io));
  const zones = planning.destroy ? all.map(emptied) : all;
  return { ...(await makePlans(zones, { open: opener(io), deadline: AbortSignal.timeout })), notes: [TAKEN_FOR_HEALTHY] };
}

/**
 * As the writer of a term that follows the zone's last: a server that writes as the same owner loses the zone by it.
 *
 * @throws CommandError (exit 2)
 */
export async function applyOffline(
  plans: readonly ZonePlan[],
  planning: OfflinePlanning,
  io: Pick<Io, "now" | "cwd">,
): Promise<AppliedPlans> {
  const open = opener(io);
  const destroyed = new Set(plans.filter(({ destroy }) => destroy).map(({ zone }) => zone));
  const zones = (await zonesOf(planning, io)).map((one) => (destroyed.has(one.zone.name) ? emptied(one) : one));
  return applyPlans(plans, zones, { open, deadline: AbortSignal.timeout }, (saved, zone) => applyOne(saved, zone, open));
}

const emptied = ({ zone }: ZoneToPlan): ZoneToPlan => ({ zone, desired: () => [], delegations: async () => [], destroy: true });

async function applyOne(
  saved: ZonePlan,
  { zone, desired, delegations, destroy }: ZoneToPlan,
  open: (zone: ProvidedZone) => Provider,
): Promise<AppliedZone> {
  let provider: Provider | undefined;
  try {
    provider = open(zone);
    const signal = AbortSignal.timeout(provider.capabilities.deadline);
    const sync = createZoneSync(syncOptions(zone, provider, destroy));
    const epoch = (await sync.lastEpoch(signal)) + 1;
    const sets = desired(provider.capabilities);
    const applied = await applyPlan({ saved, zone, desired: sets, delegations: await delegations(), destroy, sync, epoch, signal });
    // The fence goes too, and what was made besides records.
    if (destroy && applied.outcome === "Applied") await sync.remove({ epoch, signal });
    return applied;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return notApplied(saved.zone, "Failed", failureOf(error).message);
  } finally {
    provider?.close?.();
  }
}

async function zonesOf({ config, mmdb }: OfflinePlanning, io: Pick<Io, "now" | "cwd">): Promise<readonly ZoneToPlan[]> {
  const { inventory, table } = await compileFolder({ config, mmdb, health: HEALTHY, flatten: resolveHosts }, io);
  const byDomain = new Map(inventory.zones.map((zone) => [zone.domain, zone]));
  const open = opener(io);
  const watched = watchedZones(inventory, (zone) => async () => {
    const provider = isElsewhere(zone) ? open(zone) : undefined;
    return authorityAt(zone, provider, AbortSignal.timeout)().finally(() => provider?.close?.());
  });
  return inventory.zones.filter(isElsewhere).map((zone) => ({
    zone,
    delegations: async () =>
      lookAtDelegations(
        watched.filter(({ parent }) => parent === zone.name),
        createDelegationPorts(io.now),
      ),
    desired: (capabilities) =>
      setsOf(capabilities, {
        ...{ table, routes: inventory.routes, clusters: inventory.clusters, isInZone: isPublishedIn(zone, byDomain) },
        ...{ scope: { domain: zone.domain, owner: zone.owner }, digest, aliasZone, before: () => undefined },
      }),
  }));
}

const isElsewhere = (zone: Zone): zone is ProvidedZone => zone.provider !== undefined;

function chosen(names: readonly string[], zones: readonly ZoneToPlan[]): readonly ZoneToPlan[] {
  try {
    return chooseZones(names, zones);
  } catch (error) {
    throw error instanceof ApiError ? new CommandError(2, error.message, { cause: error }) : error;
  }
}

const opener = (io: Pick<Io, "now">): ((zone: ProvidedZone) => Provider) =>
  createProviderOpener({ wallClock: io.now, now: () => performance.now(), setTimer, onPropagated: () => {} });

/** Without its addresses a backend would seem to be gone, and its records with it. @throws CommandError (exit 2) */
async function resolveHosts(inventory: Inventory): Promise<Inventory> {
  const isName = (address: string): boolean => parseIp(address) === undefined;
  if (!inventory.routes.some(({ backends }) => backends.some(({ addresses }) => addresses.some(isName)))) return inventory;
  const resolver = createHostResolver();
  const flattener = createFlattener({ resolver, now: () => performance.now(), setTimer });
  try {
    flattener.apply(inventory);
    const until = performance.now() + RESOLVING;
    const open = () => flattener.status().filter(({ age }) => age === undefined);
    while (open().some(({ fault }) => fault === undefined) && performance.now() < until)
      await new Promise<void>((resolve) => void setTimeout(resolve, 20));
    const [failed] = open();
    if (failed === undefined) return flattener.apply(inventory);
    const remedy = "Look whether this machine can resolve it, or plan by a running server: `globalroute plan --server URL`.";
    throw new CommandError(2, `the backend address ${failed.name} cannot be resolved (${failed.fault ?? "no answer in time"}). ${remedy}`);
  } finally {
    flattener.close();
    resolver.close();
  }
}

function setTimer(milliseconds: number, callback: () => void): () => void {
  const timer = setTimeout(callback, milliseconds);
  return () => clearTimeout(timer);
}
