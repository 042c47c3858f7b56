/**
 * A writer that stands still with a request in its hand, or whose requests wait in the network, while another takes over (docs/safety.md, rule 5): by the audit
 * log none of its writes is accepted after one of the next term. The same with the fence taken away, to know that the log would tell.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import type { KeptRequests } from "./support/api-proxy.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually } from "./support/eventually.ts";
import { kubectlOk } from "./support/kubectl.ts";
import { type PlantedFault, plant } from "./support/planted-fault.ts";
import { preload } from "./support/preload.ts";
import { isStopped, standStillAt, standsStill } from "./support/standstill.ts";
import { publish, QUICK, reaches, routeBecomes } from "./support/story.ts";
import { createIngress, startWorld, type World } from "./support/world.ts";
import { type Holder, lateWrites, leaseHolder, type TermWrite, tellWrite, termWrites } from "./support/writer-terms.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const PAUSE_MS = 30_000;
/** Not tried twice: whatever is told once counts. */
const STORY = { timeout: 300_000, retry: 0 };

/** Writes name their object and no version of it. */
const NO_VERSIONS: PlantedFault = {
  file: "controller/status/own-writes.ts",
  text: `  ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
`,
  becomes: "",
};

interface Pair {
  /** The writer. */
  readonly old: Controller;
  readonly next: Controller;
  readonly term: Holder;
  /** Where {@link standStillAt} looks. */
  readonly trigger: string;
}

