/** What a real API server says to the chart, with the real helm and kubectl. There are no machines: no pod starts. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";
import { FINALIZER } from "../../controller/deletion/deletion-order.ts";
import { GENERATED_LABEL } from "../../controller/reconcile/generated-label.ts";
import { controllerOf } from "../support/chart/check-chart.ts";
import { chart, helm, type Manifest, NAMESPACE, parseManifests, RELEASE, templateText } from "../support/chart/render-chart.ts";
import { renderings } from "../support/chart/renderings.ts";
import { builtCommand, requireComponent } from "../support/component.ts";
import { launcher } from "../support/demo.ts";
import { repository } from "../support/source-tree.ts";
import { startController } from "./support/controller.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { eventually } from "./support/eventually.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { kubectl, kubectlOk } from "./support/kubectl.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") &&
  requireComponent("kubectl", "helm") &&
  requireComponent("foreign-crds", "prometheus-operator-crds");

const identity = `system:serviceaccount:${NAMESPACE}:globalroute`;

const restricted = stringify({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: NAMESPACE,
    labels: { "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted" },
  },
});

const podMountsSchema = z.looseObject({
  containers: z.array(
    z.looseObject({ name: z.string(), volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })) }),
  ),
});

describe.skipIf(!isHere)("the chart on a real API server", () => {
  let etcd: Etcd;
  let hub: KubeCluster;
  const onHub = (...args: readonly string[]): string => helm(...args, "--kubeconfig", hub.kubeconfig, "--namespace", NAMESPACE);
  /** @returns what kubectl told as warnings */
  const applied = async (text: string, ...more: readonly string[]): Promise<string> => {
    const { code, stderr } = await kubectl(hub, ["apply", "--server-side", "--force-conflicts", "-f", "-", ...more], text);
    if (code !== 0) throw new Error(stderr);
    return stderr;
  };
  const secretData = async (): Promise<unknown> => (await hub.api.get(`/api/v1/namespaces/${NAMESPACE}/secrets/globalroute-keys`)).data;

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd, controllerManager: true });
    await applied(restricted);
    for (const file of ["monitoring.coreos.com_servicemonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"]) {
      await kubectlOk(hub, ["apply", "--server-side", "-f", join(builtCommand("prometheus-operator-crds"), file)]);
    }
    for (const file of readdirSync(builtCommand("gateway-api-crds"))) {
      if (/_(?:gateways|gatewayclasses|httproutes|grpcroutes|tlsroutes)\.yaml$/.test(file)) {
        await kubectlOk(hub, ["apply", "--server-side", "-f", join(builtCommand("gateway-api-crds"), file)]);
      }
    }
  });
  afterAll(async () => {
    await hub?.stop();
    await etcd?.stop();
  });

  test("helm installs it beside the definitions of others, upgrades it without new keys, and leaves our definitions when it goes", async () => {
    onHub("install", RELEASE, chart, "--no-hooks");
    const keys = await secretData();
    expect(keys).toMatchObject({ "peer-secret": expect.any(String), "cookie-secret": expect.any(String) });

    // As an older release would have left it.
    const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/globalroutes.globalroute.dev";
    const shortNames = async (): Promise<unknown> =>
      z.looseObject({ names: z.looseObject({ shortNames: z.unknown() }) }).parse((await hub.api.get(crd)).spec).names.shortNames;
    const today = await shortNames();
    await hub.api.patch(crd, { spec: { names: { shortNames: ["old"] } } });
    expect(await shortNames()).toEqual(["old"]);
    // Somebody else has changed it meanwhile: helm says so, and is told to go on.
    onHub("upgrade", RELEASE, chart, "--no-hooks", "--set", "metrics.serviceMonitor.enabled=true", "--force-conflicts");
    expect(await secretData()).toEqual(keys);
    expect(await shortNames()).toEqual(today);

    onHub("uninstall", RELEASE, "--no-hooks");
    const left = (await kubectlOk(hub, ["get", "crd", "--output=name"])).split("\n").filter((name) => name.endsWith(".globalroute.dev"));
    expect(left).toHaveLength(5);
    expect(await kubectlOk(hub, ["get", "deployments,services,secrets,roles", "--namespace", NAMESPACE, "--output=name"])).toBe("");
    onHub("install", RELEASE, chart, "--no-hooks"); // takes its own definitions back
    onHub("uninstall", RELEASE, "--no-hooks");
  });

  describe("by kubectl", () => {
    beforeAll(async () => {
      await applied(templateText([], ["--no-hooks"]));
      await kubectlOk(hub, ["wait", "--for=condition=Established", "--timeout=20s", "crd", "--all"]);
      await kubectlOk(hub, ["create", "serviceaccount", "mine", "--namespace", NAMESPACE]);
    });

    test.each(renderings)("$name: every object is accepted, without a warning", async ({ values }) => {
      const manifests = parseManifests(templateText(values.length === 0 ? values : ["crds.install=false", ...values]));
      // This API server has Services of IPv4 only; what differs in them for IPv6 is two fields.
      const hasIpv6 = values.some((value) => value.includes("IPv6"));
      const accepted = manifests.filter(({ kind }) => !(hasIpv6 && kind === "Service"));
      const warnings = await applied(accepted.map((manifest) => JSON.stringify(manifest)).join("\n---\n"), "--dry-run=server");
      expect(warnings.split("\n").filter((line) => line.includes("Warning") && !/would violate PodSecurity.*hostPort/.test(line))).toEqual(
        [],
      );
    });

    test("the API server lets the pods into a restricted namespace, but for ports of the nodes", async () => {
      const pods = renderings.flatMap(({ values }, rendering) => {
        const manifests = parseManifests(templateText(["crds.install=false", ...values]));
        return [controllerOf(manifests).template, ...jobTemplates(manifests)].map(({ metadata, spec }, index) => ({
          apiVersion: "v1",
          kind: "Pod",
          metadata: { ...metadata, name: `pod-${rendering}-${index}`, namespace: NAMESPACE },
          spec: { ...spec, serviceAccountName: "mine" },
        }));
      });
      const { stdout, stderr } = await kubectl(
        hub,
        ["create", "--dry-run=server", "-f", "-"],
        pods.map((pod) => JSON.stringify(pod)).join("\n---\n"),
      );
      const refused = renderings.findIndex(({ name }) => name === "ports of the nodes");
      expect(stdout.match(/created/g)).toHaveLength(pods.length - 1);
      expect(stderr.trim()).toMatch(
        new RegExp(`^Error from server \\(Forbidden\\):.*pods "pod-${refused}-0" is forbidden: violates PodSecurity.*hostPort.*$`),
      );
    });

    test("the HAProxy beside a replica gets no token of the controller", async () => {
      const { values } = renderings.find(({ name }) => name === "a HAProxy beside each replica") ?? { values: [] };
      const { metadata, spec } = controllerOf(parseManifests(templateText(["crds.install=false", ...values]))).template;
      const pod = {
        ...{ apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "haproxy", namespace: NAMESPACE } },
        spec: { ...spec, serviceAccountName: "mine" },
      };
      const accepted = await kubectl(hub, ["create", "--dry-run=server", "--output=json", "-f", "-"], JSON.stringify(pod));
      const { containers } = z.looseObject({ spec: podMountsSchema }).parse(JSON.parse(accepted.stdout)).spec;
      const tokens = containers.map(({ name, volumeMounts }) => [
        name,
        volumeMounts.find(({ mountPath }) => mountPath === "/var/run/secrets/kubernetes.io/serviceaccount")?.name,
      ]);
      expect(tokens).toEqual([
        ["globalroute", expect.stringMatching(/^kube-api-access-/)],
        ["haproxy", "no-token"],
      ]);
    });

    test("the objects of docs/kubernetes.md are accepted", async () => {
      const page = readFileSync(join(repository, "docs", "kubernetes.md"), "utf8");
      const objects = [...page.matchAll(/^```yaml\n(.*?)^```/gms)]
        .map(([, text = ""]) => text)
        .filter((text) => text.includes("globalroute.dev/"));
      expect(objects).toHaveLength(2);
      await applied(objects.join("---\n"), "--dry-run=server");
    });

    test("the controller needs no right that the chart does not give", async () => {
      const controller = await startController(hub, { args: ["--peer-service", "globalroute-peers"] });
      try {
        await kubectl(hub, ["create", "namespace", "audited"]);
        const [api, location] = ["globalroute.dev/v1alpha1", { cloud: "aws", region: "eu-west-1" }];
        const backends = [{ name: "eu", cluster: "audited", addresses: ["192.0.2.1"] }];
        await applied(
          [
            { apiVersion: api, kind: "MemberCluster", metadata: { name: "audited" }, spec: { location } },
            {
              apiVersion: api,
              kind: "GlobalRoute",
              metadata: { name: "audited", namespace: "audited" },
              spec: { hosts: ["a.example.org"], backends },
            },
            {
              apiVersion: api,
              kind: "ProxyFleet",
              metadata: { name: "audited" },
              spec: { type: "Envoy", places: [{ name: "here", location }], envoy: {} },
            },
          ]
            .map((object) => JSON.stringify(object))
            .join("\n---\n"),
        );
        const asked = () => hub.audit().filter(({ user }) => user === identity);
        const wrote = (resource: string) =>
          asked().some((entry) => entry.verb === "patch" && entry.resource === resource && entry.status === 200);
        await eventually("statuses to be written", () => ["globalroutes", "memberclusters", "proxyfleets"].every(wrote), {
          detail: controller.log,
        });
        await eventually("an event to be written", () => asked().some(({ verb, resource }) => verb === "create" && resource === "events"), {
          detail: controller.log,
        });
        expect(asked().filter(({ status }) => status === 403)).toEqual([]);
      } finally {
        await controller.stop();
        await kubectlOk(hub, ["delete", "globalroute,membercluster,proxyfleet", "--all", "--namespace", "audited"]);
      }
    });

    test("the identity of the uninstall hook may do all that uninstalling needs, and the Lease goes with the Deployment", async () => {
      const hook = parseManifests(templateText()).filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "pre-delete");
      await applied(
        hook
          .filter(({ kind }) => kind !== "Job")
          .map((manifest) => JSON.stringify(manifest))
          .join("\n---\n"),
      );
      await kubectl(hub, ["create", "namespace", "shop"]);
      const route = (name: string, metadata: object) => ({
        apiVersion: "globalroute.dev/v1alpha1",
        kind: "GlobalRoute",
        metadata: { name, namespace: "shop", ...metadata },
        spec: { hosts: [`${name}.example.org`], backends: [{ name: "eu", cluster: "eu", addresses: ["192.0.2.1"] }] },
      });
      const cluster = {
        apiVersion: "globalroute.dev/v1alpha1",
        kind: "MemberCluster",
        spec: { location: { cloud: "aws", region: "eu-west-1" } },
      };
      const generated = { labels: { [GENERATED_LABEL]: "true" } };
      await applied(
        [
          route("generated", generated),
          route("own", { finalizers: [FINALIZER] }),
          { ...cluster, metadata: { name: "discovered", ...generated } },
          { ...cluster, metadata: { name: "joined" } },
        ]
          .map((object) => JSON.stringify(object))
          .join("\n---\n"),
      );

      const kubeconfig = join(hub.folder, "uninstall.kubeconfig");
      writeFileSync(kubeconfig, hub.kubeconfigFor(await hub.mintToken(NAMESPACE, "globalroute-uninstall", 600)));
      const [template] = jobTemplates(hook);
      const { status, stderr } = spawnSync(
        process.execPath,
        [launcher, ...(template?.spec.containers[0].args ?? []), "--kubeconfig", kubeconfig],
        {
          encoding: "utf8",
        },
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });

      const left = await kubectlOk(hub, [
        "get",
        "globalroutes,memberclusters",
        "--all-namespaces",
        "--output=jsonpath={.items[*].metadata.name}",
      ]);
      expect(left.split(" ").sort()).toEqual(["joined", "own"]);
      const lease = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/globalroute-writer`;
      expect((await hub.api.get(lease)).spec).toMatchObject({ holderIdentity: "globalroute-uninstall" });
      await kubectlOk(hub, ["delete", "deployment", RELEASE, "--namespace", NAMESPACE]);
      await eventually("the Lease to go", async () => (await hub.api.request("GET", lease)).status === 404);
    });

    test("the Kustomize base is accepted", async () => {
      const base = join(repository, "charts", "kustomize", "base");
      const { code, stderr } = await kubectl(hub, ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", base]);
      expect({ code, stderr: stderr.replaceAll(/^.*serverside-applied.*$/gm, "") }).toEqual({ code: 0, stderr: "" });
    });

    const can: readonly { does: readonly string[]; isAllowed: boolean }[] = [
      { does: ["watch", "globalroutes.globalroute.dev", "--all-namespaces"], isAllowed: true },
      { does: ["patch", "globalroutes.globalroute.dev", "--subresource=status", "--namespace=web"], isAllowed: true },
      { does: ["list", "secrets", `--namespace=${NAMESPACE}`], isAllowed: true },
      { does: ["create", "events.events.k8s.io", "--namespace=web"], isAllowed: true },
      { does: ["update", "leases.coordination.k8s.io/globalroute-writer", `--namespace=${NAMESPACE}`], isAllowed: true },
      { does: ["update", "leases.coordination.k8s.io/another", `--namespace=${NAMESPACE}`], isAllowed: false },
      { does: ["get", "secrets", "--namespace=web"], isAllowed: false },
      { does: ["create", "secrets", `--namespace=${NAMESPACE}`], isAllowed: false },
      { does: ["delete", "dnszones.globalroute.dev"], isAllowed: false },
      { does: ["create", "trafficoverrides.globalroute.dev", "--namespace=web"], isAllowed: false },
      { does: ["get", "pods", `--namespace=${NAMESPACE}`], isAllowed: false },
      { does: ["delete", "validatingadmissionpolicies.admissionregistration.k8s.io"], isAllowed: false },
    ];
    test.each(can)("may the controller $does: $isAllowed", async ({ does, isAllowed }) => {
      const { stdout } = await kubectl(hub, ["auth", "can-i", ...does, `--as=${identity}`]);
      expect(stdout.trim().startsWith("yes")).toBe(isAllowed);
    });

    test("whoever may edit a namespace may edit its routes, and no cluster or zone", async () => {
      await kubectlOk(hub, ["create", "namespace", "web"]);
      await kubectlOk(hub, ["create", "rolebinding", "alice", "--clusterrole=edit", "--user=alice", "--namespace=web"]);
      const may = async (...does: readonly string[]): Promise<boolean> =>
        (await kubectl(hub, ["auth", "can-i", ...does, "--as=alice", "--namespace=web"])).stdout.startsWith("yes");
      await eventually("edit to hold our kinds", () => may("create", "globalroutes.globalroute.dev"));
      await eventually("view to hold our kinds", () => may("list", "globalroutes.globalroute.dev")); // edit holds view
      expect(await may("create", "trafficoverrides.globalroute.dev")).toBe(true);
      expect(await may("patch", "globalroutes.globalroute.dev", "--subresource=status")).toBe(false);
      expect(await may("create", "dnszones.globalroute.dev")).toBe(false);
      expect(await may("create", "memberclusters.globalroute.dev")).toBe(false);
    });
  });
});

const jobTemplates = (manifests: readonly Manifest[]) =>
  manifests
    .filter(({ kind }) => kind === "Job")
    .map(
      ({ spec }) =>
        z
          .looseObject({
            template: z.looseObject({
              metadata: z.looseObject({}),
              spec: z.looseObject({ serviceAccountName: z.string(), containers: z.tuple([z.looseObject({ args: z.array(z.string()) })]) }),
            }),
          })
          .parse(spec).template,
    );
