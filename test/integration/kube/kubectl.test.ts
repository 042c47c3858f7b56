/** The fake API server under a client that knows nothing of it: kubectl. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GLOBAL_ROUTES } from "../../../controller/kube/resources.ts";
import { builtCommand, requireComponent } from "../../support/component.ts";
import { type FakeApiServer, startFakeApiServer } from "../../support/kube/fake-api-server.ts";

const ROUTE = `
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata:
  name: shop
spec:
  hosts: [shop.example.org]
  backends:
    - {name: eu, cluster: eu-west, addresses: [192.0.2.1]}
`;

describe.skipIf(!requireComponent("kubectl", "kubectl"))("kubectl on the fake API server", () => {
  let server: FakeApiServer;
  let folder: string;
  beforeAll(async () => {
    server = await startFakeApiServer({ tls: true });
    folder = mkdtempSync(join(tmpdir(), "kubectl-"));
    writeFileSync(join(folder, "kubeconfig"), server.kubeconfig());
    writeFileSync(join(folder, "route.yaml"), ROUTE);
    writeFileSync(join(folder, "wrong.yaml"), ROUTE.replace("hosts:", "hostz:"));
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const kubectl = (...args: readonly string[]): Promise<{ code: number | null; output: string }> =>
    new Promise((resolve) => {
      const child = spawn(builtCommand("kubectl"), [
        "--kubeconfig",
        join(folder, "kubeconfig"),
        "--cache-dir",
        join(folder, "cache"),
        ...args,
      ]);
      let output = "";
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.on("close", (code) => resolve({ code, output }));
    });

  test("applies on the server's side, again without a change, and prints the CRD's columns", async () => {
    const apply = ["apply", "--server-side", "-f", join(folder, "route.yaml")];
    expect(await kubectl(...apply)).toEqual({ code: 0, output: "globalroute.globalroute.dev/shop serverside-applied\n" });
    const version = server.object(GLOBAL_ROUTES, "default", "shop")?.metadata.resourceVersion;
    expect((await kubectl(...apply)).code).toBe(0);
    expect(server.object(GLOBAL_ROUTES, "default", "shop")?.metadata.resourceVersion).toBe(version);
    const { output } = await kubectl("get", "globalroutes");
    expect(output.split("\n")[0]).toMatch(/^NAME +HOSTS/);
    expect(output).toMatch(/^shop +\d+s$/m);
  });

  test("applies on its own side, and tells what is unknown", async () => {
    expect((await kubectl("apply", "-f", join(folder, "route.yaml"))).code).toBe(0);
    const wrong = await kubectl("apply", "-f", join(folder, "wrong.yaml"));
    expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('unknown field "spec.hostz"')]);
  });

  test("explains a field from the schema", async () => {
    const { code, output } = await kubectl("explain", "globalroute.spec.routing.order");
    expect([code, output]).toEqual([0, expect.stringContaining("What makes a cluster come first")]);
  });

  test("waits for a condition until it holds", async () => {
    server.seed([
      {
        apiVersion: "globalroute.dev/v1alpha1",
        kind: "MemberCluster",
        metadata: { name: "eu-west" },
        spec: { location: { cloud: "aws", region: "eu-west-1" } },
      },
    ]);
    const waiting = kubectl("wait", "--for=condition=Ready", "membercluster/eu-west", "--timeout=20s");
    await expect.poll(() => server.openWatches(), { timeout: 10_000 }).toBeGreaterThan(0);
    const conditions = [{ type: "Ready", status: "True", reason: "Connected", message: "", lastTransitionTime: "2026-11-21T00:00:00Z" }];
    const status = JSON.stringify({ status: { conditions } });
    expect((await kubectl("patch", "membercluster", "eu-west", "--subresource=status", "--type=merge", "-p", status)).code).toBe(0);
    expect(await waiting).toEqual({ code: 0, output: "membercluster.globalroute.dev/eu-west condition met\n" });
  });

  test("labels, lists by label, and deletes until the object is gone", async () => {
    expect((await kubectl("label", "globalroute", "shop", "tier=web")).code).toBe(0);
    expect((await kubectl("get", "gr", "-l", "tier=web", "-o", "name")).output).toBe("globalroute.globalroute.dev/shop\n");
    expect(await kubectl("delete", "globalroute", "shop")).toEqual({
      code: 0,
      output: 'globalroute.globalroute.dev "shop" deleted from default namespace\n',
    });
    expect(server.objects(GLOBAL_ROUTES)).toEqual([]);
  });
});
