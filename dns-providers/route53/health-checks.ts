/**
 * Health checks of Route 53 for one zone and owner: one for each endpoint and way to look at it, however many sets need it. The caller
 * reference, which AWS keeps with a check, says that it is ours and in which term it was made.
 */
import {
  ChangeTagsForResourceCommand,
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetAccountLimitCommand,
  type HealthCheckConfig,
  type HealthCheck as ListedCheck,
  ListHealthChecksCommand,
} from "@aws-sdk/client-route-53";
import { formatIp, parseIp } from "../../src/model/ip.ts";
import { ProviderError } from "../provider.ts";
import type { HealthCheck, RecordSet } from "../record-set.ts";
import type { Send } from "./send.ts";

export interface HealthChecksOptions {
  readonly send: Send;
  /** For messages. */
  readonly at: string;
  /** Of zone and owner; part of a caller reference: 1..20 characters. */
  readonly scope: string;
  /** For people, in the console. */
  readonly label: string;
  /** Eight characters or so that were never used before. */
  readonly nonce: () => string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface HealthChecks {
  /** Reads all of the account's. */
  list(signal: AbortSignal): Promise<void>;
  idOf(check: HealthCheck): string | undefined;
  /** One of ours. */
  byId(id: string): HealthCheck | undefined;
  /** Ids that sets of the zone refer to, as it was listed: two writers may have made one check each, and either may be in use. */
  inUse(ids: ReadonlySet<string>): void;
  /** Makes those that sets need and are not there. @throws ProviderError `refused` when the account has no room */
  make(sets: readonly RecordSet[], epoch: number, signal: AbortSignal): Promise<void>;
  /** Removes ours that no set has needed for a while, or with `atOnce` that none needs now, unless a later term made them. */
  sweep(sets: readonly RecordSet[], epoch: number, signal: AbortSignal, atOnce?: boolean): Promise<void>;
}

interface Known {
  readonly check: HealthCheck | undefined;
  /** Of the writer's term that made it; undefined: it is not ours. */
  readonly epoch: number | undefined;
}

/** What nobody needs is kept for so long, ms: an endpoint may come back, and a writer that is no longer one may think otherwise. */
const KEEP_UNUSED = 600_000;
const PREFIX = "globalroute";
const PAGE = 100;

/** Identifies a check whatever order its members are in. */
const keyOf = (check: HealthCheck): string => JSON.stringify(Object.entries(check).sort(([a], [b]) => (a < b ? -1 : 1)));

export function createHealthChecks({ send, at, scope, label, nonce, now }: HealthChecksOptions): HealthChecks {
  const known = new Map<string, Known>();
  const ids = new Map<string, string>();
  let referred: ReadonlySet<string> = new Set();
  /** Id → since when nothing needs it. */
  const unused = new Map<string, number>();

  function remember({ Id = "", CallerReference = "", HealthCheckConfig }: ListedCheck): void {
    const check = readConfig(HealthCheckConfig);
    const epoch = readReference(CallerReference, scope);
    known.set(Id, { check, epoch });
    if (check !== undefined && epoch !== undefined && !ids.has(keyOf(check))) ids.set(keyOf(check), Id);
  }

  async function room(missing: number, signal: AbortSignal): Promise<void> {
    const answer = await send(new GetAccountLimitCommand({ Type: "MAX_HEALTH_CHECKS_BY_OWNER" }), false, signal).catch((error: unknown) => {
      if (error instanceof ProviderError && error.code === "unauthorized") return undefined; // then the creation itself tells
      throw error;
    });
    const quota = answer?.Limit?.Value;
    const needed = (answer?.Count ?? 0) + missing;
    if (quota === undefined || needed <= quota) return;
    const fact = `${missing} more health checks are needed, which makes ${needed} in this account, and its quota is ${quota}`;
    const remedy = `Ask AWS for ${needed} or more (Service Quotas, Route 53, health checks), or give routes a common health.probe.host and path, so that they share checks.`;
    throw new ProviderError("refused", at, fact, remedy, undefined, "Room");
  }

  async function create(check: HealthCheck, epoch: number, signal: AbortSignal): Promise<void> {
    const CallerReference = `${PREFIX}:${scope}:${epoch.toString(36)}:${nonce()}`;
    const answer = await send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig: toConfig(check) }), false, signal);
    const Id = answer.HealthCheck?.Id ?? "";
    known.set(Id, { check, epoch });
    ids.set(keyOf(check), Id);
    const tags = [
      { Key: "Name", Value: `${label} ${check.address} ${check.port}`.slice(0, 256) },
      { Key: "globalroute.dev/owner", Value: label.slice(0, 256) },
    ];
    const tag = new ChangeTagsForResourceCommand({ ResourceType: "healthcheck", ResourceId: Id, AddTags: tags });
    await send(tag, false, signal).catch((error: unknown) => {
      if (!(error instanceof ProviderError) || error.code !== "unauthorized") throw error; // names are for people only
    });
  }

  return {
    async list(signal) {
      const found: ListedCheck[] = [];
      let Marker: string | undefined;
      do {
        const page = await send(
          new ListHealthChecksCommand({ MaxItems: PAGE, ...(Marker === undefined ? {} : { Marker }) }),
          false,
          signal,
        );
        found.push(...(page.HealthChecks ?? []));
        Marker = page.IsTruncated === true ? page.NextMarker : undefined;
      } while (Marker !== undefined);
      known.clear();
      ids.clear();
      for (const one of found.sort((a, b) => ((a.Id ?? "") < (b.Id ?? "") ? -1 : 1))) remember(one);
    },
    idOf: (check) => ids.get(keyOf(check)),
    byId(id) {
      const found = known.get(id);
      return found?.epoch === undefined ? undefined : found.check;
    },
    inUse(listed) {
      referred = listed;
    },
    async make(sets, epoch, signal) {
      const missing = new Map<string, HealthCheck>();
      for (const { healthCheck } of sets)
        if (healthCheck !== undefined && isOurs(healthCheck) && !ids.has(keyOf(healthCheck))) missing.set(keyOf(healthCheck), healthCheck);
      if (missing.size === 0) return;
      await room(missing.size, signal);
      for (const check of missing.values()) await create(check, epoch, signal);
    },
    async sweep(sets, epoch, signal, atOnce = false) {
      const needed = new Set(sets.flatMap(({ healthCheck }) => (healthCheck === undefined ? [] : [ids.get(keyOf(healthCheck))])));
      for (const [id, { epoch: madeIn }] of known) {
        if (madeIn === undefined || madeIn > epoch || needed.has(id) || referred.has(id)) {
          unused.delete(id);
          continue;
        }
        const since = unused.get(id) ?? now();
        unused.set(id, since);
        if (!atOnce && now() - since < KEEP_UNUSED) continue;
        await send(new DeleteHealthCheckCommand({ HealthCheckId: id }), false, signal);
        const { check } = known.get(id)!;
        if (check !== undefined && ids.get(keyOf(check)) === id) ids.delete(keyOf(check));
        known.delete(id);
        unused.delete(id);
      }
    },
  };
}

