/** A ProxyFleet on a real API server, with a real Envoy: what its status says, what becomes of what Envoy rejects, and what the API server refuses itself. */
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { startEnvoy } from "../support/envoy/real-envoy.ts";
import { freePort } from "../support/free-port.ts";
import { type Controller, startController } from "./support/controller.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { eventually } from "./support/eventually.ts";
import { installChart } from "./support/install.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { kubectl, kubectlOk } from "./support/kubectl.ts";
import { type Site, startSite } from "./support/sites.ts";
import { conditionOf, statusOf } from "./support/story.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("envoy", "envoy");
const OURS = "/apis/globalroute.dev/v1alpha1";
const FLEET = `${OURS}/proxyfleets/edge`;
const ROUTE = `${OURS}/namespaces/default/globalroutes/shop`;
const SITE = "198.18.1.80";

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const fleet = (envoy: string): string =>
  `${head("ProxyFleet", "edge")}spec: {type: Envoy, places: [{name: paris, location: {cloud: aws, region: eu-west-3}}], envoy: ${envoy}}\n`;
const route = (scheme: "HTTP" | "HTTPS"): string =>
  `${head("GlobalRoute", "shop")}spec:
  hosts: [shop.example.org]
  backends: [{name: eu, cluster: eu, addresses: [${SITE}]}]
  health: {probe: {port: 80, scheme: ${scheme}}, interval: 1s}\n`;
const WORLD = `${head("MemberCluster", "eu")}spec: {location: {cloud: aws, region: eu-west-1}}
${head("DNSZone", "example")}spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.net]}}, allowedRoutes: [{}]}\n`;
const LISTENER = "listener: {address: 127.0.0.1, port: 0}";

describe.skipIf(!isHere)("a ProxyFleet", () => {
  let etcd: Etcd;
  let hub: KubeCluster;
  let site: Site;
  let controller: Controller;
  let xds: number;

  const apply = (text: string): Promise<string> => kubectlOk(hub, ["apply", "-f", "-"], text);
  /** Until a condition is so. @returns the status then */
  const becomes = (path: string, type: string, status: string, reason: string) =>
    eventually(
      `${path}: ${type} ${status} ${reason}`,
      async () => {
        const found = await statusOf(hub.api, path);
        const condition = conditionOf(found, type);
        return condition?.status === status && condition.reason === reason ? found : undefined;
      },
      { within: 20_000, detail: controller.log },
    );

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd, address: "198.18.0.10", port: 6443 });
    site = await startSite(SITE);
    await installChart(hub);
    await apply(WORLD + route("HTTP") + fleet(`{${LISTENER}}`));
    xds = await freePort();
    controller = await startController(hub, { args: ["--xds", `127.0.0.1:${xds}`] });
  }, 120_000);
  afterAll(async () => {
    await controller?.stop();
    await site?.kill();
    await hub?.stop();
    await etcd?.stop();
  });

  test("its status tells who follows, and what Envoy rejects stands where the user looks", async () => {
    expect(await becomes(FLEET, "Ready", "True", "Ready")).toMatchObject({ nodes: { connected: 0, following: 0 } });
    const envoy = await startEnvoy({ id: "edge-1", region: "paris", adsPort: xds, variant: "DELTA_GRPC" });
    await eventually("it to be counted", async () => (await kubectlOk(hub, ["get", "proxyfleets"])).includes("1/1"), { within: 20_000 });
    await becomes(ROUTE, "Programmed", "True", "Programmed");
    expect(await kubectlOk(hub, ["get", "proxyfleets"])).toMatch(
      /NAME +TYPE +PROXIES +PROGRAMMED +READY +AGE\nedge +Envoy +1\/1 +True +True/,
    );
    const port = await envoy.listenerPort();
    const ask = async (): Promise<number> => {
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { headers: { host: "shop.example.org" } });
      await body.dump();
      return statusCode;
    };
    await eventually("a request to arrive", async () => (await ask()) === 200, { within: 10_000, detail: envoy.log });

    await apply(fleet(`{${LISTENER}, endpointCaFile: /nowhere/ca.pem}`) + route("HTTPS"));
    const refused = await becomes(ROUTE, "Programmed", "False", "ProxyRejected");
    expect(conditionOf(refused, "Programmed")?.message).toContain("/nowhere/ca.pem");
    expect(conditionOf(refused, "Accepted")?.status).toBe("True");
    const status = await becomes(FLEET, "Programmed", "False", "Rejected");
    expect(status).toMatchObject({
      nodes: { connected: 1, following: 0 },
      rejections: [expect.stringContaining("/nowhere/ca.pem")],
    });
    expect(await ask()).toBe(200); // as it was told before
    await eventually("an Event", async () =>
      (await kubectlOk(hub, ["get", "events", "--namespace", "default", "--field-selector", "reason=ProxyRejected"])).includes(
        "proxyfleet/edge",
      ),
    );

    await apply(fleet(`{${LISTENER}}`) + route("HTTP"));
    await becomes(ROUTE, "Programmed", "True", "Programmed");
    const mended = await becomes(FLEET, "Ready", "True", "Ready");
    expect(mended).not.toHaveProperty("rejections");
    expect(await ask()).toBe(200);
  });

  test("a route that names a fleet which is not there is told so, and what was served of it goes on", async () => {
    await apply(route("HTTP").replace("spec:\n", "spec:\n  publish: {proxies: [{name: egde}]}\n"));
    const status = await becomes(ROUTE, "Accepted", "False", "Invalid");
    expect(conditionOf(status, "Accepted")?.message).toContain("there is no ProxyFleet egde. Did you mean edge?");
    await apply(route("HTTP"));
    await becomes(ROUTE, "Accepted", "True", "Accepted");
  });

  const wrong: readonly { readonly name: string; readonly text: string; readonly told: string }[] = [
    {
      name: "a type without its member",
      text: fleet("{}").replace(", envoy: {}", ""),
      told: "envoy goes with type Envoy, and with no other",
    },
    {
      name: "another type later",
      text: fleet("{}").replace("type: Envoy", "type: HAProxy"),
      told: "is immutable: make another ProxyFleet",
    },
    { name: "half a region", text: fleet("{}").replace("cloud: aws, ", ""), told: "cloud and region go together" },
    {
      name: "a HAProxy at no place",
      text: `${head("ProxyFleet", "office")}spec: {type: HAProxy, places: [{name: paris, location: {cloud: aws, region: eu-west-3}}], haproxy: {members: [{name: one, place: london, listen: [{address: 0.0.0.0, port: 80}]}]}}\n`,
      told: "members must name a place of this fleet",
    },
  ];
  test.each(wrong)("the API server refuses $name, with the remedy", async ({ text, told }) => {
    const { code, stderr } = await kubectl(hub, ["apply", "-f", "-"], text);
    expect(code).not.toBe(0);
    expect(stderr).toContain(told);
  });

  test("a hub whose CustomResourceDefinitions are older has no such kind, and is served all the same", async () => {
    await kubectlOk(hub, ["delete", "crd", "proxyfleets.globalroute.dev"]);
    const second = await startController(hub, { name: "globalroute-1" });
    try {
      await eventually("to be ready", async () => (await second.readyz()).status === 200, { within: 20_000, detail: second.log });
      await eventually("to answer", async () => (await second.dig("shop.example.org", "91.64.0.0/24")).answers.includes(SITE), {
        within: 10_000,
        detail: second.log,
      });
    } finally {
      await second.stop();
    }
  });
});
