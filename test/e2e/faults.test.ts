/** What breaks around the controller: API servers, credentials, watches, permissions. What is served goes on being served, and is caught up with. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { isWatch } from "./support/api-proxy.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually, throughout } from "./support/eventually.ts";
import { conditionOf, keepsServing, publish, QUICK, reaches, statusOf } from "./support/story.ts";
import { createIngress, ingressPath, type Member, startWorld, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const HOST = "shop.example.org";
/** After a long outage the next try may be as far away as the longest backoff. */
const CAUGHT_UP = { within: 60_000 };

const memberPath = (name: string): string => `/apis/globalroute.dev/v1alpha1/memberclusters/${name}`;

describe.skipIf(!isHere)("a served route", () => {
  let world: World;
  let controller: Controller;
  let eu: Member;
  let us: Member;

  beforeAll(async () => {
    world = await startWorld();
    controller = await startController(world.hub, { hubUrl: world.hubProxy.url });
    [eu, us] = [world.member("eu-west"), world.member("us-east")];
    await publish(world, controller, "shop");
  });
  afterAll(async () => {
    await controller?.stop();
    await world?.stop();
  });
  beforeEach(() => reaches(controller, HOST, eu, eu));
  afterEach(() => expect(controller.readyz().then(({ status }) => status)).resolves.toBe(200));

  /** A change in a member is seen: an Ingress of a new host there is answered for. */
  async function notices(member: Member, name: string): Promise<void> {
    await createIngress(member, name, `${name}.example.org`, QUICK);
    await reaches(controller, `${name}.example.org`, member, member, CAUGHT_UP);
    await member.kube.api.delete(ingressPath(name));
  }
  /** Whole ones: a list of one object only asks for today's version. */
  const lists = (member: Member): number =>
    member.kube.audit().filter(({ verb, resource, uri }) => verb === "list" && resource === "ingresses" && !/limit=1(&|$)/.test(uri))
      .length;
  const memberCondition = async (member: Member, type: string) => conditionOf(await statusOf(world.hub.api, memberPath(member.name)), type);

  test("goes on through a restart of a member's API server", async () => {
    await eu.kube.stopServer();
    await keepsServing(controller, HOST, eu, 3000);
    await eventually("the loss to be told", async () => (await memberCondition(eu, "Connected"))?.status === "False", CAUGHT_UP);
    await eu.kube.startServer();
    await notices(eu, "after-restart");
    await eventually("its return to be told", async () => (await memberCondition(eu, "Connected"))?.status === "True", CAUGHT_UP);
  });

  test("goes on while watches are cut every two seconds, and they resume without listing again", async () => {
    const before = lists(eu);
    const end = eu.proxy.cutEvery(2000);
    await keepsServing(controller, HOST, eu, 10_000);
    await notices(eu, "while-cut");
    end();
    expect(lists(eu) - before).toBeLessThanOrEqual(1);
  });

  test("goes on when watches are too old, and the controller lists again", async () => {
    const before = lists(eu);
    const end = eu.proxy.answer((request) => isWatch(request) && request.path.includes("/ingresses"), 410);
    eu.proxy.cut();
    await eventually("another list", () => lists(eu) > before, CAUGHT_UP);
    await keepsServing(controller, HOST, eu, 2000);
    end();
    await notices(eu, "after-gone");
    expect(lists(eu) - before).toBeLessThan(20); // it waits between two tries
  });

  test("goes on through a compaction while the API server was away", async () => {
    await us.kube.stopServer();
    await world.membersEtcd.compact();
    await us.kube.startServer();
    await notices(us, "after-compaction");
    await keepsServing(controller, HOST, us, 1000);
  });

  test("goes on through a storm of refusals, in which the controller asks less", async () => {
    const before = eu.proxy.requests().length;
    for (const status of [429, 500, 503]) {
      const end = eu.proxy.answer(() => true, status, 1);
      eu.proxy.cut();
      await keepsServing(controller, HOST, eu, 3000);
      end();
    }
    const asked = eu.proxy.requests().length - before;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(100);
    await notices(eu, "after-storm");
  });

  test("goes on while a member's API server holds its breath", async () => {
    const release = eu.proxy.hold(() => true);
    eu.proxy.cut();
    await keepsServing(controller, HOST, eu, 3000);
    await notices(us, "beside-held"); // one that does not answer delays nobody
    release();
    await notices(eu, "after-held");
  });

  test("goes on when creation times are wrong", async () => {
    const end = eu.proxy.rewrite(
      () => true,
      (line) => line.replaceAll(/"creationTimestamp":"\d{4}/g, '"creationTimestamp":"1999'),
    );
    eu.proxy.cut();
    await keepsServing(controller, HOST, eu, 3000);
    end();
    await notices(eu, "after-skew");
  });

  test("goes on when one kind may no longer be read, and its status says which", async () => {
    const roles = await eu.kube.api.list("/apis/rbac.authorization.k8s.io/v1/clusterroles");
    const role = roles.find(({ metadata }) => metadata.name.startsWith("globalroute"));
    if (role === undefined) throw new Error("join made no ClusterRole");
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${role.metadata.name}`;
    const rules = role.rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    const without = rules.map((rule) => ({ ...rule, resources: rule.resources.filter((resource) => resource !== "services") }));
    await eu.kube.api.patch(path, { rules: without.filter(({ resources }) => resources.length > 0) });
    eu.proxy.cut();
    await eventually(
      "the missing permission to be told",
      async () => (await memberCondition(eu, "Connected"))?.message.includes("list services"),
      CAUGHT_UP,
    );
    await notices(eu, "beside-forbidden");
    await eu.kube.api.patch(path, { rules });
    await eventually("its return", async () => (await memberCondition(eu, "Connected"))?.status === "True", CAUGHT_UP);
  });

  test("goes on while the hub's API server is cut off: it still fails over, and tells afterwards", async () => {
    await world.hubProxy.refuse();
    await throughout(2000, async () => expect((await controller.readyz()).status).toBe(200));
    await eu.site.kill();
    await reaches(controller, HOST, eu, us);
    await eventually("the loss to be loud", async () => (await controller.readyz()).degraded.length > 0, CAUGHT_UP);
    await world.hubProxy.accept();
    const route = "/apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes/shop";
    const told = async (): Promise<boolean> => (await statusOf(world.hub.api, route))?.lastFailover?.from === "eu-west";
    await eventually("the failover to be told", told, CAUGHT_UP);
    await eu.site.revive();
    await reaches(controller, HOST, eu, eu, CAUGHT_UP);
  });
});
