/**
 * `npm run shows:external-dns -- PATH [FAILOVERS]`: the real ExternalDNS, started as examples/external-dns starts it but for its provider, which
 * is BIND (`rfc2136`), publishes a zone of the controller's. Prints what BIND answers, and for each failover how long it took until the
 * DNSEndpoint was written, and from then on until BIND had it; ends with ExternalDNS being stopped and started again. PATH is its binary
 * (tried with 0.22.0). Exit codes: 0 BIND followed, 1 it did not.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { dig } from "../../support/dig.ts";
import { endpointsOf } from "../../support/providers/dnsendpoint.ts";
import { startBindPrimary } from "../../support/providers/primaries.ts";
import { repository } from "../../support/source-tree.ts";
import { startController } from "../support/controller.ts";
import { eventually } from "../support/eventually.ts";
import { chartManifests } from "../support/install.ts";
import { kubectlOk } from "../support/kubectl.ts";
import { type RunningProcess, runProcess } from "../support/process.ts";
import { QUICK } from "../support/story.ts";
import { createIngress, startWorld, WEB } from "../support/world.ts";

const [binary, failovers = "3"] = process.argv.slice(2);
if (binary === undefined) {
  process.stderr.write("Name the binary of ExternalDNS: npm run shows:external-dns -- PATH\n");
  process.exit(2);
}
const NAMESPACE = "dns";
const ENDPOINTS = `/apis/externaldns.k8s.io/v1alpha1/namespaces/${NAMESPACE}/dnsendpoints`;
const ZONES = "/apis/globalroute.dev/v1alpha1/dnszones";
const HOST = "shop.example.org";
const PATIENCE = { within: 120_000 };
const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const world = await startWorld();
const { hub } = world;
const primary = await startBindPrimary(KEY);
const apply = (...args: readonly string[]): Promise<string> => kubectlOk(hub, ["apply", "--server-side", ...args]);
await kubectlOk(hub, ["create", "namespace", NAMESPACE]);
await apply("-f", join(repository, "test", "e2e", "crds", "dnsendpoints.externaldns.k8s.io.yaml"));
await apply("-f", join(repository, "examples", "external-dns", "external-dns.yaml")); // its ServiceAccount and rights; no machine runs its pod
await kubectlOk(hub, ["apply", "--server-side", "-f", "-"], await chartManifests([`externalDns.namespaces={${NAMESPACE}}`]));
await eventually("the kind to be served", async () => (await hub.api.request("GET", ENDPOINTS)).status === 200);
await hub.api.delete(`${ZONES}/example-org`);
await hub.api.create(ZONES, {
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "DNSZone",
  metadata: { name: "by-external-dns" },
  spec: {
    domain: "example.org",
    owner: "prod",
    policy: "Sync",
    provider: { type: "ExternalDNS", externalDns: { namespace: NAMESPACE, interval: "5s" } },
    allowedRoutes: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": WEB } } }],
  },
});
const controller = await startController(hub);

async function startExternalDns(program: string): Promise<RunningProcess> {
  const kubeconfig = join(hub.folder, "external-dns.kubeconfig");
  writeFileSync(kubeconfig, hub.kubeconfigFor(await hub.mintToken(NAMESPACE, "external-dns", 3600)));
  return runProcess(program, [
    ...["--source=crd", `--namespace=${NAMESPACE}`, "--label-filter=globalroute.dev/owner=prod", "--domain-filter=example.org"],
    ...["--policy=sync", "--registry=txt", "--txt-owner-id=globalroute-prod", "--interval=1m", "--events"],
    ...["--provider=rfc2136", "--rfc2136-host=127.0.0.1", `--rfc2136-port=${primary.port}`, "--rfc2136-zone=example.org", "--rfc2136-axfr"],
    ...[`--rfc2136-tsig-keyname=${KEY.name}`, `--rfc2136-tsig-secret=${Buffer.from(KEY.secret).toString("base64")}`],
    ...["--rfc2136-tsig-secret-alg=hmac-sha256", `--kubeconfig=${kubeconfig}`, "--metrics-address=127.0.0.1:0"],
  ]);
}
let externalDns = await startExternalDns(binary);
const detail = (): string => `${externalDns.log().slice(-4000)}\n${controller.log().slice(-4000)}`;
const stop = async (): Promise<void> => {
  await externalDns.stop();
  await controller.stop();
  await primary.stop();
  await world.stop();
};
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop().then(() => process.exit(1)));

const answered = async (name: string): Promise<string> => [...(await dig(primary.port, name, "A")).answers].sort().join();
const written = async (): Promise<string> => {
  const endpoints = (await hub.api.list(ENDPOINTS)).flatMap((object) => endpointsOf(object));
  return [...(endpoints.find(({ dnsName }) => dnsName === HOST)?.targets ?? [])].sort().join();
};
const degraded = async (): Promise<string> => (await controller.readyz()).degraded.join();
/** @returns the seconds after which it held */
async function timed(what: string, holds: () => Promise<boolean>): Promise<string> {
  const began = performance.now();
  await eventually(what, holds, { ...PATIENCE, detail });
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

let code = 0;
try {
  const [eu, us] = [world.member("eu-west"), world.member("us-east")];
  for (const member of [eu, us]) await createIngress(member, "shop", HOST, QUICK);
  const both = [eu.site.address, us.site.address].sort().join();
  say(`both sites at BIND after ${await timed("both sites", async () => (await answered(HOST)) === both)}`);
  for (let i = 0; i < Number(failovers); i++) {
    await eu.site.kill();
    const wrote = await timed("the write", async () => (await written()) === us.site.address);
    const reached = await timed("BIND to follow", async () => (await answered(HOST)) === us.site.address);
    say(`failover ${i + 1}: written after ${wrote}, at BIND ${reached} later`);
    await eu.site.revive();
    say(`failback ${i + 1}: at BIND after ${await timed("the way back", async () => (await answered(HOST)) === both)}`);
  }
  await externalDns.stop("SIGKILL");
  await createIngress(us, "cart", "cart.example.org", QUICK);
  say(`stopped: told after ${await timed("it to be told", async () => (await degraded()).includes("provider-failing"))}`);
  externalDns = await startExternalDns(binary);
  say(
    `started: over after ${await timed("it to be over", async () => (await degraded()) === "")}, cart ${await answered("cart.example.org")}`,
  );
} catch (error) {
  code = 1;
  say(error instanceof Error ? error.message : String(error));
} finally {
  await stop();
}
process.exit(code);
