/** With a city database, two clients of one country are sent to different clusters of that country. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { freeClusterPort } from "../../support/demo.ts";
import { dig } from "../../support/dig.ts";
import { writeMmdb } from "../../support/mmdb-writer.ts";
import { type Server, startServer } from "../../support/serve.ts";

const OREGON = "127.0.10.1";
const VIRGINIA = "127.0.10.2";
const city = (name: string, subdivision: string, latitude: number, longitude: number) => ({
  city: { names: { en: name } },
  continent: { code: "NA" },
  country: { iso_code: "US" },
  subdivisions: [{ iso_code: subdivision }],
  location: { latitude, longitude },
});

const objects = (port: number): string => `apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: oregon}
spec: {location: {cloud: aws, region: us-west-2}}
---
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: virginia}
spec: {location: {cloud: aws, region: us-east-1}}
---
apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: example}
spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}
---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  backends:
  - {name: oregon, cluster: oregon, addresses: [${OREGON}]}
  - {name: virginia, cluster: virginia, addresses: [${VIRGINIA}]}
  health: {probe: {port: ${port}}, interval: 1s, timeout: 500ms}
`;

describe.skipIf(!requireComponent("dns-clients", "dig"))("a city database", () => {
  let folder: string;
  let server: Server | undefined;
  const sites: HttpServer[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    const port = await freeClusterPort();
    for (const address of [OREGON, VIRGINIA]) {
      const site = createServer((_request, response) => response.end("ok\n")).listen(port, address);
      await once(site, "listening");
      sites.push(site);
    }
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(port));
    const mmdb = join(folder, "city.mmdb");
    const seattle = { network: "198.51.100.0/25", record: city("Seattle", "WA", 47.6, -122.3) };
    const boston = { network: "198.51.100.128/25", record: city("Boston", "MA", 42.4, -71.1) };
    writeFileSync(mmdb, writeMmdb([seattle, boston]));
    server = await startServer(
      "--config",
      join(folder, "config"),
      "--state",
      join(folder, "state"),
      "--mmdb",
      mmdb,
      "--probe-allow",
      "127.0.10.0/29",
    );
  });
  afterAll(async () => {
    await server?.stop();
    for (const site of sites) {
      site.closeAllConnections();
      site.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  test("Seattle gets Oregon and Boston gets Virginia, each with the scope of its half of the network", async () => {
    const ask = (client: string) => dig(server?.dnsPort ?? 0, `+subnet=${client}/32`, "shop.example.org", "A");
    await vi.waitFor(
      async () => {
        expect(await ask("198.51.100.7")).toMatchObject({ answers: [OREGON], subnet: "198.51.100.7/32/25" });
        expect(await ask("198.51.100.200")).toMatchObject({ answers: [VIRGINIA], subnet: "198.51.100.200/32/25" });
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});
