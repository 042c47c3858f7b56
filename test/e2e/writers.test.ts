/** Several replicas, one writer (docs/safety.md, rule 5): after a kill, a pause or with wrong clocks, no write of an older term is accepted after one of a newer. */
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { skewedClock } from "./support/clock-skew.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually } from "./support/eventually.ts";
import { publish, QUICK, reaches, statusOf } from "./support/story.ts";
import { createIngress, type Member, routePath, startWorld, type World } from "./support/world.ts";
import { type Holder, lateWrites, leaseHolder, type TermWrite, tellWrite, termWrites } from "./support/writer-terms.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const TEN_MINUTES = 600_000;
/** Of the Lease 10 s, and of retrying 1.5 s. */
const SUCCESSION_MS = 13_000;

describe.skipIf(!isHere)("replicas", () => {
  let world: World;
  let replicas: Map<string, Controller>;

  beforeAll(async () => {
    world = await startWorld();
    replicas = new Map();
    const skews: readonly (readonly [string, number])[] = [
      ["globalroute-0", 0],
      ["globalroute-1", TEN_MINUTES],
      ["globalroute-2", -TEN_MINUTES],
    ];
    for (const [name, skew] of skews) replicas.set(name, await startController(world.hub, { name, env: skewedClock(skew) }));
    await publish(world, replicas.get("globalroute-0")!, "shop");
  });
  afterAll(async () => {
    await Promise.all([...(replicas?.values() ?? [])].map((replica) => replica.stop("SIGKILL")));
    await world?.stop();
  });

  const holder = (): Promise<Holder | undefined> => leaseHolder(world.hub);
  function writer({ identity }: Holder): readonly [string, Controller] {
    const found = [...replicas].find(([name]) => identity.startsWith(name));
    if (found === undefined) throw new Error(`nobody is ${identity}`);
    return found;
  }
  const successor = (of: Holder): Promise<Holder> =>
    eventually(
      `a successor of ${of.identity}`,
      async () => {
        const next = await holder();
        return next !== undefined && next.identity !== of.identity ? next : undefined;
      },
      { within: 30_000 },
    );
  const accepted = (): readonly TermWrite[] => termWrites(world.hub).filter(({ isAccepted }) => isAccepted);

  /** A change that the writer has something to write about. */
  async function writes(member: Member, name: string, epoch: number): Promise<TermWrite> {
    await createIngress(member, name, `${name}.example.org`, QUICK);
    return eventually(`a write of epoch ${epoch}`, () => accepted().find((write) => write.epoch === epoch), { within: 30_000 });
  }

  test("all of them serve, and one writes", async () => {
    const eu = world.member("eu-west");
    for (const replica of replicas.values()) await reaches(replica, "shop.example.org", eu, eu);
    const first = await eventually("a writer", holder);
    await eventually("its writes", () => accepted().length > 0);
    expect(new Set(accepted().map(({ epoch }) => epoch))).toEqual(new Set([first.epoch]));
  });

  test("a writer that stands still loses its term, and writes nothing when it goes on", async () => {
    const before = (await holder())!;
    const [, paused] = writer(before);
    process.kill(paused.pid, "SIGSTOP");
    const after = await successor(before);
    expect(after.epoch).toBeGreaterThan(before.epoch);
    await writes(world.member("us-east"), "paused", after.epoch);
    process.kill(paused.pid, "SIGCONT");
    await writes(world.member("tokyo"), "awake", after.epoch);
    await reaches(paused, "awake.example.org", world.member("tokyo"), world.member("tokyo"));
  });

  test("kill -9 while an ingress is dying: DNS goes on, clients move, and a successor writes within 13 s", async () => {
    const [eu, us] = [world.member("eu-west"), world.member("us-east")];
    const before = (await holder())!;
    const [name, killed] = writer(before);
    replicas.delete(name);
    const survivors = [...replicas.values()];
    for (const replica of survivors) await reaches(replica, "shop.example.org", eu, eu);
    const asked = askAlways(survivors, eu);
    await eu.site.kill();
    await killed.stop("SIGKILL");
    const killedAt = Date.now();
    expect((await survivors[0]!.dig("shop.example.org", eu.clients)).answers).toEqual([eu.site.address]); // nobody has noticed yet
    await createIngress(us, "killed", "killed.example.org", QUICK);
    const after = await successor(before);
    const first = await eventually(`a write of epoch ${after.epoch}`, () => accepted().find((write) => write.epoch === after.epoch));
    expect(first.at - killedAt).toBeLessThan(SUCCESSION_MS);
    for (const replica of survivors) await reaches(replica, "shop.example.org", eu, us);
    const moved = await eventually("the failover in the route's status", async () => {
      const status = await statusOf(world.hub.api, routePath("shop"));
      return status?.lastFailover === undefined ? undefined : status;
    });
    expect(moved.lastFailover).toMatchObject({ from: "eu-west", to: "us-east" });
    const answers = await asked.stop();
    // Each survivor answered each time, with the one site and then with the other, and never went back.
    for (const replica of survivors) {
      const own = answers.filter((answer) => answer.replica === replica).map(({ answer }) => answer);
      expect(own.length).toBeGreaterThan(20);
      expect(own.filter((answer, i) => answer !== own[i - 1])).toEqual([eu.site.address, us.site.address]);
    }
    await eu.site.revive();
  });

  test("a writer that is stopped hands over at once", async () => {
    const before = (await holder())!;
    const [name, stopped] = writer(before);
    expect(await stopped.stop()).toBe(0);
    replicas.delete(name);
    const stoppedAt = performance.now();
    await successor(before);
    expect(performance.now() - stoppedAt).toBeLessThan(5000);
  });

  test("epochs of accepted writes never went back, and every one was told", () => {
    expect(accepted().every(({ epoch }) => Number.isInteger(epoch))).toBe(true);
    expect(lateWrites(termWrites(world.hub)).map(tellWrite)).toEqual([]);
  });
});

interface Answer {
  readonly replica: Controller;
  /** Addresses, or what went wrong. */
  readonly answer: string;
}

/** Asks each of them for shop.example.org for clients near a member, all the time. @returns what ends it, with every answer there was */
function askAlways(replicas: readonly Controller[], { clients }: Member): { readonly stop: () => Promise<readonly Answer[]> } {
  const answers: Answer[] = [];
  let isOver = false;
  const ask = async (replica: Controller): Promise<void> => {
    while (!isOver) {
      const { status, answers: found } = await replica.dig("shop.example.org", clients);
      answers.push({ replica, answer: status === "NOERROR" && found.length > 0 ? found.join() : `${status} without an address` });
      await setTimeout(100);
    }
  };
  const asking = replicas.map(ask);
  return {
    async stop() {
      isOver = true;
      await Promise.all(asking);
      return answers;
    },
  };
}
