/** Clients of HTTP/2 that go without a word about their streams. */
import { once } from "node:events";
import { connect } from "node:http2";
import { afterEach, expect, test } from "vitest";
import { CA, openTls, SHOP, startFrontWorld } from "../../support/http1/front-world.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test.each(["ends", "is destroyed"])("a connection that %s in the middle takes its requests with it", async (how) => {
  const world = await startFrontWorld(() => {});
  const socket = await openTls(world, { ALPNProtocols: ["h2"] });
  const client = connect(`https://${SHOP}`, { ca: CA, createConnection: () => socket });
  closers.push(world.close, () => client.destroy());
  client.on("error", () => {});
  await once(client, "connect");
  const asked = once(world.upstream, "request");
  client.request({ ":authority": SHOP }).on("error", () => {});
  await asked;
  if (how === "ends") socket.end();
  else socket.destroy();
  await expect.poll(() => world.proxy.connections(), { timeout: 5000 }).toEqual({ clients: 0, open: 0, idle: 0 });
});
