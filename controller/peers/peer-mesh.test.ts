import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { Vote } from "../../health/quorum.ts";
import { endpointOf } from "../../health/support/simulated-world.ts";
import type { ListenAddress } from "../../src/model/listen-address.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { createPeerClient, type PeerClient } from "./peer-client.ts";
import { createPeerMesh, type PeerMesh } from "./peer-mesh.ts";
import { type Hello, type PeerMessage, PROTOCOL } from "./peer-messages.ts";
import { bindingOf, PEER_TLS } from "./peer-tls.ts";
import { createSealer, sealKey, tlsKey } from "./seal.ts";
import { createVantageExchange } from "./vantage-exchange.ts";

const SECRET = "an-installation-secret-of-32-characters";
const CREDENTIAL = "the-credential-of-one-vantage-only-0001";
const ENDPOINT = endpointOf("c0");

const ports: KubePorts = {
  now: () => performance.now(),
  wallClock: Date.now,
  random: () => 0.1,
  setTimer(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Until it holds; a test that waits in vain ends by its own time limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function replica(instance: string, options: { readonly secret?: string; readonly incarnation?: string } = {}) {
  const trouble: string[] = [];
  const votes: Vote[] = [];
  const forgotten: string[] = [];
  const mesh: PeerMesh = createPeerMesh({
    self: { instance, incarnation: options.incarnation ?? instance, site: "hub", version: "1.0.0" },
    secret: options.secret ?? SECRET,
    listen: { address: "127.0.0.1", port: 0 },
    flag: "--peer-listen",
    ports,
    onTrouble: (who, why) => trouble.push(`${who.replace(/127.0.0.1(:\d+)?/, "HERE")}: ${why}`),
  });
  mesh.port.connect({
    offer: (_key, vote) => votes.push(vote),
    forget: ({ site, replica: name }) => forgotten.push(`${site}/${name}`),
    share: () => undefined,
  });
  mesh.port.setEndpoints(new Map([[ENDPOINT.key, ENDPOINT]]));
  const address = await mesh.start();
  cleanUps.push(mesh.close);
  return { mesh, address, trouble, votes, forgotten };
}

const helloOf = (role: Hello["role"], instance: string, site: string): Hello => ({
  type: "hello",
  protocol: PROTOCOL,
  role,
  instance,
  incarnation: `${instance}-x`,
  site,
  version: "1.0.0",
});

/** A client that may claim anything. */
function dial(
  { port }: ListenAddress,
  claim: { readonly name: string; readonly kind?: "replica" | "vantage"; readonly secret?: string; readonly hello?: Hello },
) {
  const troubles: string[] = [];
  const exchange = createVantageExchange({ ports, onTargets: (targets) => void targetCounts.push(targets.length) });
  const targetCounts: number[] = [];
  const client: PeerClient = createPeerClient({
    target: { host: "127.0.0.1", port },
    identity: { kind: claim.kind ?? "vantage", name: claim.name },
    secret: claim.secret ?? CREDENTIAL,
    hello: claim.hello ?? helloOf("vantage", claim.name, claim.name),
    ports,
    accept: (hello, stream) => exchange.dialled("hub", hello, stream),
    onTrouble: (why) => troubles.push(why),
  });
  cleanUps.push(client.close);
  return { client, troubles, exchange, targetCounts };
}

const vote = (at: number): Vote => ({
  site: "there",
  replica: "there",
  opinion: "unhealthy",
  at,
  reason: "refused",
  proven: true,
  firstSign: at,
  nextChange: at + 1000,
});

test("two replicas find each other, tell what they serve, and say bye", async () => {
  const [a, b] = [await replica("hub-a"), await replica("hub-b")];
  for (const one of [a, b]) one.mesh.setPeers([a.address, b.address]); // one's own address does no harm
  const served = { version: 3, generations: new Map([["GlobalRoute/web/shop", 2]]) };
  for (const one of [a, b]) one.mesh.port.published(served);
  await until(() => [a, b].every(({ mesh }) => mesh.programmed("GlobalRoute/web/shop", 2).reported === 2));
  expect(a.mesh.programmed("GlobalRoute/web/shop", 2)).toEqual({ reported: 2, of: 2, waitingFor: [] });
  expect(a.mesh.status()).toMatchObject([{ role: "replica", name: "hub-b", site: "hub", state: "Connected", silence: expect.any(Number) }]);
  a.mesh.port.voted(ENDPOINT.key, { ...vote(Date.now()), site: "hub", replica: "hub-a" });
  await until(() => b.votes.length > 0);
  expect(b.votes[0]).toMatchObject({ site: "hub", replica: "hub-a", opinion: "unhealthy", proven: true });
  await b.mesh.close();
  await until(() => a.forgotten.length > 0);
  expect(a.forgotten).toEqual(["hub/hub-b"]);
  expect([...a.trouble, ...b.trouble].filter((text) => !/ECONNREFUSED|ECONNRESET|bye|lost/.test(text))).toEqual([]);
});

test("a vantage is given its targets and is heard", async () => {
  const hub = await replica("hub-a");
  hub.mesh.setCredentials(new Map([["there", CREDENTIAL]]));
  const there = dial(hub.address, { name: "there" });
  await until(() => there.targetCounts.length > 0);
  expect(there.targetCounts).toEqual([1]);
  there.exchange.voted(ENDPOINT.key, vote(Date.now()));
  await until(() => hub.votes.length > 0);
  expect(hub.votes[0]).toMatchObject({ site: "there", replica: "there", reason: "refused" });
  expect(hub.trouble).toEqual([]);
});

describe("turned away", () => {
  const cases: readonly { name: string; claim: Parameters<typeof dial>[1]; hub: string }[] = [
    { name: "a wrong key", claim: { name: "there", secret: "not-the-credential-of-this-vantage-0002" }, hub: "HERE: handshake" },
    { name: "a name that nobody has", claim: { name: "nobody" }, hub: "HERE: handshake" },
    { name: "a replica with a vantage's key", claim: { name: "hub-b", kind: "replica" }, hub: "HERE: handshake" },
    {
      name: "a vantage in another's name",
      claim: { name: "there", hello: helloOf("vantage", "elsewhere", "elsewhere") },
      hub: "vantage there (HERE): refused",
    },
    {
      name: "a vantage that says it is a replica",
      claim: { name: "there", hello: helloOf("replica", "hub-b", "hub") },
      hub: "vantage there (HERE): refused",
    },
  ];
  test.each(cases)("$name", async ({ claim, hub }) => {
    const listener = await replica("hub-a");
    listener.mesh.setCredentials(
      new Map([
        ["there", CREDENTIAL],
        ["elsewhere", "the-credential-of-the-other-vantage-0003"],
      ]),
    );
    const { troubles } = dial(listener.address, claim);
    await until(() => troubles.length > 0 && listener.trouble.length > 0);
    expect(listener.trouble[0]).toContain(hub);
    expect(listener.mesh.status()).toEqual([]);
  });

  test("a replica of another installation", async () => {
    const [a, b] = [await replica("hub-a"), await replica("hub-b", { secret: "the-secret-of-another-installation-0004" })];
    b.mesh.setPeers([a.address]);
    await until(() => a.trouble.length > 0 && b.trouble.length > 0);
    expect(a.mesh.status()).toEqual([]);
  });

  test("whoever speaks no TLS", async () => {
    const hub = await replica("hub-a");
    const socket = connectPlain(hub.address.port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("close", resolve));
    expect(hub.trouble[0]).toContain("handshake");
  });
});

test("a credential that is taken away ends its stream at once, and another one lets nobody in with the old", async () => {
  const hub = await replica("hub-a");
  hub.mesh.setCredentials(new Map([["there", CREDENTIAL]]));
  const there = dial(hub.address, { name: "there" });
  await until(() => there.targetCounts.length > 0);
  there.exchange.voted(ENDPOINT.key, vote(Date.now()));
  await until(() => hub.votes.length > 0);
  hub.mesh.setCredentials(new Map());
  expect(hub.forgotten).toEqual(["there/there"]);
  expect(hub.mesh.status()).toEqual([]);
  await until(() => there.troubles.length > 0);
  hub.mesh.setCredentials(new Map([["there", "a-new-credential-of-the-same-vantage-05"]]));
  await until(() => there.troubles.length > 2);
  expect(hub.mesh.status()).toEqual([]);
});

/** A connection with a real handshake and nothing else. */
async function bare({ port }: ListenAddress): Promise<TLSSocket> {
  const socket = connect({
    ...PEER_TLS,
    host: "127.0.0.1",
    port,
    pskCallback: () => ({ psk: tlsKey(CREDENTIAL), identity: "vantage/there" }),
    checkServerIdentity: () => undefined,
  });
  cleanUps.push(() => socket.destroy());
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  return socket;
}

const sealerOf = (socket: TLSSocket) => createSealer(sealKey(CREDENTIAL, bindingOf(socket), "dialler"), "there");
const lineOf = (sealer: ReturnType<typeof createSealer>, message: PeerMessage) => sealer.seal(JSON.stringify(message), Date.now());

test("what was said on one connection counts on no other, and not twice on the same", async () => {
  const hub = await replica("hub-a");
  hub.mesh.setCredentials(new Map([["there", CREDENTIAL]]));
  const first = await bare(hub.address);
  const sealer = sealerOf(first);
  const hello = lineOf(sealer, helloOf("vantage", "there", "there"));
  first.write(hello);
  await until(() => hub.mesh.status().length === 1);
  const second = await bare(hub.address);
  second.write(hello);
  await until(() => hub.trouble.length === 1);
  first.write(hello);
  await until(() => hub.trouble.length === 2);
  expect(hub.trouble).toEqual(["vantage there (HERE): signature", "vantage there (HERE): sequence"]);
});

test("sessions cannot be resumed: each connection proves its key", async () => {
  const hub = await replica("hub-a");
  hub.mesh.setCredentials(new Map([["there", CREDENTIAL]]));
  const first = await bare(hub.address);
  expect(first.getProtocol()).toBe("TLSv1.2");
  expect(first.getCipher().name).toBe("ECDHE-PSK-CHACHA20-POLY1305");
  expect(first.getTLSTicket()).toBeUndefined();
  const session = first.getSession();
  hub.mesh.setCredentials(new Map());
  const again = connect({
    ...PEER_TLS,
    host: "127.0.0.1",
    port: hub.address.port,
    ...(session === undefined ? {} : { session }),
    pskCallback: () => ({ psk: tlsKey(CREDENTIAL), identity: "vantage/there" }),
    checkServerIdentity: () => undefined,
  });
  const error = await new Promise((resolve) => again.once("error", resolve).once("secureConnect", () => resolve("let in")));
  expect(error).toBeInstanceOf(Error);
});

test("a client that reads nothing holds up nobody, and is told no more than fits", async () => {
  const hub = await replica("hub-a");
  hub.mesh.setCredentials(
    new Map([
      ["there", CREDENTIAL],
      ["elsewhere", SECRET],
    ]),
  );
  const socket = await bare(hub.address);
  socket.pause();
  socket.write(lineOf(sealerOf(socket), helloOf("vantage", "there", "there")));
  const reader = dial(hub.address, { name: "elsewhere", secret: SECRET });
  await until(() => hub.mesh.status().length === 2 && reader.targetCounts.length > 0);
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 1; round <= 4; round++) {
    const endpoints = Array.from({ length: 3000 + round }, (_, i) => endpointOf(`c${i}`, { rise: round }));
    hub.mesh.port.setEndpoints(new Map(endpoints.map((endpoint) => [endpoint.key, endpoint])));
    await until(() => reader.targetCounts.at(-1) === 3000 + round);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
});
