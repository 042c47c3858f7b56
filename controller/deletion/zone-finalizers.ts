/**
 * Holds zones back whose records go with them, and lets them go when the records are gone (docs/safety.md, rule 7). The records are removed by
 * whoever keeps the zone; this says when, and tells why it has to wait. It goes by what is stored on the API server: only an object that says
 * itself that it is being deleted, alone and not with its kind, has its records removed (rule 11).
 */
import type { Zone } from "../../src/model/inventory.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { DNS_ZONES } from "../kube/resources.ts";
import { isKindGoing } from "../kube/served-resource.ts";
import type { WorkResult } from "../kube/work-queue.ts";
import { EPOCH_ANNOTATION } from "../kube/writer-fence.ts";
import type { SourceWarning } from "../reconcile/reconciled.ts";
import type { Accepted } from "../status/conditions.ts";
import { createOwnWrites, type HubStore } from "../status/own-writes.ts";
import { PRIORITY, retry, type TermLane, type Writing } from "../status/write-lane.ts";
import { deletionStep, FINALIZER, isDeleted, isHeld } from "./deletion-order.ts";

/** What became of an attempt to remove all of our records in a zone. */
export type RecordRemoval =
  | { readonly kind: "Removed" }
  /** It cannot begin yet. */
  | { readonly kind: "NotYet" }
  /** @param message the fact, and the remedy */
  | { readonly kind: "Failed"; readonly message: string };

export interface ZoneFinalizersOptions {
  readonly api: Pick<KubeApi, "mergePatch" | "request">;
  readonly store: HubStore;
  readonly ports: Pick<KubePorts, "now" | "setTimer">;
  /** True while too much vanished at once (docs/safety.md, rule 11): then nothing is removed. */
  readonly holdsDeletes: () => boolean;
  /** Removes all of our records in a zone, as the writer that this process is. Never rejects. @param zone name of the DNSZone */
  readonly removeRecords: (zone: string) => Promise<RecordRemoval>;
  /** What is told of a zone is something else now. @param zone name of the DNSZone */
  readonly onChange: (zone: string) => void;
  readonly onRefused: (key: string, error: Error) => void;
}

export interface ZoneFinalizers extends Writing {
  /** Zones as they are served; kept whether or not this is the writer. */
  offer(zones: readonly Zone[]): void;
  /** Deletes may be held no longer. */
  deletesReleased(): void;
  /** How far a zone's deletion is: a condition that does not hold, with its reason. Undefined of one that is not being deleted. */
  progress(zone: string): Accepted | undefined;
  /** Deletions that wait for a person. */
  warnings(): readonly SourceWarning[];
}

/** After a deletion was seen, ms: of objects that go with their kind the server tells before it tells that of the kind. */
const SETTLE = 2000;
/** Between looks at whether it may begin, ms. */
const LOOK = 5000;
const FIRST_RETRY = 2000;
const LONGEST_RETRY = 60_000;
const REFUSED_PAUSE = 60_000;

interface Deletion {
  readonly uid: string | undefined;
  /** Monotonic ms. */
  readonly seenAt: number;
  progress: Accepted;
  isRunning: boolean;
  isRemoved: boolean;
  failures: number;
}

const REMOVING: Accepted = { status: "False", reason: "RemovingRecords", message: "Our records at the provider are being removed." };

