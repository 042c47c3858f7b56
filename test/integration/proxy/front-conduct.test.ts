/** Clients that go on asking for what is refused, on real sockets. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { FrontSettings } from "../../../src/proxy/embedded/front/front-settings.ts";
import { type FrontWorld, openPlain, openTls, readAll, SHOP, startFrontWorld, tlsSettings } from "../../support/http1/front-world.ts";
import { Flag, FrameType, frame, get, goAway, PREFACE, resetStream, settings } from "../../support/http2/frames.ts";

/** So little comes back that no test waits for it. */
const conduct = { faults: { burst: 1, perSecond: 0.001 }, debt: 2, waiting: 1 };
const BAD = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
const GOOD = `GET / HTTP/1.1\r\nHost: ${SHOP}\r\nConnection: close\r\n\r\n`;

let world: FrontWorld | undefined;
const closing: Socket[] = [];
afterEach(async () => {
  for (const socket of closing.splice(0)) socket.destroy();
  await world?.close();
  world = undefined;
});

const start = async (front: Partial<FrontSettings>): Promise<FrontWorld> => {
  world = await startFrontWorld((_, response) => response.end("hello"), { conduct, ...front });
  return world;
};

async function say(text: string): Promise<Socket> {
  const socket = await openPlain(world!);
  closing.push(socket);
  socket.write(text);
  return socket;
}

const refused = (): number | undefined => world?.proxy.front.refused.get("refused-too-often");

test("first answered, then answered late, which others of the address do not feel", async () => {
  const { proxy } = await start({});
  expect(await readAll(await say(BAD))).toMatch(/^HTTP\/1.1 400 /);
  const begun = performance.now();
  const late = readAll(await say(BAD));
  await expect.poll(() => proxy.counters.requests).toBe(2);
  expect(await readAll(await say(GOOD))).toMatch(/^HTTP\/1.1 200 /);
  expect(await late).toMatch(/^HTTP\/1.1 400 /);
  expect(performance.now() - begun).toBeGreaterThan(1900);
});

test("then not read: one waits, others are closed", async () => {
  const { proxy } = await start({});
  for (let i = 0; i < 3; i++) await say(BAD);
  await expect.poll(() => proxy.counters.requests).toBe(3);
  const waiting = await say(GOOD);
  await expect.poll(refused).toBe(1);
  expect(await readAll(await say(GOOD))).toBe("");
  expect(waiting.closed).toBe(false);
  expect(await readAll(waiting)).toBe("");
  expect([proxy.counters.requests, refused()]).toEqual([3, 2]);
});

test("behind a proxy whose address all have, nobody pays for the others", async () => {
  world = await startFrontWorld((_, response) => response.end("hello"), {});
  for (let i = 0; i < 150; i++) expect(await readAll(await say(BAD))).toMatch(/^HTTP\/1.1 400 /);
  expect(await readAll(await say(GOOD))).toMatch(/^HTTP\/1.1 200 /);
});

test.each([
  {
    name: "handshakes for a host without a certificate",
    open: async () => void (await openTls(world!, { servername: "stranger.example.org" }).catch(() => {})),
  },
  { name: "what is no TLS", open: async () => void (await readAll(await say(GOOD))) },
])("$name count as faults", async ({ open }) => {
  await start({ tls: tlsSettings() });
  for (let i = 0; i < 3; i++) await open();
  closing.push(await openPlain(world!));
  await expect.poll(refused).toBe(1);
});

test("a connection of HTTP/2 that is cut counts as many", async () => {
  const one = { ...conduct, faults: { burst: 1, perSecond: 0.001 }, debt: 19 };
  await start({ conduct: one, tls: tlsSettings() });
  const socket = await openTls(world!, { ALPNProtocols: ["h2"] });
  closing.push(socket);
  const flood = Array.from({ length: 300 }, (_, i) => 2 * i + 1).flatMap((id) => [
    frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, id, get(SHOP)),
    resetStream(id, 8),
  ]);
  socket.resume();
  socket.write(Buffer.concat([PREFACE, settings(), ...flood]));
  if (!socket.closed) await once(socket, "close");
  closing.push(await openPlain(world!));
  await expect.poll(refused).toBe(1);
});

test.each([
  { name: "breaks", leave: (raw: Socket) => void raw.resetAndDestroy() },
  { name: "says goodbye with an error", leave: (_: Socket, socket: Socket) => void socket.write(goAway(2)) },
])("a connection of HTTP/2 that $name is no flood", async ({ leave }) => {
  world = await startFrontWorld((incoming, response) => void (incoming.url === "/" && response.end("hello")), {
    conduct: { ...conduct, debt: 19 },
    tls: tlsSettings(),
  });
  const { proxy } = world;
  for (let i = 1; i <= 2; i++) {
    const raw = await openPlain(world);
    const socket = await openTls(world, { socket: raw, ALPNProtocols: ["h2"] });
    socket
      .resume()
      .write(Buffer.concat([PREFACE, settings(), frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, 1, get(SHOP, "/wait"))]));
    await expect.poll(() => proxy.connections().clients).toBe(1);
    leave(raw, socket);
    await expect.poll(() => proxy.connections().clients).toBe(0);
  }
  const next = await openTls(world);
  next.write(GOOD);
  expect(await readAll(next)).toMatch(/^HTTP\/1.1 200 /);
  expect([...proxy.front.refused]).toEqual([]);
});

test("a proxy that is to end keeps nobody waiting", async () => {
  const { proxy } = await start({});
  for (let i = 0; i < 3; i++) await say(BAD);
  await expect.poll(() => proxy.counters.requests).toBe(3);
  const waiting = await say(GOOD);
  await expect.poll(refused).toBe(1);
  const begun = performance.now();
  const text = readAll(waiting);
  await world!.close();
  expect(await text).toBe("");
  expect(performance.now() - begun).toBeLessThan(1500);
});
