/** Two replicas that know each other: an object is Ready when both serve it, and both answer alike. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import type { Controller } from "./support/controller.ts";
import { eventually, throughout } from "./support/eventually.ts";
import { NAMESPACE } from "./support/install.ts";
import { kubectlOk } from "./support/kubectl.ts";
import { startReplicas } from "./support/replicas.ts";
import { conditionOf, QUICK, reaches, routeBecomes, statusOf } from "./support/story.ts";
import { createIngress, ingressPath, routePath, startWorld, WEB, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const HOST = "shop.example.org";

describe.skipIf(!isHere)("two replicas", () => {
  let world: World;
  let replicas: readonly Controller[];

  beforeAll(async () => {
    world = await startWorld();
    replicas = await startReplicas(world.hub, 2, { hubUrl: world.hubProxy.url });
  });
  afterAll(async () => {
    await Promise.all((replicas ?? []).map((replica) => replica.stop()));
    await world?.stop();
  });

  test("once kubectl wait says Ready, each answers by region", async () => {
    for (const member of world.members) await createIngress(member, "shop", HOST, {});
    for (const { kube } of world.members) await kube.api.patch(ingressPath("shop"), { metadata: { annotations: QUICK } });
    await kubectlOk(world.hub, ["wait", "--for=create", "--timeout=30s", "-n", WEB, "globalroute/shop"]);
    await kubectlOk(world.hub, ["wait", "--for=condition=Ready", "--timeout=30s", "-n", WEB, "globalroute/shop"]);
    for (const replica of replicas) expect((await replica.dig(HOST, "91.64.0.0/24")).status).toBe("NOERROR");
    for (const replica of replicas) for (const member of world.members) await reaches(replica, HOST, member, member);
  });

  test("when an ingress stops, kubectl get events tells it once, and both follow", async () => {
    const [eu, us] = [world.member("eu-west"), world.member("us-east")];
    await routeBecomes(world, "shop", "Healthy", "True");
    await eu.site.kill();
    for (const replica of replicas) await reaches(replica, HOST, eu, us);
    const told = await eventually("the Event", async () => {
      const text = await kubectlOk(world.hub, ["get", "events", "-A", "--no-headers", "--field-selector", "reason=ClusterFailover"]);
      return text.trim() === "" ? undefined : text;
    });
    expect(told.trim().split("\n")).toHaveLength(1);
    expect(told).toContain("moved from eu-west to us-east");
    await eu.site.revive();
    for (const replica of replicas) await reaches(replica, HOST, eu, eu);
  });

  test("what one of them does not serve yet is not Ready", async () => {
    const [eu] = world.members;
    const { spec } = await world.hub.api.get(`/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/globalroute-writer`);
    const [first, second] = JSON.stringify(spec).includes("globalroute-0_") ? replicas : [...replicas].reverse();
    process.kill(second!.pid, "SIGSTOP");
    try {
      await createIngress(eu!, "late", "late.example.org", QUICK);
      await reaches(first!, "late.example.org", eu!, eu!);
      const status = await eventually("its status", () => statusOf(world.hub.api, routePath("late")));
      expect(conditionOf(status, "Ready")?.status).not.toBe("True");
      await throughout(2000, async () => {
        expect(conditionOf(await statusOf(world.hub.api, routePath("late")), "Ready")?.status).not.toBe("True");
      });
    } finally {
      process.kill(second!.pid, "SIGCONT");
    }
    await routeBecomes(world, "late", "Ready", "True");
    expect((await second!.dig("late.example.org", eu!.clients)).status).toBe("NOERROR");
  });
});
