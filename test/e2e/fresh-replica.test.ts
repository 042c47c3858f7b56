/** A replica that begins with nothing of its own while others hold a collapse of their inputs (docs/safety.md, rule 11). */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually } from "./support/eventually.ts";
import { keepsServing, publish, QUICK, reaches, routeBecomes } from "./support/story.ts";
import { createIngress, ingressPath, type Member, routePath, startWorld, type World } from "./support/world.ts";
import { leaseHolder } from "./support/writer-terms.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
/** What goes first may be seen to go alone, which is no collapse yet. */
const OTHERS = ["cart", "docs", "blog"];
const NAMES = ["shop", ...OTHERS];

describe.skipIf(!isHere)("a replica without a state folder, in the middle of a collapse", () => {
  let world: World;
  let holding: Controller;
  let fresh: Controller | undefined;
  let eu: Member;

  beforeAll(async () => {
    world = await startWorld();
    holding = await startController(world.hub, { name: "globalroute-0" });
    eu = world.member("eu-west");
    for (const name of NAMES) await publish(world, holding, name);
    for (const name of NAMES) await routeBecomes(world, name, "Ready", "True");
  });
  afterAll(async () => {
    await Promise.all([holding?.stop("SIGKILL"), fresh?.stop("SIGKILL")]);
    await world?.stop();
  });

  const isHolding = async (controller: Controller): Promise<boolean> => (await controller.readyz()).degraded.includes("inputs-held");
  const stored = (): Promise<readonly number[]> =>
    Promise.all(NAMES.map(async (name) => (await world.hub.api.request("GET", routePath(name))).status));

  test("holds it too, serves what the statuses tell, and deletes nothing when it becomes the writer", async () => {
    await Promise.all(world.members.flatMap(({ kube }) => OTHERS.map((name) => kube.api.delete(ingressPath(name)))));
    await eventually("the collapse to be held", () => isHolding(holding));
    for (const { kube } of world.members) {
      await kube.api.delete(ingressPath("shop"));
      await keepsServing(holding, "shop.example.org", eu, 1000); // and statuses are written
    }
    const started = await startController(world.hub, { name: "globalroute-1" });
    fresh = started;
    for (const member of world.members) await reaches(started, "shop.example.org", member, member);
    await eventually("the collapse to be held by both", () => isHolding(started));
    await holding.stop("SIGKILL");
    await eventually("it to be the writer", async () => (await leaseHolder(world.hub))?.identity.startsWith("globalroute-1"), {
      within: 30_000,
    });
    await keepsServing(started, "shop.example.org", eu, 10_000);
    expect(await stored()).toEqual(NAMES.map(() => 200));
  });

  test("goes on as usual when the sources are back", async () => {
    for (const member of world.members) for (const name of NAMES) await createIngress(member, name, `${name}.example.org`, QUICK);
    await eventually("nothing to be held", async () => !(await isHolding(fresh!)), { within: 60_000 });
    await keepsServing(fresh!, "shop.example.org", eu, 2000);
    expect(await stored()).toEqual(NAMES.map(() => 200));
  });
});