describe.skipIf(!isHere)("late writes", () => {
  let world: World;
  let pairs = 0;

  beforeAll(async () => {
    world = await startWorld();
    const first = await startController(world.hub, { name: "first" });
    await publish(world, first, "shop");
    await first.stop();
  }, 300_000);
  afterAll(() => world?.stop());

  /** Runs a story with a writer and a replica that waits for its term, and tells what they tried to write. */
  async function withPair(faults: readonly PlantedFault[], story: (pair: Pair) => Promise<void>): Promise<readonly TermWrite[]> {
    const before = termWrites(world.hub).length;
    const trigger = join(world.hub.folder, `stand-still-${++pairs}`);
    const start = (name: string): Promise<Controller> =>
      startController(world.hub, {
        name: `${name}-${pairs}`,
        hubUrl: world.hubProxy.url,
        env: preload(standsStill(trigger), plant(...faults)),
      });
    const old = await start("old");
    let next: Controller | undefined;
    try {
      const term = await eventually("the first to be the writer", async () => {
        const holder = await leaseHolder(world.hub);
        return holder?.identity.startsWith(`old-${pairs}_`) === true ? holder : undefined;
      });
      next = await start("next");
      for (const replica of [old, next]) await reaches(replica, "shop.example.org", world.member("eu-west"), world.member("eu-west"));
      await story({ old, next, term, trigger });
    } catch (error) {
      throw new Error(`the writer logged:\n${old.log().slice(-6000)}`, { cause: error });
    } finally {
      if (isStopped(old.pid)) process.kill(old.pid, "SIGCONT");
      await Promise.all([old.stop(), next?.stop()]);
      rmSync(trigger, { force: true });
    }
    return termWrites(world.hub).slice(before);
  }

  /** Waits until the log has an accepted write of a term after this one. */
  const successorWrites = ({ epoch }: Holder): Promise<TermWrite> =>
    eventually(`a write after epoch ${epoch}`, () => termWrites(world.hub).find((write) => write.isAccepted && write.epoch > epoch), {
      within: 40_000,
    });

  /** Keeps what the writer of this term sends from now on, but for its Lease. */
  const keepWrites = ({ epoch }: Holder): KeptRequests =>
    world.hubProxy.keep(
      ({ method, path, userAgent }) => method !== "GET" && !path.includes("/leases/") && userAgent.includes(`(writer epoch ${epoch})`),
    );

  /** Lets go what was kept, and waits until the API server has answered all of it. @returns what came of it */
  async function arrive({ epoch }: Holder, queue: KeptRequests): Promise<readonly TermWrite[]> {
    const releasedAt = Date.now();
    queue.release();
    return eventually(`all ${queue.requests.length} late writes to be answered`, () => {
      const answered = termWrites(world.hub).filter((write) => write.epoch === epoch && write.at >= releasedAt);
      return answered.length >= queue.requests.length ? answered : undefined;
    });
  }

  /** The writer stops for so long after it has worked out and checked a status, with the first byte of the request not sent. */
  const standsWithRequest =
    (route: string, milliseconds: number) =>
    async ({ old, next, term, trigger }: Pair): Promise<void> => {
      const [us, tokyo] = [world.member("us-east"), world.member("tokyo")];
      await createIngress(us, route, `${route}.example.org`, QUICK);
      await routeBecomes(world, route, "Healthy", "True");
      standStillAt(trigger, new RegExp(`^PATCH .*/globalroutes/${route}/status`));
      await createIngress(tokyo, route, `${route}.example.org`, QUICK);
      await eventually("the writer to stop", () => isStopped(old.pid), { within: 30_000 });
      const stoppedAt = Date.now();
      await successorWrites(term);
      await reaches(next, `${route}.example.org`, tokyo, tokyo);
      await setTimeout(Math.max(0, stoppedAt + milliseconds - Date.now()));
      // What it sends arrives, although it gives up at once: by its own clock its term is over.
      const queue = keepWrites(term);
      process.kill(old.pid, "SIGCONT");
      await eventually("its request", () => queue.requests.length > 0);
      const late = await arrive(term, queue);
      // Others may have been under way beside it.
      expect(
        late.map(({ verb, resource, subresource, marked }) => ({ write: `${verb} ${resource}/${subresource}`, marked })),
      ).toContainEqual({
        write: "patch globalroutes/status",
        marked: term.epoch,
      });
      // It goes on as a replica.
      await createIngress(tokyo, `${route}-2`, `${route}-2.example.org`, QUICK);
      await reaches(old, `${route}-2.example.org`, tokyo, tokyo);
    };

  /** The writer's requests wait in the network, and it stands still besides; then all go on. */
  const requestsAreHeld =
    (route: string, milliseconds: number) =>
    async ({ old, next, term }: Pair): Promise<void> => {
      const [eu, us] = [world.member("eu-west"), world.member("us-east")];
      const queue = keepWrites(term);
      await eu.site.kill();
      await createIngress(us, route, `${route}.example.org`, QUICK);
      const isKept = (pattern: RegExp): boolean => queue.requests.some(({ method, path }) => pattern.test(`${method} ${path}`));
      await eventually("an Event and a status to wait", () => isKept(/^POST .*\/events/) && isKept(/^PATCH .*\/status/), {
        within: 60_000,
      });
      process.kill(old.pid, "SIGSTOP");
      const stoppedAt = Date.now();
      await successorWrites(term);
      await reaches(next, "shop.example.org", eu, us);
      await setTimeout(Math.max(0, stoppedAt + milliseconds - Date.now()));
      await arrive(term, queue);
      process.kill(old.pid, "SIGCONT");
      await eu.site.revive();
      for (const replica of [old, next]) await reaches(replica, "shop.example.org", eu, eu);
    };

  /** Every write that was accepted carries the epoch of its sender, where it can, and none came late. */
  function expectFenced(writes: readonly TermWrite[], term: Holder): void {
    const accepted = writes.filter(({ isAccepted }) => isAccepted);
    expect(lateWrites(writes).map(tellWrite)).toEqual([]);
    expect(accepted.filter(({ epoch, marked }) => marked !== undefined && marked !== epoch).map(tellWrite)).toEqual([]);
    expect(accepted.some(({ epoch }) => epoch === term.epoch)).toBe(true);
    expect(accepted.some(({ epoch }) => epoch > term.epoch)).toBe(true);
  }

  test("a writer that stood still for 30 s between computing and sending is refused", STORY, async () => {
    let term: Holder | undefined;
    const writes = await withPair([], async (pair) => {
      term = pair.term;
      await standsWithRequest("stood", PAUSE_MS)(pair);
    });
    expectFenced(writes, term!);
  });

  test("and so are requests that waited in the network for 30 s, an Event among them", STORY, async () => {
    let term: Holder | undefined;
    const writes = await withPair([], async (pair) => {
      term = pair.term;
      await requestsAreHeld("waited", PAUSE_MS)(pair);
    });
    expectFenced(writes, term!);
  });

  describe("without the fence the log tells of late writes", () => {
    beforeAll(async () => {
      const kinds = "validatingadmissionpolicybindings,validatingadmissionpolicies";
      await kubectlOk(world.hub, ["delete", kinds, "--all"]);
      await setTimeout(2000); // the API server sees it a moment later
    });

    test("neither the policy nor versions: the status of a writer that stood still is accepted", STORY, async () => {
      const writes = await withPair([NO_VERSIONS], standsWithRequest("unfenced", 0));
      const late = lateWrites(writes).map(({ verb, resource, subresource }) => `${verb} ${resource}/${subresource}`);
      expect(late, writes.map(tellWrite).join("\n")).toContain("patch globalroutes/status");
    });

    test("versions alone: an Event has none, and is accepted", STORY, async () => {
      const writes = await withPair([], requestsAreHeld("versions", 0));
      expect(lateWrites(writes).map(({ verb, resource }) => `${verb} ${resource}`)).toContain("create events");
    });
  });
});