export function createZoneFinalizers(options: ZoneFinalizersOptions): ZoneFinalizers {
  const { api, store, ports, holdsDeletes, removeRecords, onChange, onRefused } = options;
  const own = createOwnWrites(store);
  const deletions = new Map<string, Deletion>();
  let zones: ReadonlyMap<string, Zone> = new Map();
  /** When zones are looked at again: the lane's own delays are for failures, and nobody can cut them short. */
  const timers = new Map<string, () => void>();
  let lane: TermLane | undefined;

  const stepOf = (stored: KubeObject) => {
    const { name, uid } = stored.metadata;
    const deletion = deletions.get(name);
    return deletionStep(stored, zones.get(name), deletion?.uid === uid && deletion?.isRemoved === true);
  };

  function noteAll(): void {
    const there = store.objects(DNS_ZONES);
    own.sweep((_, key) => there.has(key));
    for (const name of deletions.keys()) if (!there.has(name)) forget(name);
    if (lane !== undefined) for (const [key, stored] of there) if (stepOf(stored) !== "None") lane.add(key, PRIORITY.finalizer);
  }

  function lookAgain(name: string, delay: number): void {
    timers.get(name)?.();
    timers.set(
      name,
      ports.setTimer(delay, () => lane?.add(name, PRIORITY.finalizer)),
    );
  }

  function forget(name: string): void {
    if (deletions.delete(name)) onChange(name);
  }

  function deletionOf({ metadata: { name, uid } }: KubeObject): Deletion {
    const known = deletions.get(name);
    if (known !== undefined && known.uid === uid) return known;
    const deletion: Deletion = { uid, seenAt: ports.now(), progress: REMOVING, isRunning: false, isRemoved: false, failures: 0 };
    deletions.set(name, deletion);
    onChange(name);
    return deletion;
  }

  function tell(name: string, deletion: Deletion, progress: Accepted): void {
    const before = deletion.progress;
    deletion.progress = progress;
    if (before.reason !== progress.reason || before.message !== progress.message) onChange(name);
  }

  async function patch(stored: KubeObject, finalizers: readonly string[], { send, term }: TermLane): Promise<WorkResult> {
    const { name, uid, resourceVersion } = stored.metadata;
    const annotations = { [EPOCH_ANNOTATION]: String(term.epoch) };
    const metadata = { uid, resourceVersion, annotations, finalizers };
    const sent = await send((how) => api.mergePatch(DNS_ZONES, undefined, name, { metadata }, how));
    switch (sent.kind) {
      case "Done":
        own.wrote(DNS_ZONES, name, finalizers.length === 0 && isDeleted(stored) ? undefined : sent.value, stored);
        if (!finalizers.includes(FINALIZER)) forget(name);
        return "Done";
      case "Conflict":
        return "Retry"; // the watch brings the newer one meanwhile
      case "Missing":
        return "Done";
      case "Later":
        return retry(sent);
      case "Refused":
        onRefused(`DNSZone ${name}`, sent.error);
        return { retryAfter: REFUSED_PAUSE };
    }
  }

  /** Away from the lane: a provider may be slow, and a term ends all the same. */
  async function remove(name: string, deletion: Deletion, of: TermLane): Promise<void> {
    deletion.isRunning = true;
    const removal = await removeRecords(name);
    deletion.isRunning = false;
    if (lane?.term !== of.term || deletions.get(name) !== deletion) return;
    if (removal.kind === "Removed") {
      deletion.isRemoved = true;
      of.add(name, PRIORITY.finalizer);
      return;
    }
    if (removal.kind === "NotYet") return lookAgain(name, FIRST_RETRY);
    tell(name, deletion, waiting("ProviderFailing", removal.message, name));
    lookAgain(name, Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** deletion.failures++));
  }

  /** @returns in how many ms to look again; undefined: it may begin now */
  async function waitBefore(name: string, deletion: Deletion, { send }: TermLane): Promise<number | undefined> {
    const left = deletion.seenAt + SETTLE - ports.now();
    if (left > 0) return left;
    if (holdsDeletes()) {
      tell(name, deletion, waiting("InputsHeld", "Too much vanished at once, so no record is removed. Run globalroute confirm.", name));
      return LOOK;
    }
    const sent = await send(({ signal }) => isKindGoing(api, DNS_ZONES, signal));
    if (sent.kind !== "Done") return LOOK;
    if (!sent.value) return undefined;
    const fact = "The CustomResourceDefinition of DNSZones is being deleted, which is no wish to empty a zone.";
    tell(name, deletion, waiting("KindGoing", fact, name));
    return LOOK;
  }

  return {
    name: "finalizer",
    offer(next) {
      zones = new Map(next.map((zone) => [zone.name, zone]));
      noteAll();
    },
    deletesReleased: noteAll,
    progress: (name) => deletions.get(name)?.progress,
    warnings: () =>
      [...deletions].flatMap(([name, { progress }]): readonly SourceWarning[] => {
        const object = store.objects(DNS_ZONES).get(name);
        if (object === undefined || progress.reason === REMOVING.reason) return [];
        return [{ cluster: "", object, reason: "DeletionWaits", message: `DNSZone ${name} waits to be deleted: ${progress.message}` }];
      }),
    begin(next) {
      lane = next;
      noteAll();
    },
    async write(key, current) {
      const stored = own.current(DNS_ZONES, key);
      if (stored === undefined) return "Done";
      const finalizers = stored.metadata.finalizers ?? [];
      switch (stepOf(stored)) {
        case "None":
          return "Done";
        case "Hold":
          return patch(stored, [...finalizers, FINALIZER], current);
        case "Release":
          return patch(
            stored,
            finalizers.filter((one) => one !== FINALIZER),
            current,
          );
        case "Unreadable":
          tell(
            key,
            deletionOf(stored),
            waiting("Unreadable", "Its spec is not accepted, so nobody knows where its records are. Correct it.", key),
          );
          return "Done"; // until it is offered with its spec
        case "RemoveRecords": {
          const deletion = deletionOf(stored);
          if (deletion.isRunning) return "Done";
          const wait = await waitBefore(key, deletion, current);
          if (wait !== undefined) lookAgain(key, wait);
          else if (isHeld(own.current(DNS_ZONES, key) ?? { metadata: { name: key } })) void remove(key, deletion, current);
          return "Done";
        }
      }
    },
    end() {
      lane = undefined;
      for (const cancel of timers.values()) cancel();
      timers.clear();
      deletions.clear();
      own.clear();
    },
  };
}

const waiting = (reason: string, message: string, zone: string): Accepted => ({
  status: "False",
  reason,
  message: `${message} To delete it and leave the records there: globalroute abandon zone ${zone}.`,
});
