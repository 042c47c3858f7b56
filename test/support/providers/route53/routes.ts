/** Which request is which action: the REST bindings of the API version 2013-04-01. */
import type { Account, Call, Result } from "./account.ts";
import * as cidr from "./cidr-collections.ts";
import * as delegation from "./delegation-sets.ts";
import * as checks from "./health-checks.ts";
import * as zones from "./hosted-zones.ts";
import * as sets from "./record-sets.ts";
import * as tags from "./tags.ts";

export interface Route {
  /** As IAM and the API's reference name it. */
  readonly action: string;
  /** Root element of its body; absent where it has none. */
  readonly root?: string;
  readonly run: (call: Call, account: Account) => Result;
}

/** Below `/2013-04-01/`; `*` is one part of a path, which becomes an argument. */
const BINDINGS: readonly (readonly [method: string, path: string, run: Route["run"], takesBody?: "body"])[] = [
  ["POST", "hostedzone", zones.createHostedZone, "body"],
  ["GET", "hostedzone", zones.listHostedZones],
  ["GET", "hostedzone/*", zones.getHostedZone],
  ["DELETE", "hostedzone/*", zones.deleteHostedZone],
  ["GET", "hostedzonesbyname", zones.listHostedZonesByName],
  ["GET", "hostedzonecount", zones.getHostedZoneCount],
  ["GET", "hostedzonelimit/*/*", zones.getHostedZoneLimit],
  ["GET", "accountlimit/*", zones.getAccountLimit],
  ["GET", "change/*", zones.getChange],
  ["GET", "hostedzone/*/rrset", sets.listResourceRecordSets],
  ["POST", "hostedzone/*/rrset", sets.changeResourceRecordSets, "body"],
  ["POST", "delegationset", delegation.createReusableDelegationSet, "body"],
  ["GET", "delegationset/*", delegation.getReusableDelegationSet],
  ["DELETE", "delegationset/*", delegation.deleteReusableDelegationSet],
  ["POST", "healthcheck", checks.createHealthCheck, "body"],
  ["GET", "healthcheck", checks.listHealthChecks],
  ["GET", "healthcheck/*", checks.getHealthCheck],
  ["POST", "healthcheck/*", checks.updateHealthCheck, "body"],
  ["DELETE", "healthcheck/*", checks.deleteHealthCheck],
  ["GET", "healthcheck/*/status", checks.getHealthCheckStatus],
  ["GET", "healthcheckcount", checks.getHealthCheckCount],
  ["POST", "tags/*/*", tags.changeTagsForResource, "body"],
  ["GET", "tags/*/*", tags.listTagsForResource],
  ["POST", "tags/*", tags.listTagsForResources, "body"],
  ["POST", "cidrcollection", cidr.createCidrCollection, "body"],
  ["GET", "cidrcollection", cidr.listCidrCollections],
  ["POST", "cidrcollection/*", cidr.changeCidrCollection, "body"],
  ["GET", "cidrcollection/*", cidr.listCidrLocations],
  ["GET", "cidrcollection/*/cidrblocks", cidr.listCidrBlocks],
  ["DELETE", "cidrcollection/*", cidr.deleteCidrCollection],
];

/** Each function is named as its action, but for the case of the first letter. */
const routes = BINDINGS.map(([method, path, run, takesBody]) => {
  const action = run.name.charAt(0).toUpperCase() + run.name.slice(1);
  const pattern = new RegExp(`^/2013-04-01/${path.replaceAll("*", "([^/]+)")}/?$`);
  return { method, pattern, route: { action, run, ...(takesBody === undefined ? {} : { root: `${action}Request` }) } satisfies Route };
});

/** @param path without the query. @returns the action and the decoded parts of the path; undefined when there is no such action */
export function findRoute(method: string, path: string): { readonly route: Route; readonly parts: readonly string[] } | undefined {
  for (const { method: own, pattern, route } of routes) {
    const match = own === method ? pattern.exec(path) : null;
    if (match !== null) return { route, parts: match.slice(1).map(decodeURIComponent) };
  }
  return undefined;
}

/** True for actions that change something. */
export const isWrite = (action: string): boolean => !/^(Get|List)/.test(action);
