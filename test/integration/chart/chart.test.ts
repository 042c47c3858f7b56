/** The chart as the real helm renders it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { argumentFaults, controllerOf, nameFaults, podFaults, rights, selectorFaults } from "../../support/chart/check-chart.ts";
import {
  chart,
  helm,
  type Manifest,
  NAMESPACE,
  only,
  parseManifests,
  RELEASE,
  renderChart,
  templateText,
} from "../../support/chart/render-chart.ts";
import { renderings } from "../../support/chart/renderings.ts";
import { requireComponent } from "../../support/component.ts";
import { repository } from "../../support/source-tree.ts";

/** From where each rule lets come to a port. */
const policyWays = ({ spec }: Manifest, port: string): readonly unknown[] =>
  z
    .looseObject({ ingress: z.array(z.looseObject({ from: z.unknown().optional(), ports: z.array(z.looseObject({ port: z.string() })) })) })
    .parse(spec)
    .ingress.flatMap(({ from, ports }) => (ports.some((one) => one.port === port) ? [from] : []));

describe.skipIf(!requireComponent("kubectl", "helm"))("the chart", () => {
  describe.each(renderings)("$name", ({ values, namespaces }) => {
    // The CRDs, most of the text, are part of the first alone.
    const manifests = renderChart(values.length === 0 ? values : ["crds.install=false", ...values]);

    test("lint finds nothing", () => {
      helm("lint", "--strict", "--quiet", chart, ...values.flatMap((value) => ["--set-json", value]));
    });
    test("pods are restricted", () => expect(podFaults(manifests)).toEqual([]));
    test("selectors select replicas and their ports", () => expect(selectorFaults(manifests)).toEqual([]));
    test("arguments, ports, probes and mounts agree", () => expect(argumentFaults(manifests)).toEqual([]));
    test("names fit", () => expect(nameFaults(manifests, NAMESPACE, namespaces)).toEqual([]));
  });

  test("a replica that must go has time to answer until others have taken over", () => {
    const { template } = controllerOf(renderChart(["terminationDrainSeconds=40"]));
    expect(template.spec.containers[0].args).toContain("--termination-drain=40s");
    expect(template.spec.terminationGracePeriodSeconds).toBe(55);
  });

  test("the address of resolvers is kept", () => {
    expect(only(renderChart(), "Service", RELEASE).spec).toMatchObject({ type: "LoadBalancer", externalTrafficPolicy: "Local" });
    const split = renderChart(["dns.service.mixedProtocols=false"]).filter(
      ({ kind, metadata }) => kind === "Service" && /-(?:udp|tcp)$/.test(metadata.name),
    );
    expect(split.map(({ metadata, spec }) => [metadata.name, z.looseObject({ ports: z.array(z.unknown()) }).parse(spec).ports])).toEqual([
      ["globalroute-udp", [{ name: "dns-udp", port: 53, targetPort: "dns-udp", protocol: "UDP" }]],
      ["globalroute-tcp", [{ name: "dns-tcp", port: 53, targetPort: "dns-tcp", protocol: "TCP" }]],
    ]);
  });

  test("a port of the node is given up before the next replica asks for it", () => {
    expect(controllerOf(renderChart(["dns.hostPort=53"])).strategy).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
    });
  });

  test("vantages may come when there is a way for them, from everywhere or from where they are", () => {
    const peers = (...values: readonly string[]): string =>
      JSON.stringify(only(renderChart(["crds.install=false", ...values]), "NetworkPolicy").spec);
    expect(peers()).not.toContain("ipBlock");
    expect(peers("vantages.service.enabled=true")).toContain('"cidr":"0.0.0.0/0"');
    const narrow = peers("vantages.service.enabled=true", 'networkPolicy.vantagesFrom=[{"ipBlock":{"cidr":"198.51.100.0/24"}}]');
    expect(narrow).toContain('"cidr":"198.51.100.0/24"');
    expect(narrow).not.toContain("0.0.0.0/0");
  });

  test("Envoys may ask from everywhere, since they prove who they are, or from where they are", () => {
    const ways = (...values: readonly string[]): unknown =>
      policyWays(only(renderChart(["crds.install=false", "xds.enabled=true", ...values]), "NetworkPolicy"), "xds");
    expect(ways('xds.secret="a"')).toEqual([undefined]);
    const from = [{ ipBlock: { cidr: "198.51.100.0/24" } }];
    expect(ways('xds.secret="a"', `networkPolicy.xdsFrom=${JSON.stringify(from)}`)).toEqual([from]);
  });

  test("each Secret with a certificate is a folder of its own, and one that is missing takes nothing else out of service", () => {
    const { volumes } = controllerOf(
      renderChart(["proxy.https.enabled=true", 'proxy.https.secrets=["shop-tls"]', 'proxy.https.defaultSecret="any"']),
    ).template.spec;
    const items = (folder: string) => ["tls.crt", "tls.key"].map((key) => ({ key, path: `${folder}/${key}` }));
    expect(volumes.find(({ name }) => name === "proxy-certificates")?.projected).toMatchObject({
      sources: [
        { secret: { name: "shop-tls", optional: true, items: items("shop-tls") } },
        { secret: { name: "any", optional: true, items: items("default") } },
      ],
    });
  });

  test("with limited egress link-local addresses, the clouds' metadata among them, are out of reach", () => {
    const { spec } = only(renderChart(["networkPolicy.egress.enabled=true"]), "NetworkPolicy");
    expect(spec).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
    expect(JSON.stringify(spec)).toContain('"cidr":"0.0.0.0/0","except":["169.254.0.0/16"]');
    expect(only(renderChart(), "NetworkPolicy").spec).toMatchObject({ policyTypes: ["Ingress"] });
  });
});

