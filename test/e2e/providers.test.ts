/** A zone that BIND keeps, written from Kubernetes: by the replica with the writer's Lease, and by the next one when that is gone; and deleted. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../controller/kube/kube-object.ts";
import type { TsigKey } from "../../src/dns/transfer/tsig.ts";
import { requireComponent } from "../support/component.ts";
import { globalroute } from "../support/demo.ts";
import { dig } from "../support/dig.ts";
import { type Primary, startBindPrimary } from "../support/providers/primaries.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually, throughout } from "./support/eventually.ts";
import { conditionOf, QUICK, type SeenStatus, statusOf } from "./support/story.ts";
import { createIngress, routePath, startWorld, WEB, type World } from "./support/world.ts";
import { leaseHolder } from "./support/writer-terms.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") &&
  requireComponent("kubectl", "kubectl") &&
  requireComponent("bind", "named") &&
  requireComponent("dns-clients", "dig");
const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const ZONES = "/apis/globalroute.dev/v1alpha1/dnszones";

describe.skipIf(!isHere)("a zone that BIND keeps", () => {
  let world: World;
  let primary: Primary;
  let folder: string;
  let zone: KubeObject;
  let first: Controller;
  let second: Controller;

  const answers = async (): Promise<string> => (await dig(primary.port, "shop.example.org", "A")).answers.join();
  const epoch = async (): Promise<number> => {
    const {
      answers: [text = ""],
    } = await dig(primary.port, "prod._fence._globalroute.example.org", "TXT");
    return Number(/epoch=(\d+)/.exec(text)?.[1]);
  };
  const stored = async (): Promise<KubeObject | undefined> => {
    const { status, body } = await world.hub.api.request("GET", `${ZONES}/at-bind`);
    return status === 404 ? undefined : (body as KubeObject);
  };
  /** Why its deletion waits. */
  const waits = async (): Promise<string | undefined> => {
    const programmed = conditionOf(await statusOf(world.hub.api, `${ZONES}/at-bind`), "Programmed");
    return programmed?.status === "False" && programmed.message.includes("abandon") ? programmed.message : undefined;
  };
  const site = (name: string): string => world.member(name).site.address;

  beforeAll(async () => {
    world = await startWorld();
    primary = await startBindPrimary(KEY);
    folder = mkdtempSync(join(tmpdir(), "globalroute-keys-"));
    const file = join(folder, "writer.key");
    writeFileSync(file, Buffer.from(KEY.secret).toString("base64"), { mode: 0o600 });
    await world.hub.api.delete(`${ZONES}/example-org`);
    zone = {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "DNSZone",
      metadata: { name: "at-bind" },
      spec: {
        domain: "example.org",
        owner: "prod",
        policy: "Sync",
        deletionPolicy: "Delete",
        provider: { type: "RFC2136", rfc2136: { server: { host: "127.0.0.1", port: primary.port }, key: { name: KEY.name, file } } },
        allowedRoutes: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": WEB } } }],
      },
    };
    await world.hub.api.create(ZONES, zone);
    first = await startController(world.hub, { name: "globalroute-0" });
    await eventually("a writer", async () => (await leaseHolder(world.hub))?.identity.startsWith("globalroute-0"), { within: 30_000 });
    second = await startController(world.hub, { name: "globalroute-1" });
  });
  afterAll(async () => {
    await Promise.all([first?.stop("SIGKILL"), second?.stop("SIGKILL")]);
    await primary?.stop();
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("an annotated Ingress is in it, and what it loses there is told on the route", async () => {
    await createIngress(world.member("eu-west"), "shop", "shop.example.org", QUICK);
    await eventually("BIND to have it", async () => (await answers()) === site("eu-west"), { within: 60_000 });
    await createIngress(world.member("us-east"), "shop", "shop.example.org", QUICK);
    const isLost = async (): Promise<SeenStatus | undefined> => {
      const seen = await statusOf(world.hub.api, routePath("shop"));
      return conditionOf(seen, "Programmed")?.reason === "PolicyNotExpressible" ? seen : undefined;
    };
    const status = await eventually("what is lost to be told", isLost, { within: 60_000 });
    expect(conditionOf(status, "Programmed")).toMatchObject({
      status: "False",
      message: expect.stringMatching(/RFC2136, which keeps DNSZone at-bind, cannot follow order; instead every client gets/),
    });
    expect(conditionOf(status, "Accepted")?.status).toBe("True");
  });

  test("the next writer goes on, under a fence of its own, and follows a failover", async () => {
    const before = await epoch();
    await first.stop("SIGKILL");
    await world.member("eu-west").site.kill();
    await eventually("BIND to name the other site", async () => (await answers()) === site("us-east"), {
      within: 90_000,
      detail: () => second.log().slice(-4000),
    });
    expect(await epoch()).toBeGreaterThan(before);
  });

  test("its DNSZone goes when our records are gone, and waits for a server that does not answer", { timeout: 120_000 }, async () => {
    expect((await stored())?.metadata.finalizers).toEqual(["globalroute.dev/records"]);
    const detail = () => second.log().slice(-4000);
    await primary.pause();
    await world.hub.api.delete(`${ZONES}/at-bind`);
    const why = await eventually("its condition to say why it waits", waits, { within: 60_000, detail });
    expect(why).toMatch(/no answer in time\. .* globalroute abandon zone at-bind\./);
    expect((await stored())?.metadata.deletionTimestamp).toBeDefined();
    primary.resume();
    await eventually("the DNSZone to go", async () => (await stored()) === undefined, { within: 90_000, detail });
    for (const [name, type] of [
      ["shop", "A"],
      ["_globalroute.shop", "TXT"],
      ["prod._fence._globalroute", "TXT"],
    ] as const)
      expect((await dig(primary.port, `${name}.example.org`, type)).answers, `${name} ${type}`).toEqual([]);
    expect((await dig(primary.port, "www.example.org", "A")).answers).toEqual(["192.0.2.99"]);
  });

  test("a zone that goes with its kind keeps its records, until somebody lets it go", { timeout: 120_000 }, async () => {
    await world.hub.api.create(ZONES, zone);
    const detail = () => second.log().slice(-4000);
    await eventually("BIND to have the name again", async () => (await answers()) === site("us-east"), { within: 60_000, detail });
    await eventually("the zone to be held", async () => (await stored())?.metadata.finalizers?.length === 1);
    await world.hub.api.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/dnszones.globalroute.dev");
    const why = await eventually("its condition to say why it waits", waits, { within: 30_000, detail });
    expect(why).toContain("The CustomResourceDefinition of DNSZones is being deleted");
    await throughout(6000, async () => expect(await answers()).toBe(site("us-east")));
    const released = await globalroute("abandon", "zone", "at-bind", "--kubeconfig", world.hub.kubeconfig);
    expect(released.stdout).toBe("Releasing DNSZone at-bind; records at its provider stay.\n");
    await eventually("the DNSZone to go", async () => (await stored()) === undefined);
    await throughout(3000, async () => expect(await answers()).toBe(site("us-east")));
  });
});
