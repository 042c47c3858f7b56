import { afterEach, describe, expect, test } from "vitest";
import type { Zone, ZoneProvider } from "../../src/model/inventory.ts";
import { ms } from "../../src/model/units.ts";
import { zone as zoneOf } from "../../test/support/dns-world.ts";
import { createMemoryHub } from "../../test/support/memory-hub.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { DNS_ZONES } from "../kube/resources.ts";
import { createWriteLane } from "../status/write-lane.ts";
import { FINALIZER } from "./deletion-order.ts";
import { createZoneFinalizers, type RecordRemoval } from "./zone-finalizers.ts";

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

const PROVIDER: ZoneProvider = { type: "Route53", visibility: "Public", adoptFrom: [], policy: "Sync", deletionPolicy: "Delete" };
const served = (provider: ZoneProvider = PROVIDER): Zone => zoneOf("example-org", "example.org", [], { nameservers: [], provider });
const AT = "2026-11-21T12:00:00Z";
const OTHER = "example.org/other";

function world() {
  const clock = createSimulatedClock();
  const ports: KubePorts = { ...clock, random: () => 0.5, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) };
  const hub = createMemoryHub(ports);
  const state = { holdsDeletes: false, verbs: ["create", "delete", "get"], asked: 0, epoch: 1 };
  const removals: string[] = [];
  const waiting: ((removal: RecordRemoval) => void)[] = [];
  const changes: string[] = [];
  const refused: string[] = [];
  const finalizers = createZoneFinalizers({
    api: {
      ...hub.api,
      request: async () => {
        state.asked++;
        return { resources: [{ name: "dnszones", verbs: state.verbs }] };
      },
    },
    store: hub.store,
    ports,
    holdsDeletes: () => state.holdsDeletes,
    removeRecords(name) {
      removals.push(name);
      return new Promise((resolve) => void waiting.push(resolve));
    },
    onChange: (name) => changes.push(`${name} ${finalizers.progress(name)?.reason ?? "gone"}`),
    onRefused: (key, error) => refused.push(`${key}: ${error.message}`),
  });
  const lane = createWriteLane({
    writings: [finalizers],
    ports,
    onError: (_, error) => {
      throw error;
    },
  });
  /** @returns ends it */
  function lead(): () => void {
    const term = new AbortController();
    ended.push(() => term.abort());
    hub.epoch = state.epoch;
    void lane.lead({ epoch: state.epoch++, deadline: () => Number.POSITIVE_INFINITY, signal: term.signal });
    return () => term.abort();
  }
  const put = (metadata: Partial<KubeObject["metadata"]> = {}): KubeObject =>
    hub.put(DNS_ZONES, {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "DNSZone",
      metadata: { name: "example-org", ...metadata },
      spec: {},
    });
  const onIt = (): readonly string[] => hub.get(DNS_ZONES, "example-org")?.metadata.finalizers ?? [];
  const answer = async (removal: RecordRemoval): Promise<void> => {
    waiting.shift()!(removal);
    await clock.advance(0);
  };
  return { clock, hub, state, removals, changes, refused, finalizers, lead, put, onIt, answer };
}

/** A zone that is held, deleted, and has been looked at. */
async function deleted() {
  const all = world();
  all.put({ finalizers: [OTHER, FINALIZER], deletionTimestamp: AT });
  all.finalizers.offer([served()]);
  const end = all.lead();
  await all.clock.advance(3000);
  return { ...all, end };
}

test("a zone whose records go with it is held by the writer, marked with its term; who else holds it does too", async () => {
  const { clock, hub, finalizers, lead, put, onIt } = world();
  put({ finalizers: [OTHER] });
  finalizers.offer([served()]);
  await clock.advance(1000);
  expect(hub.writes).toEqual([]);
  lead();
  await clock.advance(1000);
  expect(onIt()).toEqual([OTHER, FINALIZER]);
  const { deletionPolicy: _, ...stays } = PROVIDER;
  finalizers.offer([served(stays)]);
  await clock.advance(1000);
  expect(onIt()).toEqual([OTHER]);
  finalizers.offer([served(stays)]);
  await clock.advance(10_000);
  expect(hub.writes).toHaveLength(2);
});

test("records go first, once, and then the finalizer", async () => {
  const { clock, removals, finalizers, onIt, answer, changes } = await deleted();
  expect(removals).toEqual(["example-org"]);
  expect(finalizers.progress("example-org")?.reason).toBe("RemovingRecords");
  finalizers.offer([served()]);
  await clock.advance(60_000);
  expect([removals.length, onIt()]).toEqual([1, [OTHER, FINALIZER]]);
  await answer({ kind: "Removed" });
  await clock.advance(100);
  expect([removals.length, onIt()]).toEqual([1, [OTHER]]);
  expect(finalizers.progress("example-org")).toBeUndefined();
  expect(changes).toEqual(["example-org RemovingRecords", "example-org gone"]);
});