describe.skipIf(!requireComponent("kubectl", "helm"))("rights", () => {
  test("the controller may do this and nothing else", () => {
    expect(rights(renderChart()).filter((line) => !line.includes("-uninstall"))).toMatchInlineSnapshot(`
      [
        "ClusterRole globalroute: get list watch globalroutes.globalroute.dev",
        "ClusterRole globalroute: get list watch memberclusters.globalroute.dev",
        "ClusterRole globalroute: get list watch dnszones.globalroute.dev",
        "ClusterRole globalroute: get list watch trafficoverrides.globalroute.dev",
        "ClusterRole globalroute: get list watch proxyfleets.globalroute.dev",
        "ClusterRole globalroute: patch globalroutes/status.globalroute.dev",
        "ClusterRole globalroute: patch memberclusters/status.globalroute.dev",
        "ClusterRole globalroute: patch dnszones/status.globalroute.dev",
        "ClusterRole globalroute: patch trafficoverrides/status.globalroute.dev",
        "ClusterRole globalroute: patch proxyfleets/status.globalroute.dev",
        "ClusterRole globalroute: create patch delete globalroutes.globalroute.dev",
        "ClusterRole globalroute: create patch memberclusters.globalroute.dev",
        "ClusterRole globalroute: patch dnszones.globalroute.dev",
        "ClusterRole globalroute: get list watch namespaces",
        "ClusterRole globalroute: create patch events.events.k8s.io",
        "ClusterRole globalroute-edit: create update patch delete deletecollection globalroutes.globalroute.dev",
        "ClusterRole globalroute-edit: create update patch delete deletecollection trafficoverrides.globalroute.dev",
        "ClusterRole globalroute-view: get list watch globalroutes.globalroute.dev",
        "ClusterRole globalroute-view: get list watch trafficoverrides.globalroute.dev",
        "ClusterRole globalroute-operator: get list watch create update patch delete deletecollection globalroutes.globalroute.dev",
        "ClusterRole globalroute-operator: get list watch create update patch delete deletecollection memberclusters.globalroute.dev",
        "ClusterRole globalroute-operator: get list watch create update patch delete deletecollection dnszones.globalroute.dev",
        "ClusterRole globalroute-operator: get list watch create update patch delete deletecollection trafficoverrides.globalroute.dev",
        "ClusterRole globalroute-operator: get list watch create update patch delete deletecollection proxyfleets.globalroute.dev",
        "Role globalroute: get list watch patch secrets",
        "Role globalroute: create leases.coordination.k8s.io",
        "Role globalroute: get update leases.coordination.k8s.io (globalroute-writer)",
        "Role globalroute: get list watch endpointslices.discovery.k8s.io",
      ]
    `);
  });

  test("DNSEndpoints are written where the values say, and nowhere else", () => {
    const given = renderChart(["crds.install=false", 'externalDns.namespaces=["dns","edge"]']).filter(({ metadata }) =>
      metadata.name.endsWith("-dnsendpoints"),
    );
    expect(given.map(({ kind, metadata }) => `${metadata.namespace} ${kind}`).sort()).toEqual([
      "dns Role",
      "dns RoleBinding",
      "edge Role",
      "edge RoleBinding",
    ]);
    expect(new Set(rights(given))).toEqual(
      new Set(["Role globalroute-dnsendpoints: get list create update dnsendpoints.externaldns.k8s.io"]),
    );
    for (const { kind, roleRef, subjects } of given) {
      if (kind !== "RoleBinding") continue;
      expect(roleRef).toMatchObject({ kind: "Role", name: "globalroute-dnsendpoints" });
      expect(subjects).toEqual([{ kind: "ServiceAccount", name: "globalroute", namespace: NAMESPACE }]);
    }
  });

  test("whoever uninstalls may do this, and only then", () => {
    const manifests = renderChart().filter(({ metadata }) => metadata.name === "globalroute-uninstall");
    expect(rights(manifests)).toMatchInlineSnapshot(`
      [
        "ClusterRole globalroute-uninstall: get list patch globalroutes.globalroute.dev",
        "ClusterRole globalroute-uninstall: get list patch memberclusters.globalroute.dev",
        "ClusterRole globalroute-uninstall: get list patch dnszones.globalroute.dev",
        "ClusterRole globalroute-uninstall: delete globalroutes.globalroute.dev",
        "ClusterRole globalroute-uninstall: delete memberclusters.globalroute.dev",
        "Role globalroute-uninstall: create leases.coordination.k8s.io",
        "Role globalroute-uninstall: get update leases.coordination.k8s.io (globalroute-writer)",
        "Role globalroute-uninstall: get deployments.apps (globalroute)",
      ]
    `);
    expect(
      manifests.map(
        ({ kind, metadata }) => `${kind} ${metadata.annotations?.["helm.sh/hook"]} ${metadata.annotations?.["helm.sh/hook-weight"]}`,
      ),
    ).toEqual([
      "ServiceAccount pre-delete -2",
      "ClusterRole pre-delete -2",
      "ClusterRoleBinding pre-delete -2",
      "Role pre-delete -2",
      "RoleBinding pre-delete -2",
      "Job pre-delete -1",
    ]);
  });

  test.each(["secrets", "pods", "serviceaccounts", "*"])("no role of the whole cluster reaches %s", (resource) => {
    const all = rights(renderChart()).filter((line) => line.startsWith("ClusterRole "));
    expect(
      all.filter((line) => new RegExp(`(?:^| )${resource.replace("*", "\\*")}(?:[./ ]|$)`).test(line.slice(line.indexOf(":")))),
    ).toEqual([]);
  });
});

