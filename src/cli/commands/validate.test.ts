import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { createObjectsFolder, type ObjectsFolder } from "../../../test/support/objects-folder.ts";
import { runCli } from "../../../test/support/run-cli.ts";

let folder: ObjectsFolder;
beforeEach(() => {
  folder = createObjectsFolder();
});
afterEach(() => folder.remove());

const CLUSTER =
  "apiVersion: globalroute.dev/v1alpha1\nkind: MemberCluster\nmetadata: {name: NAME}\nspec:\n  location: {cloud: aws, region: REGION}\n";
const cluster = (name: string, region: string): string => CLUSTER.replace("NAME", name).replace("REGION", region);

test("sound objects: a summary and exit 0", async () => {
  expect(await runCli(["validate", folder.path])).toEqual({
    code: 0,
    stdout: "4 files, 4 valid objects: 0 errors, 0 warnings\n",
    stderr: "",
  });
});

test("every problem of every file has its line, in the order of files and lines", async () => {
  const a = folder.write("a.yaml", `${cluster("one", "eu-wset-1")}  weigth: 3\n`);
  const b = folder.write("b.yaml", "kind: [\n");
  const { code, stdout } = await runCli(["validate", folder.path]);
  expect(code).toBe(2);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.slice(0, -1).map((line) => line.replace(/: error: .*/, ""))).toEqual([
    expect.stringContaining(`${a}:6:3`),
    expect.stringContaining(`${b}:`),
  ]);
  expect(lines.every((line) => /\[[a-z-]+\]$|errors/.test(line))).toBe(true);
  expect(lines.at(-1)).toBe("6 files, 4 valid objects: 2 errors, 0 warnings");
});

test("problems of one file come by line, whichever step found them", async () => {
  folder.write("a.yaml", `${cluster("one", "eu-wset-1")}---\n${cluster("two", "eu-west-1")}  weigth: 3\n`);
  const { stdout } = await runCli(["validate", folder.path]);
  expect([...stdout.matchAll(/\[([a-z-]+)\]$/gm)].map(([, code]) => code)).toEqual(["region-unknown", "field-unknown"]);
});

test("a name cannot steer the terminal, nor pretend to be a line of ours", async () => {
  folder.write("a.yaml", cluster('"\\e[2Jx\\n/etc/b.yaml:1:1: error"', "eu-west-1"));
  const { stdout } = await runCli(["validate", folder.path]);
  expect(stdout).toContain("MemberCluster \ufffd[2Jx\ufffd/etc/b.yaml");
  expect(stdout.trimEnd().split("\n")).toHaveLength(2);
});

test("--mmdb takes one file and leaves the paths behind it alone", async () => {
  const { code, stderr } = await runCli(["validate", "--mmdb", join(folder.path, "none.mmdb"), folder.path]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("none.mmdb: does not exist")]);
});

test("a path without a name is bad usage", async () => {
  const { code, stderr } = await runCli(["validate", ""]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("Write a path")]);
});

test("warnings alone exit 0", async () => {
  folder.write(
    "lonely.yaml",
    "apiVersion: globalroute.dev/v1alpha1\nkind: GlobalRoute\nmetadata: {name: other}\nspec:\n  hosts: [other.example.com]\n  backends: [{name: eu, cluster: eu-west, addresses: [192.0.2.9]}]\n",
  );
  const { code, stdout } = await runCli(["validate", folder.path]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/lonely\.yaml:\d+:\d+: warning: .*\n.*0 errors, 1 warning\n$/);
});

test("several paths are one world: a route may name a cluster of another folder", async () => {
  const shop = join(folder.path, "shop.yaml");
  expect((await runCli(["validate", shop])).stdout).toContain("[cluster-unknown]");
  const both = await runCli(["validate", shop, ...["eu-west", "us-east", "zone"].map((name) => join(folder.path, `${name}.yaml`))]);
  expect([both.code, both.stdout]).toEqual([0, "4 files, 4 valid objects: 0 errors, 0 warnings\n"]);
});

test("of several files that are named, one may hold comments alone", async () => {
  const spare = folder.write("spare.yaml", "# kind: MemberCluster\n");
  expect(await runCli(["validate", spare, join(folder.path, "eu-west.yaml")])).toMatchObject({ code: 0 });
});

test.each([
  { name: "a path that does not exist", path: "missing", says: /missing: error: does not exist.*\[path-missing\]/ },
  { name: "an empty folder", path: "empty", says: /empty: error: holds no \*\.yaml.*\[folder-empty\]/ },
  { name: "a folder of comments", path: "comments", says: /comments: error: holds no object, only comments\. Write.*\[folder-empty\]/ },
])("$name is an error with a remedy", async ({ path, says }) => {
  mkdirSync(join(folder.path, "empty"));
  folder.write("comments/a.yaml", "# nothing yet\n");
  const { code, stdout } = await runCli(["validate", join(folder.path, path)]);
  expect(code).toBe(2);
  expect(stdout).toMatch(says);
});

test.each([
  { format: "json", read: (text: string): unknown => JSON.parse(text) },
  { format: "yaml", read: (text: string): unknown => parse(text) },
])("--output $format holds the problems and the counts", async ({ format, read }) => {
  const file = folder.write("a.yaml", cluster("one", "eu-wset-1"));
  const { code, stdout } = await runCli(["validate", folder.path, "--output", format]);
  expect(code).toBe(2);
  expect(read(stdout)).toMatchObject({
    problems: [{ severity: "error", code: "region-unknown", file, line: 5 }],
    summary: { files: 5, errors: 1, warnings: 0 },
  });
});

test("--kubernetes: what is to be applied to a cluster, beside objects of other systems", async () => {
  const path = folder.write(
    "hub.yaml",
    `apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {team: web}}
---
apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: hub}
spec:
  domain: hub.example.org
  provider: {type: Embedded, embedded: {nameservers: [ns.example.net], dnssec: {keys: [{name: a, file: /keys/not-here.pem}]}}}
  allowedRoutes: [{namespaceSelector: {matchLabels: {team: web}}}]
---
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: hub}
spec: {location: {cloud: aws, region: eu-west-1}, access: {secretRef: {name: hub}}}
---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: listed, namespace: web}
spec:
  hosts: [a.hub.example.org]
  backends: [{name: hub, cluster: hub, sourceRef: {kind: Ingress, name: a}}]
---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: joined, namespace: web}
spec: {hosts: [b.hub.example.org]}
---
apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: now, namespace: gr}
spec: {targetRef: {kind: MemberCluster, name: hub}, action: ApproveFailback, reason: a test}
`,
  );
  const wrong = await runCli(["validate", path]);
  expect(wrong.code).toBe(2);
  expect(wrong.stdout).toContain("list the addresses under addresses");
  const misplaced = await runCli(["validate", "--kubernetes", path]);
  expect(misplaced.code).toBe(2);
  expect(misplaced.stdout).toContain("Make it in namespace globalroute-system");
  expect(await runCli(["validate", "--kubernetes", "--controller-namespace", "gr", path])).toEqual({
    code: 0,
    stdout: "1 file, 5 valid objects: 0 errors, 0 warnings\n",
    stderr: "",
  });
});
