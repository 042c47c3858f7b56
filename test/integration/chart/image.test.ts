/** The image's files under the chart's arguments, as a container runtime would run them. The image itself is not built: that needs a registry. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../e2e/support/eventually.ts";
import { controllerOf } from "../../support/chart/check-chart.ts";
import { NAMESPACE, renderChart } from "../../support/chart/render-chart.ts";
import { type ImageRun, runImage } from "../../support/chart/run-image.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { freePort } from "../../support/free-port.ts";
import { startFakeApiServer } from "../../support/kube/fake-api-server.ts";
import { repository } from "../../support/source-tree.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

/** What `gcr.io/distroless/cc` has: libc6, libgcc and libstdc++. */
const BASE_LIBRARIES = /^(?:linux-vdso|libc|libm|libdl|libpthread|librt|libresolv|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d$/;

const isHere = requireComponent("kubectl", "helm") && requireComponent("dns-clients", "dig");
const isRoot = process.getuid?.() === 0;
if (!isRoot && process.env.GLOBALROUTE_ALLOW_SKIP !== "1") {
  throw new Error("Only root can run the image's files as a runtime would. Run as root, or set GLOBALROUTE_ALLOW_SKIP=1 to skip it.");
}

describe.skipIf(!isHere || !isRoot)("the image", () => {
  let folder: string;
  let image: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "image-"));
    image = join(folder, "image");
    const { status, stdout, stderr } = spawnSync("npm", ["run", "image:root", "--", image], { cwd: repository, encoding: "utf8" });
    if (status !== 0) throw new Error(`${stdout}${stderr}`);
    chmodSync(folder, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const ended = async (run: ImageRun) => ({ code: await run.ended, output: run.output() });

  test("asks of its base for nothing but a C and a C++ library", () => {
    const files = readdirSync(image, { recursive: true, encoding: "utf8" }).filter(
      (path) => path.endsWith(".node") || path === "nodejs/bin/node",
    );
    const needed = files.flatMap((file) => {
      const text = spawnSync("ldd", [join(image, file)], { encoding: "utf8" }).stdout;
      return text.includes("musl") ? [] : [...text.matchAll(/^\s*(\S+)/gm)].map(([, name = ""]) => name.slice(name.lastIndexOf("/") + 1));
    });
    expect(needed).toContain("libstdc++.so.6");
    expect(needed.filter((name) => !BASE_LIBRARIES.test(name))).toEqual([]);
  });

  test("may be read by everybody and written by its owner alone", () => {
    const modes = readdirSync(image, { recursive: true, encoding: "utf8" }).map((path) => ({
      path,
      mode: statSync(join(image, path)).mode,
    }));
    expect(modes.filter(({ mode }) => (mode & 0o022) !== 0 || (mode & 0o004) === 0).map(({ path }) => path)).toEqual([]);
  });

  test("knows every option that the chart gives it", async () => {
    const { code, output } = await ended(runImage(image, ["controller", "--help"]));
    expect(code).toBe(0);
    const values = [
      'geo.volume={"emptyDir":{}}',
      'geo.files=["a.mmdb"]',
      'vantage.location="aws/eu-west-1"',
      'probes.allow=["198.18.0.0/15"]',
      'probes.references=["192.0.2.1:443"]',
      'clusters.allow=["198.18.0.0/15"]',
      "proxy.http.enabled=true",
      "proxy.https.enabled=true",
      'proxy.https.secrets=["shop-tls"]',
      "proxy.proxyProtocol.enabled=true",
      'proxy.proxyProtocol.from=["192.0.2.0/24"]',
      'proxy.upstreamCa.configMap="authorities"',
      "xds.enabled=true",
      'xds.secret="globalroute-xds"',
      "haproxy.enabled=true",
      'haproxy.volume={"emptyDir":{}}',
    ];
    const [container] = controllerOf(renderChart(["crds.install=false", ...values])).template.spec.containers;
    const flags = container.args.slice(1).map((arg) => arg.split("=", 1)[0]);
    expect(flags.length).toBeGreaterThan(15);
    expect(flags.filter((flag) => !new RegExp(`${flag}[ ,]`).test(output))).toEqual([]);
    expect((await ended(runImage(image, ["uninstall", "--help"]))).code).toBe(0);
  });

  test("serves a cluster's objects as user 65532 on a read-only root, and stops when told", async () => {
    const hub = await startFakeApiServer({ tls: true });
    onTestFinished(() => hub.close());
    hub.seed(OBJECTS);
    const [dns, admin, metrics, peers] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const [http, https, xds] = [await freePort(), await freePort(), await freePort()];
    const values = [
      "crds.install=false",
      `dns.port=${dns}`,
      `admin.port=${admin}`,
      `metrics.port=${metrics}`,
      `peers.port=${peers}`,
      "terminationDrainSeconds=3",
      ...["proxy.http.enabled=true", `proxy.http.port=${http}`],
      ...["proxy.https.enabled=true", `proxy.https.port=${https}`, 'proxy.https.secrets=["shop-tls"]'],
      ...["xds.enabled=true", `xds.port=${xds}`, 'xds.secret="globalroute-xds"'],
    ];
    const manifests = renderChart([...values, `extraArgs=["--kubeconfig=/etc/globalroute/kubeconfig","--namespace=${NAMESPACE}"]`]);
    const [container] = controllerOf(manifests).template.spec.containers;
    const env = { POD_NAME: "globalroute-0", XDG_STATE_HOME: "/var/lib" };

    const run = runImage(
      image,
      container.args.map((arg) => arg.replace("$(POD_NAME)", env.POD_NAME)),
      env,
      etcFolder(folder, hub.kubeconfig()),
    );
    onTestFinished(() => void run.child.kill("SIGKILL"));
    const ready = async (): Promise<boolean> => {
      if (run.child.exitCode !== null) throw new Error("it ended");
      return (await fetch(`http://127.0.0.1:${metrics}/readyz`)).ok;
    };
    await eventually("the controller to be ready", ready, { within: 30_000, detail: run.output });
    const answer = async (): Promise<boolean> => (await dig(dns, "shop.example.org", "A")).answers.includes("192.0.2.10");
    await eventually("the route to be answered", answer, { detail: run.output });
    expect((await fetch(`http://127.0.0.1:${metrics}/healthz`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${http}/`)).status).toBe(404); // no route has the host
    const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    const certificates = [...text.matchAll(/^globalroute_proxy_certificate_expiry_seconds\{listener="(\w+)",certificate="(.+)"\}/gm)];
    expect(certificates.map(([, listener, file]) => `${listener} ${file}`)).toEqual([
      "proxy shop-tls/tls.crt",
      "xds /etc/globalroute/xds/ca.crt",
      "xds /etc/globalroute/xds/tls.crt",
    ]);

    const status = readFileSync(`/proc/${run.child.pid}/status`, "utf8"); // each program on the way there was replaced by the next
    expect(status).toMatch(/^Uid:\t65532\t65532/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);

    run.child.kill("SIGTERM");
    await eventually("it to say that it is not ready", async () => (await fetch(`http://127.0.0.1:${metrics}/readyz`)).status === 503, {
      detail: run.output,
    });
    expect(await answer()).toBe(true); // others take over meanwhile
    expect(await ended(run)).toMatchObject({ code: 0 });
  });
});

/** What the chart's volumes would hold. */
function etcFolder(parent: string, kubeconfig: string): string {
  const etc = join(parent, "etc");
  mkdirSync(join(etc, "keys"), { recursive: true });
  writeFileSync(join(etc, "kubeconfig"), kubeconfig);
  writeFileSync(join(etc, "keys", "peer-secret"), "p".repeat(64));
  writeFileSync(join(etc, "keys", "cookie-secret"), "0123456789abcdef0123456789abcdef");
  const { ca, cert, key } = readCertificates();
  for (const folder of ["proxy-certificates/shop-tls", "xds"]) {
    mkdirSync(join(etc, folder), { recursive: true });
    writeFileSync(join(etc, folder, "tls.crt"), cert);
    writeFileSync(join(etc, folder, "tls.key"), key);
  }
  writeFileSync(join(etc, "xds", "ca.crt"), ca);
  return etc;
}

const OBJECTS = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "web" } },
  {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "DNSZone",
    metadata: { name: "example-org" },
    spec: {
      domain: "example.org",
      provider: {
        type: "Embedded",
        embedded: { nameservers: ["ns1.example.org"], records: [{ name: "ns1", type: "A", values: ["192.0.2.53"] }] },
      },
      allowedRoutes: [{}],
    },
  },
  {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "MemberCluster",
    metadata: { name: "eu-west" },
    spec: { location: { cloud: "aws", region: "eu-west-1" } },
  },
  {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "GlobalRoute",
    metadata: { name: "shop", namespace: "web" },
    spec: { hosts: ["shop.example.org"], backends: [{ name: "eu", cluster: "eu-west", addresses: ["192.0.2.10"] }] },
  },
];
