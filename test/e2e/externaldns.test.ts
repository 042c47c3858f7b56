/**
 * A zone that ExternalDNS publishes, from the DNSZone to its objects: the controller with the chart's rights on a real API server, which has
 * ExternalDNS's own CustomResourceDefinition. ExternalDNS itself is played: of it we see that it writes the status.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../controller/kube/kube-object.ts";
import { requireComponent } from "../support/component.ts";
import { globalroute } from "../support/demo.ts";
import { endpointsOf, interferedWith } from "../support/providers/dnsendpoint.ts";
import { repository } from "../support/source-tree.ts";
import type { AuditEntry } from "./support/audit.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually } from "./support/eventually.ts";
import { chartManifests } from "./support/install.ts";
import { kubectlOk } from "./support/kubectl.ts";
import { conditionOf, QUICK, type SeenStatus, statusOf } from "./support/story.ts";
import { createIngress, type Member, routePath, startWorld, WEB, type World } from "./support/world.ts";
import { leaseHolder } from "./support/writer-terms.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "helm");
const CRD = join(repository, "test", "e2e", "crds", "dnsendpoints.externaldns.k8s.io.yaml");
const ZONES = "/apis/globalroute.dev/v1alpha1/dnszones";
const ENDPOINTS = "/apis/externaldns.k8s.io/v1alpha1/namespaces/dns/dnsendpoints";
const OURS = "globalroute-prod.example.org-0";
const HOST = "shop.example.org";

describe.skipIf(!isHere)("a zone that ExternalDNS publishes", () => {
  let world: World;
  let controller: Controller;
  let state: string;

  const ours = (): Promise<KubeObject> => world.hub.api.get(`${ENDPOINTS}/${OURS}`);
  /** What ExternalDNS would read of a host, as `addresses TTL`; undefined while it has none. */
  const published = async (host: string): Promise<string | undefined> => {
    const objects = await world.hub.api.list(ENDPOINTS);
    const found = objects.flatMap((object) => endpointsOf(object)).filter(({ dnsName }) => dnsName === host);
    return found.length === 0 ? undefined : found.map(({ targets = [], recordTTL }) => `${targets.join("+")} ${recordTTL}`).join();
  };
  /** As ExternalDNS does (source/crd.go): the whole object, on its status. */
  const read = async (): Promise<void> => {
    const object = await ours();
    const body = { ...object, apiVersion: "externaldns.k8s.io/v1alpha1", kind: "DNSEndpoint" };
    const status = { observedGeneration: object.metadata.generation };
    expect(await world.hub.api.request("PUT", `${ENDPOINTS}/${OURS}/status`, { ...body, status })).toMatchObject({ status: 200 });
  };
  const writes = (): readonly AuditEntry[] =>
    world.hub.audit().filter(({ resource, verb }) => resource === "dnsendpoints" && !["get", "list", "watch"].includes(verb));
  const site = (name: string): string => world.member(name).site.address;
  const detail = () => controller.log().slice(-6000);
  const degraded = async (): Promise<string> => (await controller.readyz()).degraded.join();
  const start = async (name: string): Promise<Controller> => {
    const started = await startController(world.hub, { name, state });
    await eventually("a writer", async () => (await leaseHolder(world.hub))?.identity.startsWith(name), { within: 30_000 });
    return started;
  };

  beforeAll(async () => {
    world = await startWorld();
    state = join(world.hub.folder, "state");
    await kubectlOk(world.hub, ["create", "namespace", "dns"]);
    await kubectlOk(world.hub, ["apply", "--server-side", "-f", CRD]);
    // A kind that is established may still answer 429 for a moment.
    await eventually("the kind to be served", async () => (await world.hub.api.request("GET", ENDPOINTS)).status === 200);
    await world.hub.api.delete(`${ZONES}/example-org`);
    await world.hub.api.create(ZONES, {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "DNSZone",
      metadata: { name: "by-external-dns" },
      spec: {
        domain: "example.org",
        owner: "prod",
        policy: "DryRun",
        provider: { type: "ExternalDNS", externalDns: { namespace: "dns", interval: "1s" } },
        allowedRoutes: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": WEB } } }],
      },
    });
    controller = await start("globalroute-0");
  });
  afterAll(async () => {
    await controller?.stop("SIGKILL");
    await world?.stop();
  });

  test("without the right to write there, it is told how to give it", async () => {
    await eventually("the zone to fail", async () => (await degraded()).includes("provider-failing"), { within: 30_000, detail });
    const { code, stdout, stderr } = await globalroute("plan", "--server", controller.admin);
    expect({ code, told: stdout + stderr }).toEqual({
      code: 2,
      told: expect.stringMatching(/not permitted to list dnsendpoints.*chart value externalDns\.namespaces/s),
    });
    await kubectlOk(world.hub, ["apply", "--server-side", "-f", "-"], await chartManifests(["externalDns.namespaces={dns}"]));
  });

  const ingress = (member: Member, name: string): Promise<void> => createIngress(member, name, `${name}.example.org`, QUICK);

  test("what an annotated Ingress asks for is planned, and made by apply; what it loses is told on the route", async () => {
    for (const name of ["eu-west", "us-east"]) await ingress(world.member(name), "shop");
    const isLost = async (): Promise<SeenStatus | undefined> => {
      const seen = await statusOf(world.hub.api, routePath("shop"));
      return conditionOf(seen, "Programmed")?.reason === "PolicyNotExpressible" ? seen : undefined;
    };
    const status = await eventually("what is lost to be told", isLost, { within: 60_000, detail });
    expect(conditionOf(status, "Programmed")?.message).toMatch(/ExternalDNS, which keeps DNSZone by-external-dns, cannot follow order/);

    const plan = join(world.hub.folder, "plan.json");
    const planned = async () => {
      const made = await globalroute("plan", "--server", controller.admin, "--save", plan);
      return made.code === 1 && made.stdout;
    };
    const text = await eventually("a plan", planned, { within: 60_000, detail });
    expect(text).toContain("by-external-dns (example.org, ExternalDNS, owner prod, policy DryRun):");
    expect(text).toContain(`+ ${HOST} A `);
    expect(writes()).toEqual([]);
    const applied = await globalroute("apply", plan, "--server", controller.admin, "--state", state);
    expect(applied, detail()).toMatchObject({ code: 0 });
    expect(await published(HOST)).toMatch(/^198\.18\.\d\.80(\+198\.18\.\d\.80)? \d+$/);
    await world.hub.api.patch(`${ZONES}/by-external-dns`, { spec: { policy: "Sync" } });
    await read();
  });

  test("a failover is one write of one object", async () => {
    const before = { writes: writes().length, generation: (await ours()).metadata.generation ?? 0 };
    await world.member("eu-west").site.kill();
    await eventually("the other site to be named", async () => (await published(HOST))?.split(" ")[0] === site("us-east"), {
      within: 60_000,
      detail,
    });
    expect((await ours()).metadata.generation).toBe(before.generation + 1);
    expect(writes().slice(before.writes)).toMatchObject([{ verb: "update", name: OURS, status: 200 }]);
  });

  test("the next controller has nothing to tell ExternalDNS, and tells that it has not read what was there", async () => {
    await controller.stop();
    const before = { spec: (await ours()).spec, generation: (await ours()).metadata.generation };
    const written = writes().length;
    controller = await start("globalroute-1");
    await eventually("what was not read to be told", async () => (await degraded()).includes("provider-failing"), {
      within: 60_000,
      detail,
    });
    expect(controller.log()).toMatch(/ExternalDNS has not read DNSEndpoint dns\/globalroute-prod\.example\.org-0 for \d+ s.*--source=crd/);
    expect(await ours()).toMatchObject({ spec: before.spec, metadata: { generation: before.generation } });
    expect(writes().slice(written)).toMatchObject([{ verb: "update", status: 200 }]); // the fence of its term alone
    await read();
    await eventually("it to be over", async () => !(await degraded()).includes("provider-failing"), { within: 30_000, detail });
    expect(controller.log()).toContain("what was written is published again");
  });

  test("what somebody else made of it is put right with the next write, and who has a name of ours is told", async () => {
    const foreign = { name: HOST, type: "A", ttl: 300, values: ["192.0.2.66"] };
    const { spec } = interferedWith([await ours()], foreign);
    const theirs = interferedWith([], foreign);
    await world.hub.api.patch(`${ENDPOINTS}/${OURS}`, { spec });
    await world.hub.api.create(ENDPOINTS, { ...theirs, metadata: { name: "by-hand" } });
    await ingress(world.member("us-east"), "cart");
    await eventually("the other route to be there", async () => (await published("cart.example.org")) !== undefined, {
      within: 60_000,
      detail,
    });
    expect(endpointsOf(await ours()).find(({ dnsName }) => dnsName === HOST)?.targets).toEqual([site("us-east")]);
    await eventually("the name to be told", async () => (await degraded()).includes("names-contested"), { detail });
    expect(controller.log()).toContain(`somebody else has ${HOST} too. ExternalDNS publishes one of the two`);
  });
});
