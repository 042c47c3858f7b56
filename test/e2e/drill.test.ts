/** A drill as an object on a real API server: it moves clients, gives up at a second failure, and no later process begins it again. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually } from "./support/eventually.ts";
import { NAMESPACE } from "./support/install.ts";
import { conditionOf, keepsServing, publish, reaches, routeBecomes, type SeenStatus, statusOf } from "./support/story.ts";
import { type Member, startWorld, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const HOST = "shop.example.org";
const overrides = `/apis/globalroute.dev/v1alpha1/namespaces/${NAMESPACE}/trafficoverrides`;

describe.skipIf(!isHere)("a drill of a member cluster", () => {
  let world: World;
  let controller: Controller;
  let eu: Member;
  let us: Member;

  beforeAll(async () => {
    world = await startWorld();
    controller = await startController(world.hub);
    [eu, us] = [world.member("eu-west"), world.member("us-east")];
    await publish(world, controller, "shop");
    await routeBecomes(world, "shop", "Ready", "True");
  });
  afterAll(async () => {
    await controller?.stop("SIGKILL");
    await world?.stop();
  });

  const becomes = (name: string, reason: string): Promise<SeenStatus> =>
    eventually(`the drill ${name} to be ${reason}`, async () => {
      const status = await statusOf(world.hub.api, `${overrides}/${name}`);
      return conditionOf(status, "Active")?.reason === reason ? status : undefined;
    });
  const drill = (name: string, seconds: number): Promise<unknown> =>
    world.hub.api.create(overrides, {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "TrafficOverride",
      metadata: { name, namespace: NAMESPACE },
      spec: {
        targetRef: { kind: "MemberCluster", name: eu.name },
        action: "Drill",
        start: new Date(Date.now() + 2000).toISOString(),
        until: new Date(Date.now() + 2000 + 1000 * seconds).toISOString(),
        reason: "game day",
      },
    });

  test("begins and ends by its times", async () => {
    await drill("short", 8);
    await becomes("short", "NotBegun");
    await reaches(controller, HOST, eu, us);
    await becomes("short", "InForce");
    await becomes("short", "Over");
    await reaches(controller, HOST, eu, eu);
  });

  test("gives up when another cluster fails, and says why in its status", async () => {
    await drill("long", 600);
    await reaches(controller, HOST, eu, us);
    await us.site.kill();
    await reaches(controller, HOST, eu, eu);
    const status = await becomes("long", "DrillAborted");
    expect(status).toMatchObject({ aborted: { reason: `web/shop: ${us.name} is not in service` } });
    await us.site.revive();
    await reaches(controller, HOST, us, us);
    await keepsServing(controller, HOST, eu, 2000);
  });

  test("is not begun again by a process that knows nothing but the status", async () => {
    await controller.stop();
    controller = await startController(world.hub, { name: "globalroute-1" });
    await reaches(controller, HOST, us, us);
    await keepsServing(controller, HOST, eu, 5000);
    expect(conditionOf(await statusOf(world.hub.api, `${overrides}/long`), "Active")?.reason).toBe("DrillAborted");
  });
});
