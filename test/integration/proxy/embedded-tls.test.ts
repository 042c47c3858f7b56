/** The embedded proxy in front of endpoints that speak TLS. */
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ms } from "../../../src/model/units.ts";
import type { UpstreamTls } from "../../../src/proxy/embedded/forward/endpoints.ts";
import { openProxyServer } from "../../../src/proxy/embedded/forward/proxy-server.ts";
import { PROXY_SETTINGS, type ProxySettings } from "../../../src/proxy/embedded/forward/settings.ts";
import { send } from "../../support/haproxy/http-load.ts";
import { routed } from "../../support/http1/proxy-world.ts";
import { realPorts } from "../../support/real-ports.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

const { ca, cert, key, expired } = readCertificates();

/** An endpoint with this certificate, and a proxy that speaks to it so. */
async function scene(tls: UpstreamTls, shown = cert, settings: Partial<ProxySettings> = { upstreamCa: ca }) {
  const names: (string | false)[] = [];
  let handshakes = 0;
  const server = createServer({ key, cert: shown }, (_, response) => response.end("over TLS")).listen(0, "127.0.0.1");
  server.on("secureConnection", (socket) => {
    handshakes++;
    names.push(socket.servername ?? "");
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const proxy = await openProxyServer(
    { address: "127.0.0.1", port: 0 },
    routed(() => [[{ id: "one", address: "127.0.0.1", port, tls }]]),
    { ...realPorts, now: () => ms(performance.now()), onError: (error) => expect.fail(String(error)) },
    { ...PROXY_SETTINGS, ...settings },
  );
  onTestFinished(() => proxy.close(ms(0)));
  return { ask: (method: string) => send(proxy.port, { method }), names, handshakes: () => handshakes };
}

test("requests go over few connections, with the probe's host as server name", async () => {
  const { ask, names, handshakes } = await scene({ host: "shop.example.org", verify: true });
  for (const method of ["GET", "POST", "GET", "POST"]) expect(await ask(method)).toMatchObject({ status: 200, body: "over TLS" });
  expect([handshakes(), names]).toEqual([1, ["shop.example.org"]]);
});

const refused: readonly { name: string; tls: UpstreamTls; shown?: string }[] = [
  { name: "for another host", tls: { host: "other.example.org", verify: true } },
  { name: "that has ended", tls: { host: "shop.example.org", verify: true }, shown: expired },
];
test.each(refused)("a certificate $name: nothing is sent", async ({ tls, shown }) => {
  const { ask } = await scene(tls, shown);
  expect(await ask("GET")).toMatchObject({ status: 503 });
  expect(await ask("POST")).toMatchObject({ status: 503 });
});

test("a certificate of an authority that nobody knows is refused, unless any certificate will do", async () => {
  expect(await (await scene({ host: "shop.example.org", verify: true }, cert, {})).ask("GET")).toMatchObject({ status: 503 });
  expect(await (await scene({ host: "other.example.org", verify: false }, expired, {})).ask("GET")).toMatchObject({ status: 200 });
});
