/** The discovery service over real gRPC, with clients that do what Envoys do only when they are ill. */
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { expect, onTestFinished, test, vi } from "vitest";
import { ListenError } from "../../../src/model/listen-address.ts";
import type { EdgeRoute } from "../../../src/proxy/envoy/edge-route.ts";
import { connectDiscovery, type DiscoveryClient, TYPE_URLS } from "../../support/envoy/discovery-client.ts";
import { shopRoute, startFleet } from "../../support/envoy/edge-scene.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

const NODE = { id: "edge-1", locality: { region: "eu-west" } };
const named = (name: string, route: EdgeRoute = shopRoute(80)): EdgeRoute => ({
  ...route,
  key: `default/${name}`,
  hosts: [`${name}.example.org`],
});

const connect = (...args: Parameters<typeof connectDiscovery>): DiscoveryClient => {
  const client = connectDiscovery(...args);
  onTestFinished(() => client.close());
  return client;
};
const namesIn = ({ resources = [] }: DiscoveryClient["responses"][number]) => resources.map(({ name }) => name);

test("what a node rejects is told with its words and its routes, until it takes something else", async () => {
  const fleet = await startFleet();
  fleet.update([named("a"), named("b")]);
  const client = connect(fleet.port);
  client.send({ node: NODE, typeUrl: TYPE_URLS.cluster });
  await expect.poll(() => client.responses).toHaveLength(1);
  expect(namesIn(client.responses[0]!)).toEqual(["default/a", "default/b"]);
  client.answer(client.responses[0]!, "Error adding/updating cluster(s) default/b: no such file");
  const told = {
    node: "edge-1",
    type: "cluster",
    message: "Error adding/updating cluster(s) default/b: no such file",
    routes: ["default/b"],
  };
  await expect.poll(() => fleet.rejections()).toEqual([told]);
  expect(fleet.nodes()[0]?.types).toEqual({ cluster: "Rejected", loadAssignment: "Unasked", listener: "Unasked", routes: "Unasked" });

  const mended = named("b", { ...shopRoute(80), settings: { ...shopRoute(80).settings, mostRequests: 7 } });
  fleet.update([named("a"), mended]);
  await expect.poll(() => client.responses).toHaveLength(2);
  expect(namesIn(client.responses[1]!)).toEqual(["default/b"]);
  client.answer(client.responses[1]!);
  // Of the other one nobody knows whether it was taken: it was in the response that was rejected.
  await expect.poll(() => fleet.rejections()).toMatchObject([{ routes: ["default/a"] }]);
});

test("a node at a place that nobody plans for is told nothing, and of the last route's end each node is told", async () => {
  const fleet = await startFleet();
  fleet.update([named("a")]);
  const [here, elsewhere] = [connect(fleet.port), connect(fleet.port)];
  here.send({ node: NODE, typeUrl: TYPE_URLS.cluster });
  elsewhere.send({ node: { id: "edge-2", locality: { region: "mars" } }, typeUrl: TYPE_URLS.cluster });
  await expect.poll(() => fleet.nodes().map(({ id, place }) => `${id} ${place}`)).toEqual(["edge-1 ireland", "edge-2 undefined"]);
  await expect.poll(() => here.responses).toHaveLength(1);
  here.answer(here.responses[0]!);
  await expect.poll(() => fleet.totals().accepted).toBe(1);
  fleet.update([]);
  await expect.poll(() => here.responses[1]?.removedResources).toEqual(["default/a"]);
  expect(elsewhere.responses).toEqual([]);
});

test("hundreds of nodes of hundreds of routes: a flip is one resource for each, and then there is silence", async () => {
  const [nodes, count] = [200, 400];
  const fleet = await startFleet();
  const routes = Array.from({ length: count }, (_, i) => named(`app-${i}`));
  fleet.update(routes);
  const names = routes.map(({ key }) => key);
  const told: string[] = [];
  for (let i = 0; i < nodes; i++) {
    const client = connect(fleet.port, (response) => {
      told.push(...namesIn(response).map(String));
      client.answer(response);
      if (response.typeUrl !== TYPE_URLS.cluster) return;
      client.send({ typeUrl: TYPE_URLS.loadAssignment, resourceNamesSubscribe: names });
      client.send({ typeUrl: TYPE_URLS.routes, resourceNamesSubscribe: ["globalroute"] });
    });
    client.send({ node: { ...NODE, id: `edge-${i}` }, typeUrl: TYPE_URLS.cluster });
  }
  const isSettled = ({ cluster, loadAssignment, routes: hosts }: ReturnType<typeof fleet.nodes>[number]["types"]): boolean =>
    [cluster, loadAssignment, hosts].every((standing) => standing === "Current");
  const settledNodes = () => fleet.nodes().filter(({ types }) => isSettled(types)).length;
  await vi.waitFor(() => expect(settledNodes()).toBe(nodes), { timeout: 60_000, interval: 100 });
  expect(told).toHaveLength(nodes * (2 * count + 1));

  told.length = 0;
  fleet.update(routes.with(7, named("app-7", shopRoute(80, ["dublin"]))));
  await vi.waitFor(() => expect(told).toHaveLength(nodes), { timeout: 10_000 });
  expect(new Set(told)).toEqual(new Set(["default/app-7"]));
  await expect.poll(() => settledNodes()).toBe(nodes);
  const { responses } = fleet.totals();
  fleet.update(routes.with(7, named("app-7", shopRoute(80, ["dublin"]))));
  expect(fleet.totals().responses).toBe(responses);
});

