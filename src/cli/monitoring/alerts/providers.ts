/** Alerts on zones that are kept elsewhere, and on proxies that are not ours. */
import { type Alert, AT, degradedFor } from "../alert.ts";

export const providerAlerts: readonly Alert[] = [
  degradedFor("provider-failing", "5m", {
    name: "GlobalRouteProviderFails",
    severity: "critical",
    summary: `A zone that is kept elsewhere cannot be written by ${AT}`,
    description: "It stays as it was: failovers do not reach the clients of that zone until it can be written again.",
    runbook: "provider-fails",
  }),
  {
    name: "GlobalRouteZoneNotSynced",
    severity: "warning",
    expr: "max by (namespace, job, zone) (globalroute_provider_sync_age_seconds) > 1800",
    for: "5m",
    reads: ["globalroute_provider_sync_age_seconds"],
    summary: "{{ $labels.zone }} was not found or made as it should be for {{ $value | humanizeDuration }}",
    description: "Nobody knows what its clients are answered, and what others changed there is not put right.",
    runbook: "provider-fails",
  },
  degradedFor("removals-held", "10m", {
    name: "GlobalRouteRemovalsHeld",
    severity: "warning",
    summary: `Too many record sets would leave a zone at once; ${AT} keeps them`,
    description: "Names that no route has any more are still answered there, until somebody confirms.",
    runbook: "removals-held",
  }),
  degradedFor("names-contested", "10m", {
    name: "GlobalRouteNamesContested",
    severity: "warning",
    summary: `Somebody else keeps changing our names in a zone that ${AT} writes`,
    description: "They are left alone for an hour at a time: their clients get what the other one writes.",
    runbook: "names-contested",
  }),
  degradedFor("delegation-waiting", "1h", {
    name: "GlobalRouteDelegationWaits",
    severity: "warning",
    summary: `A delegation that ${AT} keeps is not as it is wanted`,
    description: "Resolvers go by what stands in the parent zone now: name servers that are not ours any more, or a DS record that is not.",
    runbook: "delegation-waits",
  }),
  degradedFor("proxy-failing", "5m", {
    name: "GlobalRouteProxyDoesNotFollow",
    severity: "warning",
    summary: `A proxy of a ProxyFleet does not follow ${AT}`,
    description: "It passes requests on as it was told before: a failover that it has not taken does not reach its clients.",
    runbook: "proxy-does-not-follow",
  }),
  {
    name: "GlobalRouteChangesWait",
    severity: "info",
    expr: "max by (namespace, job, zone) (globalroute_provider_pending_changes) > 0",
    for: "30m",
    reads: ["globalroute_provider_pending_changes"],
    summary: "Record sets of {{ $labels.zone }} that wait to be written: {{ $value }}",
    description: "Its policy is DryRun, or it cannot be written, or removals are held, or names are contested.",
    runbook: "changes-wait",
  },
];
