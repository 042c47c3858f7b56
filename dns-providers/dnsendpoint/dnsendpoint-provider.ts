/**
 * A zone that ExternalDNS publishes, at any provider that it knows: written as DNSEndpoints (externaldns.k8s.io/v1alpha1) of one namespace, which
 * ExternalDNS reads with `--source=crd`.
 *
 * **A zone is as few objects as hold it** (`part.ts`), most often one. ExternalDNS writes the status of each object that has changed, one after
 * the other at the pace of its client (`--kube-api-qps`, 5 a second), before it publishes anything: with an object for each host, a failover of
 * a thousand hosts would wait for minutes. On the other side an object is written whole, and etcd takes 1.5 MiB at most: new names go to a next
 * object once there are some 950 dual-stack hosts (400,000 characters) in one.
 *
 * **The fence** is an annotation of the first part, written by compare and set (resourceVersion), as every part is.
 * - While a zone is one object, a batch is one write: all of it is made or nothing, and nothing when the fence is another.
 * - With several, the fence goes first. A writer whose term begins then writes each other part before it changes anything, so that whatever
 *   an older writer has under way finds another version there; until that is done, it may still come, and is then read and planned anew. So
 *   once a term's first batch was made, nothing older is written. A part changes whole, and so does each name; a batch that breaks off between
 *   two parts is completed by the next sync.
 * - Parts are never deleted, and the fence says how many there are before one is made: a late `create` finds it there.
 * - A write whose answer was lost is made void by a write to the same part before anything is listed again.
 *
 * What this does not compare: objects of others, which can be made at any time; and what ExternalDNS makes of all this, which is not one step.
 */
import { type Change, setAt } from "../change.ts";
import { fenceName, parseFence } from "../fence.ts";
import { type Capabilities, type ChangeBatch, type Provider, ProviderError } from "../provider.ts";
import { type RecordSet, recordSetKey, sameRecordSet } from "../record-set.ts";
import { ENDPOINT_TYPES } from "./endpoint.ts";
import { isUnanswered, type ObjectApi, statusOf, toProviderError, unlessAborted } from "./object-api.ts";
import {
  changePart,
  DNS_ENDPOINTS,
  type DnsEndpointObject,
  formatPart,
  isClaim,
  isUnchanged,
  missingPart,
  type Part,
  readPart,
} from "./part.ts";
import { placeChanges } from "./placement.ts";
import { AWS_POLICIES } from "./properties.ts";
import { createTakeUp, type Generations, type TakeUpNews } from "./take-up.ts";
import { readObjects, toRecordSets, typeKey, type ZoneObjects } from "./zone-objects.ts";

export interface DnsEndpointOptions {
  readonly api: ObjectApi;
  /** Where ExternalDNS looks for DNSEndpoints. */
  readonly namespace: string;
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  /** `Aws`: ExternalDNS writes to Route 53. `Plain`: to whatever it may be, so everybody gets the same. */
  readonly policies: "Plain" | "Aws";
  /** Hash of a text: hexadecimal, at least 40 characters. */
  readonly digest: (text: string) => string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** @throws the signal's reason */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** What becomes of what was written. Absent: nobody looks. */
  readonly onNews?: (news: DnsEndpointNews) => void;
  /** Of whose parts it is told as well what somebody wrote before us, and ExternalDNS has not seen. */
  readonly owner?: string;
  /** How long ExternalDNS may need to see a change, ms: three of its rounds, by default three minutes. */
  readonly patience?: number;
  /** Characters from which on a part takes no new names. */
  readonly room?: number;
}

export type DnsEndpointNews =
  | TakeUpNews
  /** Names that several objects have; empty when there are none any more. Told when they change. */
  | { readonly kind: "Disputed"; readonly names: readonly string[] };

/** A batch is of any size: what it costs is the objects that it touches. This many changes of one object are well within 1.5 MiB. */
const MAX_CHANGES = 5000;
const PATIENCE = 180_000;
/** Claims are less than half of it, and so well within the 256 KiB that annotations may have. */
const ROOM = 400_000;
const FIELD_MANAGER = "globalroute";

const capabilitiesOf = (policies: DnsEndpointOptions["policies"]): Capabilities => ({
  fencing: "Atomic",
  types: ENDPOINT_TYPES,
  policies: policies === "Aws" ? AWS_POLICIES : [],
  deadline: 30_000,
  lookEvery: 60_000,
  maxBatchCost: MAX_CHANGES,
  cost: () => 1,
});