test("a stream that does not say whose it is, or speaks no protobuf, ends with a reason", async () => {
  const fleet = await startFleet();
  const client = connect(fleet.port);
  client.send({ typeUrl: TYPE_URLS.cluster });
  expect(await client.ended).toContain("the first request of a stream must have a node");
  const raw = new Client(`127.0.0.1:${fleet.port}`, credentials.createInsecure());
  onTestFinished(() => raw.close());
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
  const stream = raw.makeBidiStreamRequest<Buffer, Buffer>(
    path,
    (bytes) => bytes,
    (bytes) => bytes,
    new Metadata(),
  );
  const ended = new Promise<string>((resolve) => stream.on("error", ({ message }) => resolve(message)));
  stream.resume().write(Buffer.from([0x0a, 0xff]));
  expect(await ended).toContain("INTERNAL");
  expect(fleet.nodes()).toEqual([]);
});

test("a node that goes is forgotten", async () => {
  const fleet = await startFleet();
  const client = connectDiscovery(fleet.port);
  client.send({ node: NODE, typeUrl: TYPE_URLS.cluster });
  await expect.poll(() => fleet.nodes()).toHaveLength(1);
  client.close();
  await expect.poll(() => fleet.nodes()).toEqual([]);
});

test("mutual TLS: who has no certificate of ours is not let in", async () => {
  const { ca, key, cert } = readCertificates();
  const [caPem, keyPem, certPem] = [ca, key, cert].map((text) => Buffer.from(text));
  const fleet = await startFleet({ tls: { certificate: certPem!, key: keyPem!, clientCa: caPem! } });
  fleet.update([named("a")]);
  const friend = connect(fleet.port, () => {}, credentials.createSsl(caPem!, keyPem!, certPem!));
  friend.send({ node: NODE, typeUrl: TYPE_URLS.cluster });
  await vi.waitFor(() => expect(friend.responses).toHaveLength(1), { timeout: 5000 });
  for (const channel of [credentials.createSsl(caPem!), credentials.createInsecure()]) {
    const stranger = connect(fleet.port, () => {}, channel);
    stranger.send({ node: NODE, typeUrl: TYPE_URLS.cluster });
    expect(await stranger.ended).toContain("UNAVAILABLE");
  }
});

test("certificates can be renewed while nodes are connected", async () => {
  const { ca, key, cert, expired } = readCertificates();
  const [caPem, keyPem, certPem, expiredPem] = [ca, key, cert, expired].map((text) => Buffer.from(text));
  const fleet = await startFleet({ tls: { certificate: certPem!, key: keyPem!, clientCa: caPem! } });
  fleet.update([named("a")]);
  const arrive = (): DiscoveryClient => {
    const client = connect(fleet.port, () => {}, credentials.createSsl(caPem!, keyPem!, certPem!));
    client.send({ node: NODE, typeUrl: TYPE_URLS.cluster });
    return client;
  };
  const first = arrive();
  await expect.poll(() => first.responses).toHaveLength(1);
  first.answer(first.responses[0]!);
  fleet.renew({ certificate: expiredPem!, key: keyPem!, clientCa: caPem! });
  expect(await arrive().ended).toContain("certificate has expired");
  fleet.renew({ certificate: certPem!, key: keyPem!, clientCa: caPem! });
  expect(() => fleet.renew({ certificate: certPem!, key: Buffer.from("no key"), clientCa: caPem! })).toThrow();
  const last = arrive();
  await expect.poll(() => last.responses).toHaveLength(1);
  fleet.update([named("a"), named("b")]);
  await expect.poll(() => first.responses).toHaveLength(2); // it never noticed
});

test("a port that somebody else has is told with the option that moves it", async () => {
  const fleet = await startFleet();
  const refused = startFleet({ listen: { address: "127.0.0.1", port: fleet.port } });
  await expect(refused).rejects.toThrow(ListenError);
  await expect(refused).rejects.toThrow(/is in use.*--envoy/);
});
