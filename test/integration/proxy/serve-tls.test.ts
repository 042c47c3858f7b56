/** `globalroute serve --proxy-tls`: requests by HTTP/2 and HTTPS go where DNS sends their clients, and renewed certificates are shown without a restart. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { connect } from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { globalroute } from "../../support/demo.ts";
import { freePort } from "../../support/free-port.ts";
import { CA, PEM, SHOP } from "../../support/http1/front-world.ts";
import { type Server, startServer } from "../../support/serve.ts";

const objects = (port: number): string =>
  [
    "kind: MemberCluster\nmetadata: {name: dublin}\nspec: {location: {cloud: aws, region: eu-west-1}}",
    "kind: DNSZone\nmetadata: {name: example}\nspec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}",
    `kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [${SHOP}, other.example.org]
  backends: [{name: dublin, cluster: dublin, addresses: [127.0.0.1]}]
  health: {probe: {port: ${port}, path: /healthz}, interval: 30s, timeout: 500ms}`,
  ]
    .map((object) => `---\napiVersion: globalroute.dev/v1alpha1\n${object}\n`)
    .join("");

describe("a server that does TLS", () => {
  let folder: string;
  let server: Server;
  let port: number;
  let site: HttpServer;
  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, "new"), text);
    renameSync(join(folder, "new"), join(folder, "certificates", name));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    site = createServer(({ headers }, response) => void response.end(`${headers["x-forwarded-for"]} ${headers["x-forwarded-proto"]}`));
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    for (const name of ["config", "certificates"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "config", "all.yaml"), objects((site.address() as AddressInfo).port));
    put("shop.crt", PEM.cert);
    put("shop.key", PEM.key);
    port = await freePort();
    server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.0.1/32"],
      ...["--proxy-tls", `127.0.0.1:${port}`, "--proxy-certificates", join(folder, "certificates")],
      ...["--proxy-protocol", "--proxy-protocol-from", "127.0.0.0/8"],
    );
  });
  afterAll(async () => {
    await server?.stop();
    site?.closeAllConnections();
    site?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Through a balancer that says who the client is. */
  async function shake(servername: string): Promise<TLSSocket> {
    const raw = connectTcp(port, "127.0.0.1");
    raw.write("PROXY TCP4 198.51.100.7 127.0.0.1 50000 443\r\n");
    const socket = connectTls({ socket: raw, servername, ca: [CA, PEM.other], ALPNProtocols: ["h2"] });
    await once(socket, "secureConnect");
    return socket;
  }

  test("by HTTP/2, for the client that the PROXY protocol names", async () => {
    const socket = await shake(SHOP);
    const client = connect(`https://${SHOP}`, { createConnection: () => socket });
    const stream = client.request({});
    const [fields] = await once(stream, "response");
    let body = "";
    for await (const piece of stream.setEncoding("utf8")) body += piece;
    expect([fields[":status"], body]).toEqual([200, "198.51.100.7 https"]);
    client.close();
  });

  test("a certificate that comes later is shown, a broken one is told of and changes nothing", async () => {
    await expect(shake("other.example.org")).rejects.toThrow(/unrecognized name/);
    put("shop.crt", "rubbish");
    put("other.key", PEM.otherKey);
    put("other.crt", PEM.other);
    await expect
      .poll(
        () =>
          shake("other.example.org").then(
            (socket) => socket.destroy() !== undefined,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true);
    (await shake(SHOP)).destroy();
    expect(server.log()).toMatch(/shop\.crt: it and .* are no certificate and its key .* The one before stays in use/);

    const metrics = await (await fetch(`${server.admin}/metrics`)).text();
    const left = [...metrics.matchAll(/^globalroute_proxy_certificate_expiry_seconds\{listener="proxy",certificate="(.+)"\} (\S+)$/gm)];
    expect(left.map(([, file]) => file)).toEqual(["other.crt", "shop.crt"]);
    for (const [, , seconds] of left) expect(Number(seconds) / 86_400).toBeGreaterThan(10_000);
  });

  test.each([
    { name: "TLS without certificates", flags: ["--proxy-tls", "127.0.0.1:0"], says: "--proxy-tls and --proxy-certificates go together" },
    { name: "networks without the protocol", flags: ["--proxy-protocol-from", "192.0.2.0/24"], says: "Give --proxy-protocol too" },
    {
      name: "a folder that is not there",
      flags: ["--proxy-tls", "127.0.0.1:0", "--proxy-certificates", "/nowhere"],
      says: "the folder of certificates /nowhere cannot be read (ENOENT)",
    },
  ])("$name is refused at the start", async ({ flags, says }) => {
    const own = ["--state", join(folder, "state2"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    const { code, stderr } = await globalroute("serve", "--config", join(folder, "config"), ...own, ...flags);
    expect(code).not.toBe(0);
    expect(stderr).toContain(says);
  });
});
