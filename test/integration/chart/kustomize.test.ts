/** The Kustomize base, with kubectl's own kustomize. */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { argumentFaults, controllerOf, podFaults, selectorFaults } from "../../support/chart/check-chart.ts";
import { kustomizeFiles } from "../../support/chart/kustomize-base.ts";
import { COMPONENTS, renderForKustomize } from "../../support/chart/kustomize-components.ts";
import { type Manifest, only, parseManifests } from "../../support/chart/render-chart.ts";
import { builtCommand, requireComponent } from "../../support/component.ts";
import { repository } from "../../support/source-tree.ts";

const charts = join(repository, "charts");

function kustomize(folder: string): readonly Manifest[] {
  const { status, stdout, stderr } = spawnSync(builtCommand("kubectl"), ["kustomize", folder], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(stderr);
  return parseManifests(stdout);
}

/** A copy of charts/ beside which an overlay can stand: kustomize follows relative paths only. */
function overlay(kustomization: object, files: Readonly<Record<string, object>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "kustomize-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(charts, join(folder, "charts"), { recursive: true });
  const mine = join(folder, "mine");
  mkdirSync(mine);
  copyFileSync(join(charts, "kustomize", "kustomizeconfig.yaml"), join(mine, "kustomizeconfig.yaml"));
  writeFileSync(join(mine, "kustomization.yaml"), stringify(kustomization));
  for (const [name, object] of Object.entries(files)) writeFileSync(join(mine, name), stringify(object));
  return mine;
}

/** Lists sorted, for what components append stands at their ends. */
const inOrder = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(inOrder).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, one]) => [key, inOrder(one)]),
        )
      : value;

describe.skipIf(!requireComponent("kubectl", "kubectl"))("the Kustomize base", () => {
  test("is what the chart renders without values, and components what values of the L7 tier add", () => {
    for (const [path, text] of kustomizeFiles())
      expect(readFileSync(join(repository, path), "utf8"), `${path} is stale: run \`npm run generate:kustomize\``).toBe(text);
  });

  test.each([
    ...COMPONENTS.map((component) => ({ name: component.name, components: [component] })),
    { name: "all together", components: COMPONENTS },
  ])("with components, $name: as the chart with their values", ({ components }) => {
    const manifests = kustomize(
      overlay({
        resources: ["../charts/kustomize/base"],
        components: components.map(({ name }) => `../charts/kustomize/${name}`),
      }),
    );
    expect([...podFaults(manifests), ...selectorFaults(manifests), ...argumentFaults(manifests)]).toEqual([]);
    const wanted = parseManifests(renderForKustomize(components.flatMap(({ values }) => values)));
    for (const manifest of wanted) expect(inOrder(only(manifests, manifest.kind, manifest.metadata.name))).toEqual(inOrder(manifest));
  });

  test("holds the namespace, the definitions, and one controller that obeys the chart's rules", () => {
    const manifests = kustomize(join(charts, "kustomize", "base"));
    expect(only(manifests, "Namespace").metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    expect(manifests.filter(({ kind }) => kind === "CustomResourceDefinition")).toHaveLength(5);
    expect([...podFaults(manifests), ...selectorFaults(manifests), ...argumentFaults(manifests)]).toEqual([]);
    const text = JSON.stringify(manifests);
    expect(text).not.toContain("helm.sh/");
    expect(text).not.toContain('"Helm"');
    expect(manifests.filter(({ kind }) => kind === "Secret" || kind === "Job")).toEqual([]);
  });

  test("an overlay sets image, replicas and keys, and the pods follow the generated Secret", () => {
    const manifests = kustomize(
      overlay({
        resources: ["../charts/kustomize/base"],
        namespace: "globalroute-system",
        images: [{ name: "globalroute", newName: "registry.example.org/globalroute", newTag: "1.2.3" }],
        replicas: [{ name: "globalroute", count: 3 }],
        secretGenerator: [{ name: "globalroute-keys", literals: ["peer-secret=abc", "cookie-secret=def"] }],
      }),
    );
    const { replicas, template } = controllerOf(manifests);
    const secret = only(manifests, "Secret").metadata.name;
    expect(secret).toMatch(/^globalroute-keys-\w+$/);
    expect(replicas).toBe(3);
    expect(template.spec.containers[0]).toMatchObject({ image: "registry.example.org/globalroute:1.2.3" });
    expect(JSON.stringify(template.spec.volumes)).toContain(`"secretName":"${secret}"`);
  });

  test("names of our own objects are followed with kustomizeconfig.yaml", () => {
    const ours = (kind: string, name: string, spec: object) => ({ apiVersion: "globalroute.dev/v1alpha1", kind, metadata: { name }, spec });
    const route = ours("GlobalRoute", "shop", {
      hosts: ["shop.example.org"],
      backends: [{ name: "eu", cluster: "eu" }],
      routing: { rules: [{ name: "gdpr", to: { clusters: ["eu"] } }] },
      publish: { dns: [{ zone: "example-org" }] },
    });
    const manifests = kustomize(
      overlay(
        {
          resources: ["route.yaml", "cluster.yaml", "zone.yaml", "secret.yaml"],
          namePrefix: "test-",
          configurations: ["kustomizeconfig.yaml"],
        },
        {
          "route.yaml": route,
          "cluster.yaml": ours("MemberCluster", "eu", { access: { secretRef: { name: "eu-access" } } }),
          "zone.yaml": ours("DNSZone", "example-org", { domain: "example.org" }),
          "secret.yaml": { apiVersion: "v1", kind: "Secret", metadata: { name: "eu-access" } },
        },
      ),
    );
    expect(only(manifests, "GlobalRoute").spec).toEqual({
      hosts: ["shop.example.org"],
      backends: [{ name: "eu", cluster: "test-eu" }],
      routing: { rules: [{ name: "gdpr", to: { clusters: ["test-eu"] } }] },
      publish: { dns: [{ zone: "test-example-org" }] },
    });
    expect(only(manifests, "MemberCluster").spec).toEqual({ access: { secretRef: { name: "test-eu-access" } } });
  });
});
