/** Vantages in other sites (docs/vantages.md): what the hub alone does not reach is not dead, what nobody reaches is; and sources where the hub has no kubeconfig. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MEMBER_ACCOUNT } from "../../controller/clusters/member-objects.ts";
import { requireComponent } from "../support/component.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually } from "./support/eventually.ts";
import { NAMESPACE } from "./support/install.ts";
import { cutWay, SHARED_ADDRESS } from "./support/network.ts";
import { conditionOf, keepsServing, publish, QUICK, reaches, routeBecomes, statusOf } from "./support/story.ts";
import { revokeVantage, startVantage, type Vantage } from "./support/vantage.ts";
import { createIngress, type Member, startWorld, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const HOST = "shop.example.org";
/** In which a hub by itself would have moved everybody twice over: three failures, five seconds apart. */
const LONG_MS = 30_000;
const cluster = (name: string): string => `/apis/globalroute.dev/v1alpha1/memberclusters/${name}`;

describe.skipIf(!isHere)("vantages", { retry: 0, timeout: 180_000 }, () => {
  let world: World;
  let controller: Controller;
  let vantages: Vantage[];
  let eu: Member;
  let us: Member;
  let tokyo: Member;

  beforeAll(async () => {
    world = await startWorld();
    [eu, us, tokyo] = [world.member("eu-west"), world.member("us-east"), world.member("tokyo")];
    // Tokyo has let the hub in no more.
    await world.hub.api.patch(cluster("tokyo"), { spec: { access: null } });
    await world.hub.api.delete(`/api/v1/namespaces/${NAMESPACE}/secrets/cluster-tokyo`);
    controller = await startController(world.hub, { args: ["--vantage", "hub"] });
    await publish({ ...world, members: [eu, us] }, controller, "shop");
    vantages = [
      await startVantage(world.hub, controller, "lab", "198.18.0.41"),
      await startVantage(world.hub, controller, "den", "198.18.0.42"),
    ];
  }, 300_000);
  afterAll(async () => {
    await Promise.all((vantages ?? []).map((vantage) => vantage.stop()));
    await controller?.stop();
    await world?.stop();
  });

  /** Probes of a cluster that were not answered, as this replica counts them. */
  async function timeouts({ name }: Member): Promise<number> {
    const text = await (await fetch(`${controller.admin}/metrics`)).text();
    const series = `globalroute_probe_duration_seconds_count{cluster="${name}",result="timeout"} `;
    const line = text.split("\n").find((one) => one.startsWith(series));
    return Number(line?.slice(series.length) ?? 0);
  }
  const connected = async (): Promise<readonly string[]> => {
    const text = await (await fetch(`${controller.admin}/metrics`)).text();
    return [...text.matchAll(/^globalroute_peer_connected\{peer="([^"]*)",role="vantage"\} 1$/gm)].map(
      ([, peer = ""]) => peer.split("/")[0] ?? "",
    );
  };
  /** The hub's own probes of a site fail for as long as the story lasts. */
  async function cutOff(member: Member, story: () => Promise<void>): Promise<void> {
    const before = await timeouts(member);
    const mend = await cutWay(member.site.address, SHARED_ADDRESS);
    try {
      await story();
      expect((await timeouts(member)) - before).toBeGreaterThan(3);
    } finally {
      await mend();
    }
  }

  test("they connect with their credentials and are told what to probe", async () => {
    await eventually("both", async () => (await connected()).toSorted().join() === "den,lab");
  });

  test("a healthy cluster that only the hub does not reach goes on serving", async () => {
    await cutOff(eu, () => keepsServing(controller, HOST, eu, LONG_MS));
    expect(
      (await statusOf(world.hub.api, "/apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes/shop"))?.lastFailover,
    ).toBeUndefined();
  });

  test("a dead one does not: all agree", async () => {
    await eu.site.kill();
    await reaches(controller, HOST, eu, us);
    for (const { name, log } of vantages)
      await eventually(`${name} to see it`, () => /"cluster":"eu-west".*"health":"Unhealthy"/.test(log()), { detail: log });
    await eu.site.revive();
    await reaches(controller, HOST, eu, eu);
  });

  test("a vantage whose credential is taken away votes no more", async () => {
    await cutOff(eu, async () => {
      await revokeVantage(world.hub, "den");
      await eventually("den to be gone", async () => (await connected()).join() === "lab");
      await keepsServing(controller, HOST, eu, LONG_MS); // the hub against the lab: nothing changes
      await revokeVantage(world.hub, "lab");
      await eventually("the lab to be gone", async () => (await connected()).length === 0);
      await reaches(controller, HOST, eu, us); // the hub is alone, and decides
    });
    for (const { log } of vantages) expect(log()).toContain("the hub cannot be reported to");
    await reaches(controller, HOST, eu, eu);
  });

  test("one reports the sources of a cluster that the hub has no kubeconfig for", async () => {
    const kubeconfig = join(world.hub.folder, "tokyo.kubeconfig");
    writeFileSync(kubeconfig, tokyo.kube.kubeconfigFor(await tokyo.kube.mintToken(NAMESPACE, MEMBER_ACCOUNT, 3600)), { mode: 0o600 });
    await createIngress(tokyo, "shop", HOST, QUICK);
    await keepsServing({ ...controller, dig: (host) => controller.dig(host, eu.clients) }, HOST, eu, 1000);
    vantages.push(await startVantage(world.hub, controller, "tokyo", "198.18.0.43", ["--sources", "--kubeconfig", kubeconfig]));
    await reaches(controller, HOST, tokyo, tokyo);
    await createIngress(tokyo, "local", "local.example.org", QUICK);
    await reaches(controller, "local.example.org", eu, tokyo);
    await routeBecomes(world, "local", "Ready", "True");
    expect((await routeBecomes(world, "shop", "Healthy", "True")).backends?.map((backend) => backend.cluster).toSorted()).toEqual([
      "eu-west",
      "tokyo",
      "us-east",
    ]);
    expect(conditionOf(await statusOf(world.hub.api, cluster("tokyo")), "Connected")).toMatchObject({ status: "True" });
    const asked = tokyo.kube.audit().map(({ userAgent }) => userAgent);
    expect(asked.filter((agent) => agent.startsWith("globalroute/") && !agent.includes("vantage tokyo"))).toEqual([]);
  });
});
