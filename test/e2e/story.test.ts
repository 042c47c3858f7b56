/** The story that the README tells, on real API servers: join, annotate, serve, fail over, fail back, delete. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually, throughout } from "./support/eventually.ts";
import { kubectlOk } from "./support/kubectl.ts";
import { conditionOf, keepsServing, publish, reaches, routeBecomes, statusOf } from "./support/story.ts";
import { ingressPath, type Member, routePath, startWorld, WEB, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const HOST = "shop.example.org";
/** More of the same, so that one route is not all there is: most of the input going away at once would not be believed. */
const OTHERS: readonly string[] = ["blog", "docs", "forum"];
/** What is steady is looked at for this long. */
const QUIET_MS = 12_000;

describe.skipIf(!isHere)("a hub and three members", () => {
  let world: World;
  let controller: Controller;
  let eu: Member;
  let us: Member;
  let tokyo: Member;

  beforeAll(async () => {
    world = await startWorld();
    [eu, us, tokyo] = [world.member("eu-west"), world.member("us-east"), world.member("tokyo")];
    controller = await startController(world.hub, { hubUrl: world.hubProxy.url });
  });
  afterAll(async () => {
    await controller?.stop();
    await world?.stop();
  });

  test("joined clusters become connected", async () => {
    for (const { name } of world.members) {
      const path = `/apis/globalroute.dev/v1alpha1/memberclusters/${name}`;
      await eventually(
        `${name} to be connected`,
        async () => conditionOf(await statusOf(world.hub.api, path), "Connected")?.status === "True",
        {
          within: 30_000,
          detail: () => controller.log().slice(-6000),
        },
      );
    }
  });

  test("an annotated Ingress in each is one route, and every client gets the nearest", async () => {
    for (const name of [...OTHERS, "shop"]) await publish(world, controller, name);
    await kubectlOk(world.hub, ["wait", "--for=condition=Ready", "--timeout=30s", "-n", WEB, "globalroute/shop"]);
    const { metadata } = await world.hub.api.get(routePath("shop"));
    expect(metadata.labels).toMatchObject({ "globalroute.dev/generated": "true" });
  });

  test("kubectl get tells hosts, who serves and how many are healthy", async () => {
    await routeBecomes(world, "shop", "Healthy", "True");
    const table = await kubectlOk(world.hub, ["get", "globalroutes", "-n", WEB]);
    expect(table).toContain(HOST);
    expect(table).toContain("3/3");
    for (const { name } of world.members) expect(table).toContain(name);
  });

  test("a quiet world is not written to, nor listed again", async () => {
    const isSteady = ({ verb, resource }: { verb: string; resource: string }): boolean =>
      resource === "leases" || verb === "get" || verb === "watch";
    await throughout(QUIET_MS / 2, () => {}); // what the first minute still brings
    const before = world.hub.audit().length;
    await keepsServing(controller, HOST, eu, QUIET_MS);
    const since = world.hub.audit().slice(before);
    expect(since.filter((entry) => !isSteady(entry)).map(({ verb, uri, user }) => `${user} ${verb} ${uri}`)).toEqual([]);
  });

  test("when its ingress dies, its clients move to the next nearest, and only they", async () => {
    await eu.site.kill();
    await reaches(controller, HOST, eu, us);
    await keepsServing(controller, HOST, us, 1000);
    await keepsServing(controller, HOST, tokyo, 1000);
    const status = await eventually("the failover in the route's status", async () => {
      const seen = await statusOf(world.hub.api, routePath("shop"));
      return seen?.lastFailover === undefined ? undefined : seen;
    });
    expect(status.lastFailover).toMatchObject({ from: "eu-west", to: "us-east" });
    expect(status.backends?.find(({ cluster }) => cluster === "eu-west")?.health).toBe("Unhealthy");
    expect(conditionOf(status, "Ready")?.status).toBe("True"); // an outage is not an error of the object
    const events = await eventually("the Event", async () => {
      const text = await kubectlOk(world.hub, ["get", "events", "-n", WEB]);
      return text.includes("eu-west") ? text : undefined;
    });
    expect(events).toContain("shop");
  });

  test("when it is back, they return", async () => {
    await eu.site.revive();
    await reaches(controller, HOST, eu, eu);
    await routeBecomes(world, "shop", "Healthy", "True");
  });

  test("an Ingress that is deleted takes away its own cluster, not the route", async () => {
    await tokyo.kube.api.delete(ingressPath("shop"));
    await eventually("Tokyo's clients to go elsewhere", async () => {
      const { answers } = await controller.dig(HOST, tokyo.clients);
      return answers.length === 1 && answers[0] !== tokyo.site.address;
    });
    await keepsServing(controller, HOST, eu, 1000);
  });

  test("a zone's owner who withdraws a name stops it", async () => {
    const zone = "/apis/globalroute.dev/v1alpha1/dnszones/example-org";
    const allowing = (...suffixes: readonly string[]) => ({ spec: { allowedRoutes: [{ suffixes }] } });
    await world.hub.api.patch(zone, allowing(...OTHERS.map((name) => `${name}.example.org`)));
    await eventually("the name to go", async () => (await controller.dig(HOST, eu.clients)).answers.length === 0, {
      within: 40_000,
      detail: () => controller.log().slice(-6000),
    });
    await keepsServing(controller, `${OTHERS[0]}.example.org`, eu, 1000);
    await world.hub.api.patch(zone, allowing("example.org"));
    await reaches(controller, HOST, eu, eu);
  });

  test("when the last source is gone, so are the route and the name", async () => {
    for (const { kube } of [eu, us]) await kube.api.delete(ingressPath("shop"));
    await eventually("the route to go", async () => (await world.hub.api.request("GET", routePath("shop"))).status === 404, {
      within: 60_000,
    });
    await eventually("the name to go", async () => (await controller.dig(HOST, eu.clients)).answers.length === 0, { within: 60_000 });
  });

  test("the controller ends at SIGTERM", async () => {
    expect(await controller.stop()).toBe(0);
  });
});