/** Not one that a set of somebody else refers to. */
const isOurs = ({ port }: HealthCheck): boolean => port > 0;

/** @returns the term; undefined when another made it */
function readReference(reference: string, scope: string): number | undefined {
  const [prefix, owner, epoch] = reference.split(":");
  return prefix === PREFIX && owner === scope && /^[0-9a-z]+$/.test(epoch ?? "") ? Number.parseInt(epoch!, 36) : undefined;
}

function toConfig({ type, address, port, host, path, body, interval, threshold }: HealthCheck): HealthCheckConfig {
  return {
    ...{ IPAddress: address, Port: port, RequestInterval: interval, FailureThreshold: threshold },
    Type: body === undefined || type === "TCP" ? type : `${type}_STR_MATCH`,
    ...(host === undefined ? {} : { FullyQualifiedDomainName: host }),
    ...(path === undefined ? {} : { ResourcePath: path }),
    ...(body === undefined ? {} : { SearchString: body }),
    ...(type === "HTTPS" ? { EnableSNI: true } : {}),
  };
}

/** @returns undefined when it is none that we would make */
function readConfig(config: HealthCheckConfig | undefined): HealthCheck | undefined {
  const { Type, IPAddress = "", Port, RequestInterval, FailureThreshold, Inverted, Disabled } = config ?? {};
  const type = /^(HTTP|HTTPS|TCP)(?:_STR_MATCH)?$/.exec(Type ?? "")?.[1] as HealthCheck["type"] | undefined;
  const ip = parseIp(IPAddress);
  if (type === undefined || ip === undefined || Inverted === true || Disabled === true) return undefined;
  const { FullyQualifiedDomainName: host, ResourcePath: path, SearchString: body } = config ?? {};
  return {
    ...{ type, address: formatIp(ip), port: Port ?? (type === "HTTPS" ? 443 : 80) },
    ...(host === undefined || host === "" ? {} : { host }),
    ...(path === undefined || path === "" ? {} : { path }),
    ...(body === undefined || body === "" ? {} : { body }),
    interval: RequestInterval === 10 ? 10 : 30,
    threshold: FailureThreshold ?? 3,
  };
}
