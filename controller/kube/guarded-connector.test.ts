import type { LookupAddress } from "node:dns";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { parseNetwork } from "../../src/model/ip.ts";
import { guardedConnector, type LookupAll } from "./guarded-connector.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const loopback = parseNetwork("127.0.0.0/8")!;

async function listen(): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

/** @param found what the resolver answers */
async function connect(hostname: string, found: readonly LookupAddress[], allow: readonly (typeof loopback)[] = []) {
  const { port, sockets } = await listen();
  const lookup: LookupAll = (_, __, callback) => queueMicrotask(() => callback(null, found));
  const connector = guardedConnector(allow, { timeout: 1000 }, lookup);
  const error = await new Promise<Error | null>((resolve) => {
    connector({ hostname, protocol: "http:", port: String(port) }, (failed, socket) => {
      if (failed === null) closers.push(() => void socket?.destroy());
      resolve(failed);
    });
  });
  return { error, sockets };
}

const refused: readonly { readonly host: string; readonly found?: string; readonly says: string }[] = [
  { host: "127.0.0.1", says: "127.0.0.1 is a forbidden address: loopback" },
  { host: "[::1]", says: "::1 is a forbidden address: loopback" },
  { host: "[::ffff:127.0.0.1]", says: "loopback" },
  { host: "169.254.169.254", says: "metadata service" },
  { host: "0.0.0.0", says: "unspecified" },
  { host: "api.example.org", found: "127.0.0.1", says: "api.example.org (127.0.0.1) is a forbidden address: loopback" },
  { host: "api.example.org", found: "169.254.1.1", says: "link-local" },
  { host: "api.example.org", found: "fd00:ec2::254", says: "metadata service" },
];

test.each(refused)("$host $found", async ({ host, found, says }) => {
  const { error, sockets } = await connect(host, found === undefined ? [] : [{ address: found, family: found.includes(":") ? 6 : 4 }]);
  expect(error?.message).toContain(says);
  expect(sockets).toEqual([]);
});

test("an allowed network is reached, by address and by name", async () => {
  expect((await connect("127.0.0.1", [], [loopback])).error).toBeNull();
  expect((await connect("api.example.org", [{ address: "127.0.0.1", family: 4 }], [loopback])).error).toBeNull();
});

test("of several addresses the forbidden ones are left out", async () => {
  const found = [
    { address: "169.254.169.254", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  expect((await connect("api.example.org", found, [loopback])).error).toBeNull();
});
