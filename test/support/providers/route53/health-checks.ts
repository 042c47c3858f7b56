/** Actions on health checks, and what their state is. Nobody probes anything: a test says which endpoint fails. */
import { type Account, type Call, created, type HealthCheck, newUuid, ok, type Result } from "./account.ts";
import { ApiError, invalidInput } from "./api-error.ts";
import { fieldsOf } from "./fields.ts";
import {
  CONFIG_MEMBERS,
  type ConfigContext,
  decodeConfig,
  encodeConfig,
  isSameConfig,
  UPDATE_MEMBERS,
  updateConfig,
} from "./health-check-config.ts";
import { DEFAULT_PAGE_HEALTH_CHECKS, MAX_PAGE_HEALTH_CHECKS } from "./limits.ts";
import { CHECKER_REGIONS } from "./locations.ts";
import { pageFrom, pageSize } from "./paging.ts";
import { type Element, element } from "./xml.ts";

/** @throws ApiError NoSuchHealthCheck */
export function findHealthCheck(account: Account, id: string): HealthCheck {
  const check = account.healthChecks.get(id);
  if (check === undefined) throw new ApiError(404, "NoSuchHealthCheck", `A health check with id ${id} does not exist.`);
  return check;
}

/**
 * A caller reference that is known answers with what it made, if the settings are the same; a deleted check's never comes back.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html
 */
export function createHealthCheck({ body }: Call, account: Account): Result {
  const fields = fieldsOf(body, "", ["CallerReference", "HealthCheckConfig"]);
  const callerReference = fields.requiredText("CallerReference", [1, 64]);
  const sent = fields.child("HealthCheckConfig", CONFIG_MEMBERS);
  if (sent === undefined) throw invalidInput("Invalid XML ; cvc-complex-type.2.4.b: 'HealthCheckConfig' is expected.");
  const config = decodeConfig(sent, contextOf(account));
  const known = [...account.healthChecks.values()].find((check) => check.callerReference === callerReference);
  if (account.spentReferences.has(callerReference) || (known !== undefined && !isSameConfig(known.config, config))) {
    throw new ApiError(409, "HealthCheckAlreadyExists", "A health check has already been created with the specified caller reference.");
  }
  const { quotas, healthChecks } = account;
  if (known === undefined && healthChecks.size >= quotas.healthChecks) {
    throw new ApiError(
      400,
      "TooManyHealthChecks",
      `Limits Exceeded: MAX_HEALTH_CHECKS_BY_OWNER - Cannot create more than ${quotas.healthChecks} health checks.`,
    );
  }
  const check = known ?? { id: newUuid(account), callerReference, config, version: 1 };
  healthChecks.set(check.id, check);
  return created(element("CreateHealthCheckResponse", [encodeCheck(check)]), `healthcheck/${check.id}`);
}

export const getHealthCheck = ({ path: [id = ""] }: Call, account: Account): Result =>
  ok(element("GetHealthCheckResponse", [encodeCheck(findHealthCheck(account, id))]));

export const getHealthCheckCount = (_call: Call, account: Account): Result =>
  ok(element("GetHealthCheckCountResponse", [element("HealthCheckCount", account.healthChecks.size)]));

export function listHealthChecks({ query }: Call, account: Account): Result {
  const size = pageSize(query, "maxitems", { usual: DEFAULT_PAGE_HEALTH_CHECKS, most: MAX_PAGE_HEALTH_CHECKS });
  const marker = query.get("marker");
  const checks = [...account.healthChecks.values()];
  const start = marker === null ? 0 : checks.findIndex(({ id }) => id === marker);
  if (start === -1) throw invalidInput(`Invalid marker '${marker}'`);
  const { items, next } = pageFrom(checks, start, size);
  return ok(
    element("ListHealthChecksResponse", [
      element("HealthChecks", items.map(encodeCheck)),
      marker === null ? undefined : element("Marker", marker),
      element("IsTruncated", next !== undefined),
      next === undefined ? undefined : element("NextMarker", next.id),
      element("MaxItems", size),
    ]),
  );
}

export function updateHealthCheck({ path: [id = ""], body }: Call, account: Account): Result {
  const check = findHealthCheck(account, id);
  const fields = fieldsOf(body, "", UPDATE_MEMBERS);
  const version = fields.integer("HealthCheckVersion", [1, Number.MAX_SAFE_INTEGER]);
  if (version !== undefined && version !== check.version) {
    throw new ApiError(
      409,
      "HealthCheckVersionMismatch",
      "The value of HealthCheckVersion in the request doesn't match the value of HealthCheckVersion in the health check.",
    );
  }
  const updated = { ...check, config: updateConfig(check.config, fields, contextOf(account)), version: check.version + 1 };
  account.healthChecks.set(id, updated);
  return ok(element("UpdateHealthCheckResponse", [encodeCheck(updated)]));
}

/** A health check may be deleted while record sets name it. */
export function deleteHealthCheck({ path: [id = ""] }: Call, account: Account): Result {
  const check = findHealthCheck(account, id);
  account.healthChecks.delete(id);
  account.spentReferences.add(check.callerReference);
  account.tags.delete(`healthcheck/${id}`);
  return ok(element("DeleteHealthCheckResponse"));
}

/** What each checker saw last, whether or not the check is inverted. */
export function getHealthCheckStatus({ path: [id = ""] }: Call, account: Account): Result {
  const { config } = findHealthCheck(account, id);
  if (config.type === "CALCULATED") throw invalidInput("Getting the status of a calculated health check is not supported.");
  const status = account.failingChecks.has(id)
    ? "Failure: Connection timed out. The endpoint or the internet connection is down."
    : "Success: HTTP Status Code 200, OK";
  const observations = (config.regions ?? CHECKER_REGIONS).map((region, at) =>
    element("HealthCheckObservation", [
      element("Region", region),
      element("IPAddress", `192.0.2.${at + 1}`),
      element("StatusReport", [element("Status", status), element("CheckedTime", new Date(account.now()).toISOString())]),
    ]),
  );
  return ok(element("GetHealthCheckStatusResponse", [element("HealthCheckObservations", observations)]));
}

/**
 * Whether Route 53 considers a check healthy. One that was deleted counts as healthy here; AWS calls it unpredictable.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
 */
export function isHealthy(account: Account, id: string): boolean {
  const config = account.healthChecks.get(id)?.config;
  if (config === undefined || config.isDisabled) return true;
  const isUp =
    config.type === "CALCULATED"
      ? (config.children ?? []).filter((child) => isHealthy(account, child)).length >= (config.healthThreshold ?? 0)
      : !account.failingChecks.has(id);
  return isUp !== config.isInverted;
}

const contextOf = (account: Account): ConfigContext => ({
  typeOf: (id) => account.healthChecks.get(id)?.config.type,
  maxChildren: account.quotas.childHealthChecks,
  allowsDocumentationAddresses: account.allowsDocumentationAddresses,
});

const encodeCheck = ({ id, callerReference, config, version }: HealthCheck): Element =>
  element("HealthCheck", [
    element("Id", id),
    element("CallerReference", callerReference),
    encodeConfig(config),
    element("HealthCheckVersion", version),
  ]);