export function createDnsEndpointProvider(options: DnsEndpointOptions): Provider {
  const { api, namespace, domain, policies, digest, now, sleep, onNews, room = ROOM } = options;
  const name = `dnsendpoint ${namespace}`;
  const at = `${name} ${domain}`;
  const hasPolicies = policies === "Aws";
  /** As it was listed, with what was written since; undefined when that is not known. */
  let known: ZoneObjects | undefined;
  /** Owner → parts to which something may be under way, ours or an older writer's; void once they were written in this term. */
  const unsettled = new Map<string, { readonly epoch: number; readonly parts: Set<number> }>();
  let disputed = "";

  const look = async (object: string, signal: AbortSignal): Promise<Generations | undefined> => {
    const found = await api.get(DNS_ENDPOINTS, namespace, object, { signal });
    return found === undefined ? undefined : { written: found.metadata.generation ?? 0, observed: observedIn(found.status) };
  };
  const takeUp = onNews === undefined ? undefined : createTakeUp({ look, patience: options.patience ?? PATIENCE, now, sleep, onNews });

  const fail = (code: ProviderError["code"], fact: string, remedy: string): ProviderError => new ProviderError(code, at, fact, remedy);
  const conflict = (fact: string): ProviderError => fail("conflict", fact, "It is read again.");

  async function read(signal: AbortSignal): Promise<ZoneObjects> {
    try {
      const { items } = await unlessAborted(() => api.list(DNS_ENDPOINTS, { namespace }), signal);
      const found = readObjects(items, { domain, digest });
      if (found.unreadable.length > 0)
        throw fail(
          "refused",
          `the annotations of ${found.unreadable.join(" and ")} cannot be read`,
          "Put them back as they were: they say what is ours. An object that is deleted is made anew.",
        );
      return found;
    } catch (error) {
      throw toProviderError(error, at, false, signal);
    }
  }

  const partsOf = (owner: string): readonly Part[] => known?.owned.get(owner) ?? [];

  /** A process that has just begun, or become the writer, knows nothing of what was written before. */
  function expectUnseen(): void {
    for (const { object } of partsOf(options.owner ?? ""))
      if (object !== undefined && observedIn(object.status) < (object.metadata.generation ?? 0)) takeUp?.expect(object.metadata.name);
  }

  /** Writes a part as it shall be, if it still is as it was read. */
  async function write(owner: string, part: Part, signal: AbortSignal): Promise<void> {
    try {
      const written = await send(owner, part, signal);
      const stands = readPart(written);
      if (stands === undefined) throw fail("refused", "its answer is no DNSEndpoint", "Look what stands before the API server.");
      const parts = [...partsOf(owner)];
      parts[part.index] = stands;
      known = { owned: new Map([...(known?.owned ?? []), [owner, parts]]), foreign: known?.foreign ?? [], unreadable: [] };
      unsettled.get(owner)?.parts.delete(part.index);
      if (written.metadata.generation !== part.object?.metadata.generation) takeUp?.expect(written.metadata.name);
    } catch (error) {
      const failure = toProviderError(error, at, part.object !== undefined, signal);
      if (isUnanswered(failure)) unsettle(owner, part.epoch, [part.index]);
      throw failure;
    }
  }

  /** ExternalDNS writes the status of what we wrote, which makes it another version and changes nothing: then once more. */
  async function send(owner: string, part: Part, signal: AbortSignal): Promise<DnsEndpointObject> {
    const scope = { namespace, domain, owner, digest };
    const how = { fieldManager: FIELD_MANAGER, signal };
    const { object } = part;
    if (object === undefined) return await api.create(DNS_ENDPOINTS, formatPart(part, scope), how);
    try {
      return await api.replace(DNS_ENDPOINTS, formatPart(part, scope), how);
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
      const stands = await api.get(DNS_ENDPOINTS, namespace, object.metadata.name, { signal });
      if (stands === undefined || !isUnchanged(object, stands)) throw error;
      return await api.replace(DNS_ENDPOINTS, formatPart({ ...part, object: stands }, scope), how);
    }
  }

  function unsettle(owner: string, epoch: number, indexes: readonly number[]): void {
    const before = unsettled.get(owner);
    unsettled.set(owner, { epoch, parts: new Set([...(before?.epoch === epoch ? before.parts : []), ...indexes]) });
  }

  /** Writes parts only so that nothing that is under way to them can be made. */
  async function settle(owner: string, signal: AbortSignal): Promise<void> {
    const { epoch, parts } = unsettled.get(owner) ?? { epoch: 0, parts: new Set<number>() };
    for (const index of [...parts].sort((a, b) => a - b)) {
      const part = partsOf(owner)[index] ?? missingPart(index);
      await write(owner, { ...part, epoch, settled: part.settled + 1 }, signal);
    }
  }

  function ownerOf({ name: whole }: RecordSet): string {
    const suffix = fenceName(domain, "");
    if (!whole.endsWith(suffix)) throw fail("refused", `${whole} is no fence of the zone`, "This is a fault of this program: report it.");
    return whole.slice(0, -suffix.length);
  }

  /** What somebody made meanwhile is no part of ours, and would be one name twice. */
  function checkNew(changes: readonly Change[], zone: readonly Part[]): void {
    const theirs = new Set(known?.foreign.map(typeKey));
    const ours = new Set(zone.flatMap(({ entries }) => [...entries.keys()]));
    for (const change of changes) {
      if (change.action === "Delete") ours.delete(recordSetKey(change.before));
      if (change.action !== "Create" || isClaim(change)) continue;
      const { after } = change;
      if (ours.has(recordSetKey(after)) || theirs.has(typeKey(after))) throw conflict(`${recordSetKey(after)} is there`);
    }
  }

  const changed = (part: Part, changes: readonly Change[]): Part => {
    try {
      return changePart(part, changes, hasPolicies);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw fail("refused", error.message, "This is a fault of this program: report it.");
    }
  };

  async function apply({ fence, changes }: ChangeBatch, signal: AbortSignal): Promise<void> {
    known ??= await read(signal);
    const fenceSet = setAt(fence);
    const owner = ownerOf(fenceSet);
    const zone = partsOf(owner);
    const first = zone[0] ?? missingPart(0);
    const expected = fence.action === "Create" ? undefined : fence.before;
    const stands = first.fence === undefined ? undefined : { ...fenceSet, values: [first.fence] };
    const isSame = stands === undefined ? expected === undefined : expected !== undefined && sameRecordSet(stands, expected);
    if (!isSame) throw conflict("the fence is another: somebody wrote since the zone was read");
    checkNew(changes, zone);

    const { epoch } = parseFence(fenceSet) ?? { epoch: 0 };
    const steps = placeChanges(zone.length === 0 ? [first] : zone, changes, room);
    // All of it is looked at before anything is written.
    for (const step of steps) changed(zone[step.index] ?? missingPart(step.index), step.changes);
    const older = zone.filter((part) => part.index > 0 && part.epoch !== epoch).map(({ index }) => index);
    const parts = Math.max(1, zone.length, ...steps.map(({ index }) => index + 1));
    const fenced = { ...first, fence: fence.action === "Delete" ? undefined : fence.after.values[0], epoch, parts };
    if (older.length === 0 && steps.every(({ index }) => index === 0)) {
      const all = steps.flatMap((step) => step.changes);
      return await write(owner, changed(fenced, all), signal);
    }
    unsettle(owner, epoch, older);
    await write(owner, fenced, signal);
    await settle(owner, signal);
    for (const step of steps) {
      const part = partsOf(owner)[step.index] ?? missingPart(step.index);
      await write(owner, changed({ ...part, epoch }, step.changes), signal);
    }
  }

  return {
    name,
    capabilities: capabilitiesOf(policies),
    async list(signal) {
      known = undefined;
      known = await read(signal);
      for (const [owner, { epoch }] of unsettled) {
        if (partsOf(owner)[0]?.epoch === epoch) await settle(owner, signal);
        else unsettled.delete(owner); // the fence is another's, or what was under way to it can come only before we write it
      }
      expectUnseen();
      const found = toRecordSets(known, domain);
      if (found.disputed.join() !== disputed) onNews?.({ kind: "Disputed", names: found.disputed });
      disputed = found.disputed.join();
      return found.sets;
    },
    async apply(batch, signal) {
      try {
        await apply(batch, signal);
      } catch (error) {
        known = undefined;
        throw error;
      }
    },
    close: () => takeUp?.close(),
  };
}

function observedIn(status: unknown): number {
  const observed = typeof status === "object" && status !== null && "observedGeneration" in status ? status.observedGeneration : 0;
  return typeof observed === "number" ? observed : 0;
}
