/** drain, undrain, approve, promote, uninstall and abandon on an API server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../../../controller/kube/kube-object.ts";
import { DNS_ZONES, GLOBAL_ROUTES, LEASES, MEMBER_CLUSTERS, TRAFFIC_OVERRIDES } from "../../../controller/kube/resources.ts";
import { FAKE_NOW } from "../../../test/support/fake-view.ts";
import { type FakeApiServer, startFakeApiServer } from "../../../test/support/kube/fake-api-server.ts";
import { type CliRun, runCli } from "../../../test/support/run-cli.ts";

let server: FakeApiServer;
let folder: string;
let before: ReturnType<FakeApiServer["snapshot"]>;
beforeAll(async () => {
  server = await startFakeApiServer({ tls: true });
  folder = mkdtempSync(join(tmpdir(), "globalroute-hub-"));
  writeFileSync(join(folder, "hub.yaml"), server.kubeconfig());
  server.seed([
    ...["eu-west", "us-east"].map((name) => ({
      ...OURS,
      kind: "MemberCluster",
      metadata: { name },
      spec: { location: { cloud: "aws", region: `${name}-1` } },
    })),
    route("shop", BACKENDS),
  ]);
  before = server.snapshot();
});
beforeEach(() => server.restore(before));
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const OURS = { apiVersion: "globalroute.dev/v1alpha1" } as const;
const BACKENDS = ["eu-west", "us-east"].map((cluster) => ({ name: cluster, cluster, addresses: ["192.0.2.1"] }));
const route = (name: string, backends: unknown, more: Partial<KubeObject["metadata"]> = {}): KubeObject => ({
  ...OURS,
  kind: "GlobalRoute",
  metadata: { name, namespace: "web", ...more },
  spec: { hosts: [`${name}.example.org`], backends },
});

const run = (...args: string[]): Promise<CliRun> => runCli([...args, "--kubeconfig", join(folder, "hub.yaml")]);
const drain = (target: string, ...more: string[]): Promise<CliRun> =>
  run("drain", target, "--reason", "kernel upgrade", "--for", "2h", ...more);
const overrides = () =>
  server.objects(TRAFFIC_OVERRIDES).map(({ metadata, spec }) => ({ namespace: metadata.namespace, name: metadata.name, spec }));
const setStatus = (status: unknown): void => server.seed([{ ...server.object(GLOBAL_ROUTES, "web", "shop")!, status }]);

describe("drain", () => {
  test.each([
    { target: "eu-west", namespace: "globalroute-system", name: "drain-eu-west", ref: { kind: "MemberCluster", name: "eu-west" } },
    { target: "web/shop", namespace: "web", name: "drain-shop", ref: { kind: "GlobalRoute", name: "shop" } },
    {
      target: "web/shop/eu-west",
      namespace: "web",
      name: "drain-shop.eu-west",
      ref: { kind: "GlobalRoute", name: "shop", backend: "eu-west" },
    },
  ])("$target is an object with target, reason and end", async ({ target, namespace, name, ref }) => {
    server.seed([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "globalroute-system" } }]);
    const { code, stdout, stderr } = await drain(target);
    expect([stderr, code]).toEqual(["", 0]);
    const until = new Date(FAKE_NOW + 2 * 3_600_000).toISOString();
    expect(overrides()).toEqual([{ namespace, name, spec: { targetRef: ref, action: "Drain", until, reason: "kernel upgrade" } }]);
    expect(stdout).toContain(`Written: TrafficOverride ${namespace}/${name}\n`);
    expect((await run("undrain", target)).code).toBe(0);
    expect(overrides()).toEqual([]);
  });

  test("says what it means, checks by the server, and with --dry-run leaves it at that", async () => {
    const { code, stdout } = await drain("web/shop/eu-west", "--dry-run");
    expect([code, overrides()]).toEqual([0, []]);
    expect(stdout).toContain("  web/shop: its clients go to us-east; answers already given are kept for up to 60 s\n");
    expect(stdout).toContain("Checked; nothing was written.\n");
  });

  test("another namespace of the controller", async () => {
    server.seed([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "edge" } }]);
    const { stdout } = await drain("eu-west", "--namespace", "edge");
    expect(overrides()).toMatchObject([{ namespace: "edge" }]);
    expect(stdout).toContain("Undo: globalroute undrain eu-west --kubeconfig ");
    expect(stdout).toContain(" --namespace edge\n");
  });

  test("again replaces it", async () => {
    await drain("web/shop");
    expect((await run("drain", "web/shop", "--reason", "takes longer", "--for", "5h")).code).toBe(0);
    expect(overrides()).toMatchObject([{ spec: { reason: "takes longer" } }]);
  });

  test.each([
    { target: "eu-wst", says: "there is no MemberCluster called eu-wst. Did you mean eu-west?" },
    { target: "web/shp", says: "there is no GlobalRoute called web/shp. Did you mean web/shop?" },
    { target: "web/shop/eu", says: "there is no backend of web/shop called eu. " },
  ])("$target is refused with what there is", async ({ target, says }) => {
    const { code, stderr } = await drain(target);
    expect([code, overrides()]).toEqual([2, []]);
    expect(stderr).toContain(says);
  });

  test("an object of the same name with another target is left alone", async () => {
    server.seed([
      {
        ...OURS,
        kind: "TrafficOverride",
        metadata: { name: "drain-shop", namespace: "web" },
        spec: { targetRef: { kind: "GlobalRoute", name: "other" }, action: "Drain", until: "2027-01-01T00:00:00Z", reason: "by hand" },
      },
    ]);
    const { code, stderr } = await drain("web/shop");
    expect([code, overrides()]).toMatchObject([1, [{ spec: { reason: "by hand" } }]]);
    expect(stderr).toContain("TrafficOverride web/drain-shop is aimed at something else");
  });

  test("undrain tells who else drains it", async () => {
    server.seed([
      {
        ...OURS,
        kind: "TrafficOverride",
        metadata: { name: "night", namespace: "web" },
        spec: { targetRef: { kind: "GlobalRoute", name: "shop" }, action: "Drain", until: "2027-01-01T00:00:00Z", reason: "by hand" },
      },
    ]);
    const { code, stderr } = await run("undrain", "web/shop");
    expect(code).toBe(1);
    expect(stderr).toContain(
      "web/shop: it was not drained by `globalroute drain`, but by TrafficOverride web/night. Remove that object there.",
    );
  });

  test("what the server refuses is told as it says it", async () => {
    server.grant("reader", { rules: [{ verbs: ["get", "list"], groups: ["globalroute.dev"], resources: ["*"] }] });
    writeFileSync(join(folder, "reader.yaml"), server.kubeconfig("reader"));
    const { code, stderr } = await runCli([
      "drain",
      "web/shop",
      "--reason",
      "x",
      "--for",
      "1h",
      "--kubeconfig",
      join(folder, "reader.yaml"),
    ]);
    expect([code, overrides()]).toEqual([1, []]);
    expect(stderr).toContain("not permitted to patch trafficoverrides.globalroute.dev");
  });

  test("no access is a plain message", async () => {
    const { code, stderr } = await runCli(["undrain", "web/shop", "--kubeconfig", join(folder, "absent.yaml")]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^globalroute: .*absent\.yaml cannot be read \(ENOENT: .*Give a kubeconfig with --kubeconfig FILE\./);
    expect(stderr).not.toContain("    at ");
  });
});

const CONDITIONS = [{ type: "Ready", status: "True", reason: "Ready", message: "", lastTransitionTime: "2026-11-21T11:00:00Z" }];
const backendStatus = (name: string, more: object = {}) => ({ name, cluster: name, addresses: ["192.0.2.1"], health: "Healthy", ...more });

describe("drill", () => {
  /** The controller's word on it, given while the command waits; time goes on by what it waits. */
  const drilled = (active: (now: number) => { status: string; reason: string; message?: string } | undefined, onWait = (): void => {}) => {
    let now = FAKE_NOW;
    let interrupt = (): void => {};
    const done = runCli(["drill", "web/shop/eu-west", "--for", "1m", "--kubeconfig", join(folder, "hub.yaml")], {
      now: () => now,
      async sleep(milliseconds) {
        now += milliseconds;
        onWait();
        const condition = active(now);
        const object = server.object(TRAFFIC_OVERRIDES, "web", "drill-shop.eu-west");
        if (condition === undefined || object === undefined) return;
        const told = { type: "Active", message: "m", observedGeneration: 1, lastTransitionTime: "2026-11-21T12:00:00Z", ...condition };
        server.seed([{ ...object, status: { conditions: [told] } }]);
      },
      onSignal: (name, listener) => {
        if (name === "SIGINT") interrupt = listener;
        return () => {};
      },
    });
    return { done, interrupt: () => interrupt() };
  };
  const IN_FORCE = { status: "True", reason: "InForce" };

  test("is an object with start and end; without a server its own status tells how it goes, and it is deleted at the end", async () => {
    let seen: unknown;
    const { done } = drilled((now) => {
      seen = overrides()[0]?.spec;
      return now < FAKE_NOW + 66_000 ? IN_FORCE : { status: "False", reason: "Over", message: "Its time is over." };
    });
    const { code, stdout, stderr } = await done;
    expect([stderr, code]).toEqual(["", 0]);
    expect(seen).toEqual({
      ...{ action: "Drill", reason: "drill by alice@laptop", targetRef: { kind: "GlobalRoute", name: "shop", backend: "eu-west" } },
      ...{ start: "2026-11-21T12:00:05.000Z", until: "2026-11-21T12:01:05.000Z" },
    });
    expect(stdout).toContain("Over: Its time is over.\nIts report is at the controller's API: kubectl globalroute drill --list\n");
    expect(overrides()).toEqual([]);
  });

  test("that is given up is exit 1 with the failure", async () => {
    const { done } = drilled(() => ({ status: "False", reason: "DrillAborted", message: "web/shop: us-east is not in service." }));
    expect(await done).toMatchObject({ code: 1, stdout: expect.stringContaining("Given up at a second failure: web/shop: us-east") });
  });

  test("is taken back by Ctrl-C", async () => {
    const world = drilled(
      () => IN_FORCE,
      () => world.interrupt(),
    );
    expect(await world.done).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("Taken back: TrafficOverride web/drill-shop.eu-west is deleted"),
    });
    expect(overrides()).toEqual([]);
  });

  test("of which the controller says nothing is exit 1", async () => {
    const { code, stderr } = await drilled(() => undefined).done;
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("the controller has not said of TrafficOverride web/drill-shop.eu-west that it has begun."),
    ]);
  });

  test("again is a new object: what was given up before is over for good", async () => {
    const write = (): Promise<CliRun> => run("drill", "web/shop/eu-west", "--for", "1m", "--no-wait");
    await write();
    const first = server.object(TRAFFIC_OVERRIDES, "web", "drill-shop.eu-west")?.metadata.uid;
    expect((await write()).code).toBe(0);
    expect(server.object(TRAFFIC_OVERRIDES, "web", "drill-shop.eu-west")?.metadata.uid).not.toBe(first);
  });
});