describe.skipIf(!requireComponent("kubectl", "helm"))("values", () => {
  const schemaSchema: z.ZodType<Schema> = z.lazy(() =>
    z.looseObject({
      description: z.string().optional(),
      properties: z.record(z.string(), schemaSchema).optional(),
      additionalProperties: z.unknown().optional(),
    }),
  );
  interface Schema {
    description?: string | undefined;
    properties?: Record<string, Schema> | undefined;
    additionalProperties?: unknown;
  }
  const schema = schemaSchema.parse(JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")));
  const defaults: unknown = parse(readFileSync(join(chart, "values.yaml"), "utf8"));

  test("every key has a default, a schema and a description; objects with keys of ours are closed", () => {
    const faults: string[] = [];
    const walk = (at: string, node: Schema, value: unknown): void => {
      if (at !== "" && (node.description ?? "") === "") faults.push(`${at} has no description`);
      if (node.properties === undefined) return;
      if (node.additionalProperties !== false) faults.push(`${at} takes any key`);
      const here = z.record(z.string(), z.unknown()).parse(value);
      for (const key of new Set([...Object.keys(node.properties), ...Object.keys(here)])) {
        const path = at === "" ? key : `${at}.${key}`;
        const property = node.properties[key];
        if (path === "global") continue; // a parent chart's
        if (property === undefined || !(key in here))
          faults.push(`${path} is ${property === undefined ? "not in the schema" : "not in values.yaml"}`);
        else walk(path, property, here[key]);
      }
    };
    walk("", schema, defaults);
    expect(faults).toEqual([]);
  });

  test("every key is used by a template", () => {
    const templates = readdirSync(join(chart, "templates"))
      .map((file) => readFileSync(join(chart, "templates", file), "utf8"))
      .join("\n");
    const unused: string[] = [];
    const walk = (at: string, node: Schema): void => {
      for (const [key, property] of Object.entries(node.properties ?? {})) {
        const path = `${at}.${key}`;
        if (property.properties !== undefined) walk(path, property);
        else if (
          path !== ".global" &&
          !templates.includes(`Values${path}`) &&
          !new RegExp(`\\$(?:dns|policy|service|https|xds|sidecar)(?:\\.egress)?\\.${key}\\b`).test(templates)
        )
          unused.push(path);
      }
    };
    walk("", schema);
    expect(unused).toEqual([]);
  });

  const refused: readonly { value: string; says: string }[] = [
    { value: "replicaCount=3", says: "additional properties 'replicaCount' not allowed" },
    { value: 'dns.servce.type="NodePort"', says: "additional properties 'servce' not allowed" },
    { value: "replicas=0", says: "minimum: got 0, want 1" },
    { value: 'dns.service.type="External"', says: "value must be one of" },
    { value: 'sources=["Ingres"]', says: "value must be one of" },
    { value: "sources=[]", says: "minItems" },
    { value: "dns.port=53", says: "minimum: got 53, want 1,024" },
    { value: 'image.digest="sha256:1"', says: "does not match pattern" },
    { value: 'probes.allow=["example.org"]', says: "does not match pattern" },
    { value: 'externalDns.namespaces=["Dns"]', says: "does not match pattern" },
    { value: 'terminationDrainSeconds="15s"', says: "got string, want integer" },
    { value: 'geo.files=["city.mmdb"]', says: "minProperties" },
    { value: 'ipFamilies=["IPv4","IPv4"]', says: "items at 0 and 1 are equal" },
    { value: "proxy.http.port=80", says: "minimum: got 80, want 1,024" },
    { value: 'haproxy.folder="/run/../etc"', says: "does not match pattern" },
    { value: 'haproxy.sidecar.ports=[{"name":"http"}]', says: "missing properties 'containerPort', 'port'" },
  ];
  test.each(refused)("$value is refused", ({ value, says }) => expect(() => renderChart([value])).toThrow(says));

  const XDS = ["xds.enabled=true", "xds.plaintext=true"];
  const SIDECAR = [
    "haproxy.enabled=true",
    "haproxy.sidecar.enabled=true",
    'haproxy.sidecar.fleet="office"',
    'haproxy.sidecar.member="one"',
  ];
  const unfit: readonly { values: readonly string[]; says: string }[] = [
    { values: ["proxy.https.enabled=true"], says: "proxy.https.enabled needs a certificate: name Secrets" },
    { values: ['proxy.https.secrets=["a"]'], says: "have no use without proxy.https.enabled=true" },
    {
      values: ["proxy.https.enabled=true", 'proxy.https.secrets=["default"]', 'proxy.https.defaultSecret="a"'],
      says: "a Secret named default is taken for proxy.https.defaultSecret",
    },
    { values: ["proxy.http.enabled=true", 'proxy.proxyProtocol.from=["192.0.2.0/24"]'], says: "proxy.proxyProtocol.from has no use" },
    { values: ["proxy.proxyProtocol.enabled=true"], says: "proxy.proxyProtocol.enabled has no use without" },
    { values: ['proxy.upstreamCa.secret="a"'], says: "proxy.upstreamCa has no use without" },
    {
      values: ["proxy.http.enabled=true", 'proxy.upstreamCa.secret="a"', 'proxy.upstreamCa.configMap="b"'],
      says: "has a configMap and a secret: name one",
    },
    { values: ["xds.enabled=true"], says: "xds.enabled needs xds.secret, a Secret with tls.crt, tls.key and ca.crt" },
    { values: [...XDS, 'xds.secret="a"'], says: "xds.secret and xds.plaintext exclude each other" },
    { values: ['xds.secret="a"'], says: "have no use without xds.enabled=true" },
    { values: XDS, says: "name who may in networkPolicy.xdsFrom" },
    { values: SIDECAR.slice(0, 1), says: "haproxy.enabled needs haproxy.sidecar.enabled=true, or haproxy.volume" },
    { values: SIDECAR.slice(1), says: "haproxy.sidecar.enabled needs haproxy.enabled=true" },
    { values: SIDECAR.slice(0, 3), says: "needs haproxy.sidecar.fleet and haproxy.sidecar.member" },
    { values: ["proxy.http.enabled=true", "proxy.http.port=5353"], says: "dns.port and proxy.http.port are both 5353" },
    {
      values: [...SIDECAR, "proxy.http.enabled=true", "proxy.http.port=8081"],
      says: "proxy.http.port and the port http of haproxy.sidecar.ports are both 8081",
    },
  ];
  test.each(unfit)("$values together are refused", ({ values, says }) => expect(() => renderChart(values)).toThrow(says));

  test("without a policy of the network, Envoys may ask in the clear", () => {
    expect(controllerOf(renderChart([...XDS, "networkPolicy.enabled=false"])).template.spec.containers[0].args).toContain(
      "--xds-plaintext",
    );
  });

  test("no ServiceAccount of its own and none named: the remedy", () => {
    expect(() => renderChart(["serviceAccount.create=false"])).toThrow("serviceAccount.name is needed with serviceAccount.create=false");
  });

  test("a cluster older than 1.31 is refused", () => {
    expect(() => templateText([], ["--kube-version", "1.30.9"])).toThrow("chart requires kubeVersion: >=1.31.0-0");
    expect(templateText([], ["--kube-version", "1.31.0-eks-1"])).toContain("kind: Deployment");
  });

  test("what to do next is told, and what is dangerous", () => {
    const notes = (...more: readonly string[]): string => {
      const text = helm("install", RELEASE, chart, "--dry-run=client", "--namespace", NAMESPACE, ...more);
      return text.slice(text.indexOf("NOTES:"));
    };
    expect(notes()).toContain("get service globalroute\n");
    expect(notes()).not.toContain("WARNING");
    expect(notes("--set", "replicas=1,writerFence.enabled=false").match(/WARNING/g)).toHaveLength(2);
    expect(notes("--set", "xds.enabled=true,xds.plaintext=true,networkPolicy.enabled=false")).toContain("WARNING: xds.plaintext is true");
    expect(notes("--set", "proxy.http.enabled=true")).toContain("get service globalroute-proxy\n");
    expect(notes("--set", "keys.existingSecret=mine")).not.toContain("helm template");
  });
});

describe.skipIf(!requireComponent("kubectl", "helm"))("shared keys", () => {
  const data = (manifests: readonly Manifest[]) => z.record(z.string(), z.base64()).parse(only(manifests, "Secret").data);

  test("are long enough, and made anew for each release", () => {
    const [one, two] = [data(renderChart()), data(renderChart())];
    expect(atob(one["peer-secret"] ?? "")).toMatch(/^[A-Za-z0-9]{64}$/);
    expect(atob(one["cookie-secret"] ?? "")).toMatch(/^[0-9a-f]{32}$/);
    expect(one["peer-secret"]).not.toBe(two["peer-secret"]);
    expect(one["cookie-secret"]).not.toBe(two["cookie-secret"]);
  });

  test("are the operator's own when they are named", () => {
    const manifests = renderChart(['keys.existingSecret="mine"']);
    expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
    expect(JSON.stringify(controllerOf(manifests).template.spec.volumes)).toContain('"secretName":"mine"');
  });
});

describe.skipIf(!requireComponent("kubectl", "helm"))("CRDs", () => {
  const files = readdirSync(join(chart, "files", "crds")).filter((name) => name.startsWith("globalroute.dev_"));

  test.each(files)("%s goes in as it is, and stays when the release goes", (file) => {
    const wanted = z
      .looseObject({ metadata: z.looseObject({ name: z.string() }) })
      .parse(parse(readFileSync(join(chart, "files", "crds", file), "utf8")));
    const { annotations, labels, ...metadata } = only(renderChart(), "CustomResourceDefinition", wanted.metadata.name).metadata;
    expect(annotations).toEqual({ "helm.sh/resource-policy": "keep" });
    expect(labels).toMatchObject({ "app.kubernetes.io/instance": RELEASE });
    expect({ ...only(renderChart(), "CustomResourceDefinition", wanted.metadata.name), metadata }).toEqual(wanted);
  });

  test("helm finds none that it would install once and never upgrade", () => {
    expect(helm("show", "crds", chart).trim()).toBe("");
    expect(files.length).toBe(5);
  });

  test("a release fits into its Secret", () => {
    const folder = mkdtempSync(join(tmpdir(), "chart-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    helm("package", chart, "--destination", folder);
    const packed = readFileSync(join(folder, "globalroute-0.1.0.tgz")).length;
    // Helm keeps chart and manifests as gzipped JSON in base64, and the API server takes 1 MiB.
    expect((packed + gzipSync(templateText()).length) * (4 / 3)).toBeLessThan(700 * 1024);
    expect(parseManifests(helm("template", RELEASE, join(folder, "globalroute-0.1.0.tgz"))).length).toBeGreaterThan(15);
  });
});

/** As much of a ProxyFleet as the chart has to agree with. */
const fleetSchema = z.looseObject({
  kind: z.literal("ProxyFleet"),
  metadata: z.object({ name: z.string() }),
  spec: z.looseObject({
    haproxy: z.looseObject({
      members: z.array(
        z.looseObject({ name: z.string(), listen: z.array(z.looseObject({ port: z.int(), certificateFile: z.string().optional() })) }),
      ),
    }),
  }),
});

/** Files of values that a page shows. */
const valuesOf = (page: string): readonly string[] =>
  [...page.matchAll(/^```yaml\n(# values of the chart\n.*?)^```/gms)].map(([, text = ""]) => text);

/** @param values a file's text */
function renderWith(values: string): readonly Manifest[] {
  const folder = mkdtempSync(join(tmpdir(), "chart-"));
  try {
    writeFileSync(join(folder, "values.yaml"), values);
    return parseManifests(templateText(["crds.install=false"], ["--values", join(folder, "values.yaml")]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(!requireComponent("kubectl", "helm"))("docs/kubernetes.md", () => {
  const page = readFileSync(join(repository, "docs", "kubernetes.md"), "utf8");

  test("lists every right of the controller", () => {
    const told = [...page.matchAll(/^\| (ClusterRole|Role) \| ([a-z ]+) \| ([^|]+) \|/gm)].flatMap(([, kind, verbs, resources = ""]) =>
      resources.split(", ").map((resource) => `${kind}: ${verbs} ${resource}`),
    );
    expect(told.sort()).toEqual(
      rights(renderChart(["crds.install=false", 'externalDns.namespaces=["dns"]']))
        .flatMap((line) => /^(\w+) globalroute(?:-dnsendpoints)?(:.*)$/.exec(line)?.slice(1).join("") ?? [])
        .sort(),
    );
  });

  test("sets values that there are", () => {
    const sets = [...page.matchAll(/--set (\S+=\S+)/g)].map(([, pair = ""]) => pair);
    const named = [...page.matchAll(/`([a-z]\w*\.[\w.]+)=(\w+)`/g)].map(([, key = "", value = ""]) => `${key}=${value}`);
    expect(sets.length).toBeGreaterThan(2);
    expect(named.length).toBeGreaterThan(2);
    helm("template", RELEASE, chart, ...[...sets, ...named].flatMap((pair) => ["--set", pair]));
  });

  test("the values of each kind of proxies are taken, and make its Service", () => {
    const services = valuesOf(page).map((values) =>
      renderWith(values)
        .filter(({ kind, metadata }) => kind === "Service" && /-(?:proxy|xds|haproxy)$/.test(metadata.name))
        .map(({ metadata }) => metadata.name),
    );
    expect(services).toEqual([["globalroute-proxy"], ["globalroute-xds"], ["globalroute-haproxy"]]);
  });

  test("the fleet of the sidecars is the one that the values name, at the same ports", () => {
    const [fleet] = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].flatMap(([, text]) => fleetSchema.safeParse(parse(text ?? "")).data ?? []);
    const [member] = fleet?.spec.haproxy.members ?? [];
    const [, , values = ""] = valuesOf(page);
    const [, sidecar] = controllerOf(renderWith(values)).template.spec.containers;
    const [, , folder, ...certificates] = sidecar?.args ?? [];
    expect(folder).toBe(`/run/globalroute-haproxy/${fleet?.metadata.name}/${member?.name}`);
    expect(sidecar?.ports.map(({ containerPort }) => containerPort)).toEqual(member?.listen.map(({ port }) => port));
    expect(certificates).toEqual(member?.listen.flatMap(({ certificateFile }) => certificateFile ?? []));
  });

  test("names objects as the chart does", () => {
    const names = new Set(
      renderChart(["dns.service.mixedProtocols=false", "vantages.service.enabled=true"])
        .concat(renderChart())
        .concat(valuesOf(page).flatMap(renderWith))
        .map(({ metadata }) => metadata.name),
    );
    const told = [...page.matchAll(/`(globalroute-[a-z-]+)`/g)]
      .map(([, name = ""]) => name)
      .filter((name) => !["globalroute-system", "globalroute-writer"].includes(name));
    expect(told.filter((name) => !names.has(name))).toEqual([]);
  });
});
