/** What breaks in the hub itself: the controller's credential, our kinds, the whole store. Everything learnt goes on being served. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { type Controller, startController } from "./support/controller.ts";
import { installCrds } from "./support/crds.ts";
import { eventually } from "./support/eventually.ts";
import { CONTROLLER, installChart, NAMESPACE } from "./support/install.ts";
import { keepsServing, publish, QUICK, reaches, routeBecomes } from "./support/story.ts";
import { createIngress, createZone, joinMembers, type Member, routePath, startWorld, WEB, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const HOST = "shop.example.org";
/** Of a route that a person wrote, and not annotations. */
const WRITTEN = "written.example.org";
const CAUGHT_UP = { within: 60_000 };

/** Its last log lines, without stacks. */
const brieflyLogged = (controller: Controller): string =>
  controller
    .log()
    .split("\n")
    .slice(-25)
    .map((line) => line.slice(0, 300))
    .join("\n");

describe.skipIf(!isHere)("a hub in trouble", () => {
  let world: World;
  let controller: Controller;
  let eu: Member;

  beforeAll(async () => {
    world = await startWorld();
    controller = await startController(world.hub, { hubUrl: world.hubProxy.url });
    eu = world.member("eu-west");
    await publish(world, controller, "shop");
    await routeBecomes(world, "shop", "Ready", "True");
    await world.hub.api.create(`/apis/globalroute.dev/v1alpha1/namespaces/${WEB}/globalroutes`, {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "GlobalRoute",
      metadata: { name: "written" },
      spec: { hosts: [WRITTEN], backends: [{ name: "eu", cluster: "eu-west", addresses: [eu.site.address] }] },
    });
    await reaches(controller, WRITTEN, eu, eu);
  });
  afterAll(async () => {
    await controller?.stop();
    await world?.stop();
  });

  test("our kind is deleted under load: everything is kept, /readyz stays 200 and says why", async () => {
    await world.hub.api.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/globalroutes.globalroute.dev");
    try {
      const gone = async (): Promise<boolean> => (await world.hub.api.request("GET", routePath("written"))).status === 404;
      await eventually("the objects to be gone", gone);
      await keepsServing(controller, HOST, eu, 4000);
      await keepsServing(controller, WRITTEN, eu, 4000);
      await eventually("it to be loud", async () => (await controller.readyz()).degraded.length > 0, CAUGHT_UP);
      expect((await controller.readyz()).status).toBe(200);
    } finally {
      await installCrds(world.hub);
    }
    await routeBecomes(world, "shop", "Ready", "True", CAUGHT_UP); // generated again
    await keepsServing(controller, HOST, eu, 1000);
  });

  test("a token that ends is loud and serves on; a new one is taken up", async () => {
    const brief = await startController(world.hub, { name: "globalroute-brief", tokenSeconds: -30 }); // 30 s more, see mintToken
    await reaches(brief, HOST, eu, eu);
    await world.hub.stopServer(); // its watches would go on for minutes
    await eventually("the token to end", () => performance.now() > brief.tokenUntil, { within: 60_000 });
    await world.hub.startServer();
    await eventually("the refusal", () => brief.log().includes("the credential is not accepted"), { within: 60_000 });
    await eventually("it to be loud", async () => (await brief.readyz()).degraded.length > 0, CAUGHT_UP);
    await keepsServing(brief, HOST, eu, 2000);
    await brief.renewToken(3600);
    await eventually("the new token to be used", async () => (await brief.readyz()).degraded.length === 0, CAUGHT_UP);
    expect(await brief.stop()).toBe(0);
  });

  test("a restart with every API server out of reach still answers", async () => {
    const state = join(world.hub.folder, "restarted");
    const first = await startController(world.hub, { name: "globalroute-r", hubUrl: world.hubProxy.url, state });
    await reaches(first, HOST, eu, eu);
    await eventually("what it serves to be saved", () => existsSync(join(state, "last-good", "world.snap")));
    await first.stop("SIGKILL");
    const proxies = [world.hubProxy, ...world.members.map(({ proxy }) => proxy)];
    for (const proxy of proxies) await proxy.refuse();
    let second: Controller | undefined;
    try {
      second = await startController(world.hub, { name: "globalroute-r", hubUrl: world.hubProxy.url, state });
      await reaches(second, HOST, eu, eu);
      expect(await second.readyz()).toMatchObject({ status: 200, degraded: expect.arrayContaining(["last-good"]) });
    } finally {
      for (const proxy of proxies) await proxy.accept();
    }
    await eventually("the API servers to be read again", async () => (await second.readyz()).degraded.length === 0, CAUGHT_UP);
    expect(await second.stop()).toBe(0);
  });

  test("the store is restored empty: what was served stays, and a new installation takes over", async () => {
    await world.hub.stopServer();
    await world.hubEtcd.wipe();
    await world.hub.startServer();
    await keepsServing(controller, HOST, eu, 5000);
    await installChart(world.hub);
    await world.hub.api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: WEB } });
    await keepsServing(controller, HOST, eu, 5000); // the objects are gone, and it is not believed
    await controller.renewToken(3600); // of the new ServiceAccount
    await joinMembers(world);
    await createZone(world.hub);
    await routeBecomes(world, "shop", "Ready", "True", { within: 90_000, detail: () => brieflyLogged(controller) });
    await createIngress(eu, "late", "late.example.org", QUICK);
    await reaches(controller, "late.example.org", eu, eu, CAUGHT_UP);
    await keepsServing(controller, HOST, eu, 1000);
    const { metadata } = await world.hub.api.get(routePath("shop"));
    expect(metadata.labels).toMatchObject({ "globalroute.dev/generated": "true" });
    expect(world.hub.audit().some(({ user }) => user === `system:serviceaccount:${NAMESPACE}:${CONTROLLER}`)).toBe(true);
  });
});