describe("approve", () => {
  test("by the status: what waits serves at once, what is down as soon as it is healthy", async () => {
    const waiting = {
      failback: { phase: "AwaitingApproval", level: 0, since: "2026-11-21T11:50:00Z", healthySince: "2026-11-21T11:55:00Z" },
    };
    setStatus({ conditions: CONDITIONS, backends: [backendStatus("eu-west", waiting), backendStatus("us-east", { health: "Unhealthy" })] });
    const { code, stdout } = await run("approve", "web/shop", "--reason", "checked");
    expect(code).toBe(0);
    expect(stdout).toContain("  eu-west: serves again at once\n  us-east: serves again as soon as it is healthy\n");
    expect(overrides()).toEqual([
      {
        namespace: "web",
        name: "approve-shop",
        spec: {
          targetRef: { kind: "GlobalRoute", name: "shop" },
          action: "ApproveFailback",
          start: new Date(FAKE_NOW).toISOString(),
          reason: "checked",
        },
      },
    ]);
  });

  test("exit 1 when everything serves", async () => {
    setStatus({
      conditions: CONDITIONS,
      backends: [backendStatus("eu-west", { failback: { phase: "Returned", level: 1, since: "2026-11-21T11:50:00Z" } })],
    });
    expect(await run("approve", "web/shop")).toMatchObject({ code: 1, stderr: expect.stringContaining("there is nothing to approve") });
    expect(overrides()).toEqual([]);
  });
});

