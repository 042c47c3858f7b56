import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLUSTER_ROLES, MEMBER_CLUSTERS, SECRETS, SERVICE_ACCOUNTS } from "../../../controller/kube/resources.ts";
import { type FakeApiServer, startFakeApiServer } from "../../../test/support/kube/fake-api-server.ts";
import { runCli } from "../../../test/support/run-cli.ts";

let folder: string;
let hub: FakeApiServer;
let member: FakeApiServer;
let access: readonly string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "join-"));
  [hub, member] = await Promise.all([startFakeApiServer({ tls: true }), startFakeApiServer({ tls: true })]);
  hub.seed([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "globalroute-system" } }]);
  for (const [name, server] of Object.entries({ hub, member })) writeFileSync(join(folder, name), server.kubeconfig());
  access = ["--kubeconfig", join(folder, "member"), "--hub-kubeconfig", join(folder, "hub")];
});
afterAll(async () => {
  await Promise.all([hub.close(), member.close()]);
  rmSync(folder, { recursive: true });
});

const place = ["--cloud", "aws", "--region", "eu-west-1"];
const local = ["--cluster-allow", "127.0.0.0/8"];
const writes = (): number => hub.counters.writes + member.counters.writes;

test("--dry-run prints what it would make, asks nobody and needs no access", async () => {
  const before = hub.log.length + member.log.length;
  const { code, stdout } = await runCli([
    "join",
    "eu-west",
    "--kubeconfig",
    "/nowhere",
    ...place,
    "--sources",
    "ingress,Service",
    "--dry-run",
  ]);
  expect(code).toBe(0);
  for (const line of ["kind: ClusterRoleBinding", "      - ingresses", "    region: eu-west-1", "      - serviceaccounts/token"])
    expect(stdout).toContain(line);
  expect(stdout).not.toContain("gateways");
  expect(hub.log.length + member.log.length).toBe(before);
});

test("--dry-run without a place is refused as joining is", async () => {
  const refusal = {
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("eu-north: where eu-north is must be known. Give --cloud and --region, or --latitude and --longitude."),
  };
  expect(await runCli(["join", "eu-north", "--kubeconfig", "/nowhere", "--dry-run"])).toMatchObject(refusal);
  expect(await runCli(["join", "eu-north", ...access, ...local])).toMatchObject(refusal);
});

test("an API server at a local address is refused before anything is written, with the remedy", async () => {
  const before = writes();
  const { code, stderr } = await runCli(["join", "eu-west", ...access, ...place]);
  expect(code).toBe(1);
  expect(stderr).toContain("server is at 127.0.0.1, a forbidden address (loopback)");
  expect(stderr).toContain("Name another with --server.");
  expect(writes()).toBe(before);
});

test("joins, and again", async () => {
  const first = await runCli(["join", "eu-west", ...access, ...place, ...local]);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toBe(
    [
      "Joined: eu-west",
      "In the member: ServiceAccount globalroute-system/globalroute-member and its roles",
      "On the hub: MemberCluster eu-west, Secret globalroute-system/cluster-eu-west, which the controller renews",
      "See: kubectl get membercluster eu-west\n",
    ].join("\n"),
  );
  expect(member.object(SERVICE_ACCOUNTS, "globalroute-system", "globalroute-member")).toBeDefined();
  expect(member.object(CLUSTER_ROLES, undefined, "globalroute-member")).toBeDefined();
  expect(hub.object(SECRETS, "globalroute-system", "cluster-eu-west")?.metadata.annotations).toEqual({
    "globalroute.dev/renew-token": "true",
  });
  const before = hub.object(MEMBER_CLUSTERS, undefined, "eu-west");

  const second = await runCli(["join", "eu-west", ...access, ...local, "--output", "json"]);
  expect(JSON.parse(second.stdout)).toMatchObject({ cluster: "eu-west", secret: "cluster-eu-west", isNew: false });
  const after = hub.object(MEMBER_CLUSTERS, undefined, "eu-west");
  expect({ uid: after?.metadata.uid, generation: after?.metadata.generation, spec: after?.spec }).toEqual({
    uid: before?.metadata.uid,
    generation: before?.metadata.generation,
    spec: before?.spec,
  });
});

describe("bad usage", () => {
  const cases: readonly { readonly name: string; readonly args: readonly string[]; readonly says: string }[] = [
    { name: "half a place", args: ["--cloud", "aws"], says: "--cloud and --region go together" },
    { name: "half coordinates", args: ["--latitude", "1"], says: "--latitude and --longitude go together" },
    { name: "two places", args: [...place, "--latitude", "1", "--longitude", "2"], says: "the place is given twice" },
    { name: "no degrees", args: ["--latitude", "north", "--longitude", "2"], says: '"north" is no number of degrees' },
    {
      name: "no such region",
      args: ["--cloud", "aws", "--region", "eu-west-11"],
      says: "there is no region eu-west-11 of aws in the table. Did you mean",
    },
    { name: "no such kind", args: ["--sources", "Ingress,Servise"], says: "Did you mean Service?" },
    { name: "no network", args: ["--cluster-allow", "here"], says: "Write a network" },
  ];
  test.each(cases)("$name", async ({ args, says }) => {
    const { code, stderr } = await runCli(["join", "eu-west", "--kubeconfig", "/nowhere", ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(says) });
  });
  test("a name that no object can have", async () => {
    const { code, stderr } = await runCli(["join", "EU_West", "--kubeconfig", "/nowhere"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("Write small letters") });
  });
});
