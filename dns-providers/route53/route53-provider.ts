/** A hosted zone of Amazon Route 53 (API 2013-04-01). */
import {
  type Change as ApiChange,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  GetHostedZoneLimitCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import type { Change } from "../change.ts";
import { type Capabilities, type Provider, ProviderError, type Refused } from "../provider.ts";
import type { RecordSet } from "../record-set.ts";
import { changeCost, MAX_BATCH } from "./change-cost.ts";
import { createCidrCollections } from "./cidr-collections.ts";
import { createHealthChecks } from "./health-checks.ts";
import type { RequestLane } from "./request-lane.ts";
import { fromResourceRecordSet, type Ids, readName, toResourceRecordSet } from "./resource-record-set.ts";
import { createSend } from "./send.ts";

export interface Route53Options {
  readonly client: Pick<Route53Client, "send">;
  /** Of the account: zones of one account share it. */
  readonly lane: RequestLane;
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  /** Ownership id. */
  readonly owner: string;
  /** `Z0123456789ABC`; absent: the account's only zone of that domain. */
  readonly hostedZoneId?: string;
  /** A zone of networks (VPCs), not of the internet. */
  readonly isPrivate: boolean;
  /** Hash of a text: hexadecimal, at least 20 characters. */
  readonly digest: (text: string) => string;
  /** Eight characters or so that were never used before. */
  readonly nonce: () => string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** @throws the signal's reason */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Changes have reached all servers so many milliseconds after they were accepted. */
  readonly onPropagated?: (milliseconds: number) => void;
}

/** A zone of networks takes no CIDR collections: Route 53 refuses them there, which is told. */
const CAPABILITIES: Capabilities = {
  fencing: "Atomic",
  types: ["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "SRV", "TXT"],
  policies: ["Weighted", "Latency", "Geo", "GeoProximity", "Failover", "MultiValue", "Subnets"],
  deadline: 180_000,
  lookEvery: 300_000,
  maxBatchCost: MAX_BATCH,
  cost: changeCost,
};

/** Most that one page holds. */
const PAGE = 300;
/** Of a delegation to AWS, seconds; AWS gives its own NS two days, which is long for whoever has to correct one. */
const NS_TTL = 3600;
/** How often it is asked whether changes have reached all servers, ms, and for how long. */
const PROPAGATION_LOOK = 5000;
const PROPAGATION_LOOKS = 24;
/** Made by AWS with the zone, and nobody else's. */
const isBuiltIn = ({ name, type }: RecordSet, domain: string): boolean => name === domain && (type === "SOA" || type === "NS");

export function createRoute53Provider(options: Route53Options): Provider {
  const { client, lane, domain, owner, digest, nonce, now, sleep } = options;
  let zone = options.hostedZoneId;
  const at = (): string => `route53 ${zone === undefined ? "" : `${zone} `}${domain}`;
  const fail = (code: ProviderError["code"], fact: string, remedy: string, refused?: Refused): ProviderError =>
    new ProviderError(code, at(), fact, remedy, undefined, refused);
  const send = createSend({ client, lane, at, sleep });
  const scope = digest(`${options.hostedZoneId ?? domain} ${owner}`).slice(0, 12);
  const checks = createHealthChecks({ send, at: at(), scope, label: `globalroute ${owner} ${domain}`, nonce, now });
  const collections = createCidrCollections({ send, scope, digest, nonce });
  const closing = new AbortController();
  /** The changes whose way to all servers is followed. */
  let following: string | undefined;

  async function findZone(signal: AbortSignal): Promise<string> {
    if (zone !== undefined) return zone;
    const answer = await send(new ListHostedZonesByNameCommand({ DNSName: `${domain}.` }), false, signal);
    const found = (answer.HostedZones ?? []).filter(
      ({ Name = "", Config }) => readName(Name) === domain && (Config?.PrivateZone ?? false) === options.isPrivate,
    );
    const kind = options.isPrivate ? "private hosted zone" : "public hosted zone";
    if (found.length === 0)
      throw fail("zone-missing", `the account has no ${kind} ${domain}`, "Make it, or use credentials of its account.");
    if (found.length > 1) throw fail("refused", `the account has ${found.length} of them`, "Say in hostedZoneId which one.");
    zone = (found[0]!.Id ?? "").replace(/^\/hostedzone\//, "");
    return zone;
  }

  const ids: Ids = { ofCheck: checks.idOf, ofSubnets: collections.idOf };
  const toApi = (set: RecordSet): ResourceRecordSet => {
    try {
      return toResourceRecordSet(set, zone ?? "", ids);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw fail("conflict", error.message, "It is read again.");
    }
  };
  const apiChanges = (change: Change): readonly ApiChange[] => {
    if (change.action === "Delete") return [{ Action: "DELETE", ResourceRecordSet: toApi(change.before) }];
    return [{ Action: change.action === "Create" ? "CREATE" : "UPSERT", ResourceRecordSet: toApi(change.after) }];
  };
  /** Whoever saw another fence deletes what is not there, and the whole batch is refused. */
  const fenceChanges = (fence: Change): readonly ApiChange[] => {
    if (fence.action !== "Replace") return apiChanges(fence);
    return [
      { Action: "DELETE", ResourceRecordSet: toApi(fence.before) },
      { Action: "CREATE", ResourceRecordSet: toApi(fence.after) },
    ];
  };

  async function look(Id: string): Promise<boolean> {
    const answer = await send(new GetChangeCommand({ Id }), false, closing.signal);
    return answer.ChangeInfo?.Status === "INSYNC";
  }

  /** In the background: only the newest changes, as those before are made first. */
  async function follow(id: string): Promise<void> {
    const began = now();
    following = id;
    for (let looks = 0; looks < PROPAGATION_LOOKS && following === id; looks++) {
      await sleep(PROPAGATION_LOOK, closing.signal);
      if (following === id && (await look(id))) return options.onPropagated?.(now() - began);
    }
  }

  async function checkRoom(count: number, signal: AbortSignal): Promise<void> {
    const request = new GetHostedZoneLimitCommand({ Type: "MAX_RRSETS_BY_ZONE", HostedZoneId: zone });
    const answer = await send(request, false, signal).catch((error: unknown) => {
      if (error instanceof ProviderError && error.code === "unauthorized") return undefined; // then Route 53 itself refuses
      throw error;
    });
    const quota = answer?.Limit?.Value;
    if (quota === undefined || count <= quota || count <= (answer?.Count ?? 0)) return;
    const fact = `the zone would have ${count} record sets with our helpers and TXT records, and its quota is ${quota}`;
    throw fail(
      "refused",
      fact,
      `Ask AWS for ${count} or more (Service Quotas, Route 53, records per hosted zone), or publish fewer hosts.`,
      "Room",
    );
  }

  return {
    get name() {
      return `route53 ${zone ?? domain}`;
    },
    capabilities: CAPABILITIES,
    async list(signal) {
      const HostedZoneId = await findZone(signal);
      await checks.list(signal);
      const found: ResourceRecordSet[] = [];
      let from: { StartRecordName?: string; StartRecordType?: ResourceRecordSet["Type"]; StartRecordIdentifier?: string } | undefined = {};
      while (from !== undefined) {
        const page: ListResourceRecordSetsCommandOutput = await send(
          new ListResourceRecordSetsCommand({ HostedZoneId, MaxItems: PAGE, ...from }),
          false,
          signal,
        );
        found.push(...(page.ResourceRecordSets ?? []));
        from = page.IsTruncated === true ? nextOf(page) : undefined;
      }
      if (found.some(({ CidrRoutingConfig }) => CidrRoutingConfig !== undefined)) await collections.list(signal);
      checks.inUse(new Set(found.flatMap(({ HealthCheckId }) => HealthCheckId ?? [])));
      const things = { checkOf: checks.byId, subnetsOf: collections.subnetsOf };
      const sets = found.map((listed) => {
        const set = fromResourceRecordSet(listed, HostedZoneId, things);
        if (listed.CidrRoutingConfig?.CollectionId !== undefined) collections.remember(set, listed.CidrRoutingConfig.CollectionId);
        return set;
      });
      return sets.filter((set) => !isBuiltIn(set, domain));
    },
    async prepare(sets, epoch, signal) {
      const builtIn = 2;
      const fence = 1;
      await checkRoom(sets.length + builtIn + fence, signal);
      await checks.make(sets, epoch, signal);
      await collections.make(sets, signal);
    },
    async apply({ fence, changes, isUrgent }, signal) {
      const Changes = [...fenceChanges(fence), ...changes.flatMap(apiChanges)];
      const request = new ChangeResourceRecordSetsCommand({
        HostedZoneId: zone,
        ChangeBatch: { Changes, Comment: `globalroute ${owner}` },
      });
      const answer = await send(request, isUrgent ?? false, signal);
      const id = answer.ChangeInfo?.Id;
      // It is for people alone whether this is known: what is not asked for is not told.
      if (id !== undefined && options.onPropagated !== undefined) follow(id).catch(() => {});
    },
    async tidy(sets, epoch, signal, isLast = false) {
      await checks.sweep(sets, epoch, signal, isLast);
      await collections.sweep(sets, signal, isLast);
    },
    async authority(signal) {
      const Id = await findZone(signal);
      const { DelegationSet, HostedZone } = await send(new GetHostedZoneCommand({ Id }), false, signal);
      const names = (DelegationSet?.NameServers ?? []).map(readName);
      if (HostedZone?.Config?.PrivateZone === true || names.length === 0)
        throw fail("refused", "it is a zone of networks, which nobody delegates", "Remove delegation from its DNSZone.");
      return { nameServers: names, glue: [], ttl: NS_TTL, longestTtl: NS_TTL };
    },
    close: () => closing.abort(),
  };
}

function nextOf(page: {
  readonly NextRecordName?: string | undefined;
  readonly NextRecordType?: ResourceRecordSet["Type"] | undefined;
  readonly NextRecordIdentifier?: string | undefined;
}): { StartRecordName?: string; StartRecordType?: ResourceRecordSet["Type"]; StartRecordIdentifier?: string } {
  const { NextRecordName, NextRecordType, NextRecordIdentifier } = page;
  return {
    ...(NextRecordName === undefined ? {} : { StartRecordName: NextRecordName }),
    ...(NextRecordType === undefined ? {} : { StartRecordType: NextRecordType }),
    ...(NextRecordIdentifier === undefined ? {} : { StartRecordIdentifier: NextRecordIdentifier }),
  };
}