describe("promote", () => {
  const rollout = (phase: string) =>
    setStatus({ conditions: CONDITIONS, rollout: { generation: 1, step: 0, name: "canary", since: "2026-11-21T11:50:00Z", phase } });

  test("the step that waits", async () => {
    rollout("AwaitingApproval");
    expect(await run("promote", "web/shop")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Promoted: web/shop, step canary\nWritten: TrafficOverride web/promote-shop\n"),
    });
    expect(overrides()).toMatchObject([
      { spec: { action: "PromoteStep", start: new Date(FAKE_NOW).toISOString(), reason: "step promoted" } },
    ]);
  });

  test("--abort", async () => {
    rollout("Progressing");
    expect((await run("promote", "web/shop", "--abort", "--reason", "errors")).code).toBe(0);
    expect(overrides()).toMatchObject([{ name: "abort-shop", spec: { action: "AbortRollout", reason: "errors" } }]);
  });

  test("again is another act", async () => {
    rollout("AwaitingApproval");
    await run("promote", "web/shop");
    const [first] = server.objects(TRAFFIC_OVERRIDES);
    await run("promote", "web/shop");
    const [second] = server.objects(TRAFFIC_OVERRIDES);
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid);
  });

  test("begins again what was aborted", async () => {
    rollout("Progressing");
    await run("promote", "web/shop", "--abort");
    rollout("Aborted");
    expect((await run("promote", "web/shop")).code).toBe(0);
    expect(overrides()).toMatchObject([{ name: "promote-shop" }]);
  });

  test.each([
    { phase: "Completed", args: [] },
    { phase: "Completed", args: ["--abort"] },
    { phase: "Aborted", args: ["--abort"] },
  ])("exit 1 when it is $phase: $args", async ({ phase, args }) => {
    rollout(phase);
    expect(await run("promote", "web/shop", ...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(`is ${phase}`) });
  });

  test("exit 1 without a rollout, 2 for a backend", async () => {
    expect(await run("promote", "web/shop")).toMatchObject({ code: 1 });
    expect(await run("promote", "web/shop/eu-west")).toMatchObject({ code: 2 });
  });
});