test("what fails is told with what lets it go, and tried again, less and less often", async () => {
  const { clock, removals, finalizers, onIt, answer } = await deleted();
  const seen: number[] = [];
  for (let tries = 1; tries <= 8; tries++) {
    seen.push(clock.now());
    await answer({ kind: "Failed", message: "rfc2136 192.0.2.53:53 example.org: no answer in time. Look whether the server runs." });
    while (removals.length === tries) await clock.advance(500);
  }
  expect(seen.slice(1).map((at, i) => Math.round((at - seen[i]!) / 1000))).toEqual([2, 4, 8, 16, 32, 60, 60]);
  expect(finalizers.progress("example-org")).toEqual({
    status: "False",
    reason: "ProviderFailing",
    message: expect.stringMatching(/^rfc2136 .* runs\. To delete it and leave the records there: globalroute abandon zone example-org\.$/),
  });
  expect(finalizers.warnings()).toMatchObject([{ reason: "DeletionWaits", object: { metadata: { name: "example-org" } } }]);
  expect(onIt()).toContain(FINALIZER);
});

describe("nothing is removed", () => {
  test("of a zone that has only vanished from what is served, or from the server", async () => {
    const { clock, hub, finalizers, lead, put, removals } = world();
    put({ finalizers: [FINALIZER] });
    finalizers.offer([served()]);
    lead();
    finalizers.offer([]);
    await clock.advance(60_000);
    hub.remove(DNS_ZONES, "example-org");
    finalizers.offer([]);
    await clock.advance(60_000);
    expect(removals).toEqual([]);
  });

  test("while too much vanished at once", async () => {
    const { clock, state, finalizers, lead, put, removals } = world();
    state.holdsDeletes = true;
    put({ finalizers: [FINALIZER], deletionTimestamp: AT });
    finalizers.offer([served()]);
    lead();
    await clock.advance(60_000);
    expect([removals, finalizers.progress("example-org")?.reason]).toEqual([[], "InputsHeld"]);
    state.holdsDeletes = false;
    finalizers.deletesReleased();
    await clock.advance(100);
    expect(removals).toEqual(["example-org"]);
  });

  test("while the whole kind is being deleted", async () => {
    const { clock, state, finalizers, lead, put, removals, onIt } = world();
    put({ finalizers: [FINALIZER], deletionTimestamp: AT });
    finalizers.offer([served()]);
    lead();
    await clock.advance(1000);
    state.verbs = ["delete", "get"]; // it is told of a moment later
    await clock.advance(60_000);
    expect([removals, finalizers.progress("example-org")?.reason, onIt()]).toEqual([[], "KindGoing", [FINALIZER]]);
    expect(state.asked).toBeLessThan(20);
  });

  test("where nobody knows any more where the records are", async () => {
    const { clock, finalizers, lead, put, removals, onIt } = world();
    put({ finalizers: [FINALIZER], deletionTimestamp: AT });
    finalizers.offer([]);
    lead();
    await clock.advance(60_000);
    expect([removals, finalizers.progress("example-org")?.reason, onIt()]).toEqual([[], "Unreadable", [FINALIZER]]);
  });

  test("once somebody else has let it go", async () => {
    const { clock, finalizers, hub, put, removals, answer } = await deleted();
    await answer({ kind: "Failed", message: "it does not answer. Start it." });
    put({ finalizers: [OTHER], deletionTimestamp: AT });
    finalizers.offer([served()]);
    await clock.advance(120_000);
    expect(removals).toHaveLength(1);
    expect(hub.writes).toEqual([]);
  });
});

test("a term ends although a provider hangs, and the next one begins anew", async () => {
  const { clock, end, lead, removals, answer, onIt } = await deleted();
  end();
  await clock.advance(100);
  lead();
  await clock.advance(3000);
  expect(removals).toHaveLength(2);
  await answer({ kind: "Removed" }); // the one of the term before
  await clock.advance(1000);
  expect(onIt()).toContain(FINALIZER);
  await answer({ kind: "Removed" });
  await clock.advance(1000);
  expect(onIt()).toEqual([OTHER]);
});

test("an object that changes meanwhile is patched as it is then; a refusal is told", async () => {
  const { clock, hub, finalizers, lead, put, onIt, refused } = world();
  put();
  const release = hub.holdWatch();
  put({ labels: { team: "web" } });
  finalizers.offer([served()]);
  lead();
  await clock.advance(500);
  expect(onIt()).toEqual([]);
  release();
  hub.fail(new KubeError("dnszones is forbidden", { status: 403, reason: "Forbidden" }));
  await clock.advance(5000);
  expect(refused).toEqual(["DNSZone example-org: dnszones is forbidden"]);
  await clock.advance(61_000);
  expect(onIt()).toEqual([FINALIZER]);
});
