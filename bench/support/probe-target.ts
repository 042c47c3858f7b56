/** The probed side of `bench/probes.ts`: answers HTTP and HTTPS on every loopback address. Its own process; prints its two ports. */
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { readCertificates } from "../../test/support/tls/certificates.ts";

const { key, cert } = readCertificates();
// connections stay open between probes that are minutes apart
const options = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
const plain = createServer(options, (_, response) => response.end("ok"));
const secure = createTlsServer({ ...options, key, cert }, (_, response) => response.end("ok"));

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen({ port: 0, host: "0.0.0.0", backlog: 4096 }, () => resolve((server.address() as AddressInfo).port)),
  );

process.stdout.write(`${JSON.stringify({ http: await listen(plain), https: await listen(secure) })}\n`);