const lease = (transitions: number) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "globalroute-writer", namespace: "globalroute-system" },
  spec: { holderIdentity: "globalroute-0", leaseTransitions: transitions, leaseDurationSeconds: 10 },
});
const HELD = { finalizers: ["globalroute.dev/records", "example.org/other"] };

describe("uninstall", () => {
  beforeEach(() =>
    server.seed([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "globalroute-system" } },
      lease(4),
      route("blog", BACKENDS, HELD),
      route("made", BACKENDS, { labels: { "globalroute.dev/generated": "true" } }),
    ]),
  );
  const writes = () => server.log.filter(({ verb }) => !["get", "list", "watch"].includes(verb));

  test("--dry-run says it all and writes nothing", async () => {
    const before = writes().length;
    const { code, stdout } = await run("uninstall", "--dry-run");
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "Taking Lease globalroute-system/globalroute-writer: controllers that still run write nothing more.",
      "Releasing GlobalRoute web/blog; records at its provider stay.",
      "Deleting 1 generated GlobalRoute.",
      "Deleting Lease globalroute-system/globalroute-writer.",
      "Nothing was changed.",
      "",
    ]);
    expect(writes()).toHaveLength(before);
  });

  test("what people wrote stays, what the controller made goes, and doing it again is fine", async () => {
    expect((await run("uninstall")).code).toBe(0);
    expect(
      server
        .objects(GLOBAL_ROUTES)
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(["blog", "shop"]);
    expect(server.object(GLOBAL_ROUTES, "web", "blog")?.metadata.finalizers).toEqual(["example.org/other"]);
    expect(server.objects(MEMBER_CLUSTERS)).toHaveLength(2);
    expect(server.objects(LEASES)).toEqual([]);
    expect((await run("uninstall")).code).toBe(0);
  });

  test("with a Deployment that still runs the Lease is taken from it, and goes with it", async () => {
    server.seed([
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "globalroute", namespace: "globalroute-system" }, spec: {} },
    ]);
    expect((await run("uninstall", "--deployment", "globalroute")).code).toBe(0);
    const [left] = server.objects(LEASES);
    expect(left?.spec).toMatchObject({ holderIdentity: "globalroute-uninstall", leaseTransitions: 5, leaseDurationSeconds: 60 });
    expect(left?.metadata.ownerReferences).toMatchObject([{ kind: "Deployment", name: "globalroute" }]);
  });

  test.each([{ more: [] }, { more: ["--dry-run"] }])(
    "a Deployment that is not there is refused before anything is written: $more",
    async ({ more }) => {
      const before = writes().length;
      const { code, stdout, stderr } = await run("uninstall", "--deployment", "globalrout", ...more);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("there is no Deployment globalrout in namespace globalroute-system of https://");
      expect(stderr).toContain("Give its name and its namespace, or leave out --deployment when no controller runs any more.");
      expect(writes()).toHaveLength(before);
    },
  );
});

describe("abandon", () => {
  test("lets go of a zone, and of nothing else", async () => {
    server.seed([
      {
        ...OURS,
        kind: "DNSZone",
        metadata: { name: "example-org", ...HELD },
        spec: { domain: "example.org", owner: "test", provider: { type: "Embedded", embedded: { nameservers: ["ns1.example.org"] } } },
      },
    ]);
    expect((await run("abandon", "zone", "example-org", "--dry-run")).stdout).toBe(
      "Releasing DNSZone example-org; records at its provider stay.\n",
    );
    expect(server.object(DNS_ZONES, undefined, "example-org")?.metadata.finalizers).toHaveLength(2);
    expect((await run("abandon", "zone", "example-org")).code).toBe(0);
    expect(server.object(DNS_ZONES, undefined, "example-org")?.metadata.finalizers).toEqual(["example.org/other"]);
    expect((await run("abandon", "zone", "example-org")).code).toBe(1);
  });

  test.each([
    { args: ["zone", "web/shop"], code: 2 },
    { args: ["route", "shop"], code: 2 },
    { args: ["route", "web/absent"], code: 2 },
    { args: ["route", "web/shop"], code: 1 },
    { args: ["cluster", "eu-west"], code: 2 },
  ])("$args: exit $code", async ({ args, code }) => {
    expect((await run("abandon", ...args)).code).toBe(code);
  });
});
