import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createModelClient, type ModelClient } from "../../../test/support/envoy/model-client.ts";
import { isBusy, newStream, receive, respond, type StreamResponse, type StreamState } from "./ads-state.ts";
import {
  type EncodedResource,
  NO_RESOURCES,
  RESOURCE_TYPES,
  type ResourceSet,
  type ResourceType,
  resourceSet,
  type Snapshot,
} from "./resource-set.ts";
import type { DeltaRequest, StreamRequest, WholeRequest } from "./subscription.ts";

const hash = (text: string): string => text;
const resource = (name: string, version: string): EncodedResource => ({
  name,
  version,
  bytes: new TextEncoder().encode(`${name}@${version}`),
});
const setOf = (entries: Readonly<Record<string, string>>): ResourceSet =>
  resourceSet(
    Object.entries(entries).map(([name, version]) => resource(name, version)),
    hash,
  );

/** Clusters, endpoints and routes that speak of each other: name → version of its endpoints, and of the cluster itself. */
const snapshotOf = (assignments: Readonly<Record<string, string>>, clusters: Readonly<Record<string, string>> = {}): Snapshot => ({
  cluster: setOf(Object.fromEntries(Object.keys(assignments).map((name) => [name, clusters[name] ?? "c"]))),
  loadAssignment: setOf(assignments),
  listener: setOf({ globalroute: "l" }),
  routes: setOf({ globalroute: Object.keys(assignments).join(" ") }),
});

const variants = ["StateOfTheWorld", "Delta"] as const;

/** A server's stream and a client, and what is on its way between them, each way in order. */
class Link {
  state: StreamState;
  readonly toClient: StreamResponse[] = [];
  readonly toServer: StreamRequest[];
  sent = 0;
  readonly client: ModelClient;
  constructor(variant: StreamRequest["variant"], client = createModelClient(variant)) {
    this.client = client;
    this.state = newStream(variant);
    this.toServer = [...client.start()];
  }
  push(snapshot: Snapshot): void {
    const { stream, responses } = respond(this.state, snapshot);
    this.state = stream;
    this.sent += responses.length;
    this.toClient.push(...responses);
  }
  serverReads(snapshot: Snapshot): void {
    const request = this.toServer.shift();
    if (request !== undefined) this.state = receive(this.state, request);
    this.push(snapshot);
  }
  clientReads(isAccepted = true): void {
    const response = this.toClient.shift();
    if (response !== undefined) this.toServer.push(...this.client.take(response, isAccepted));
  }
  settle(snapshot: Snapshot): void {
    this.push(snapshot);
    while (this.toServer.length + this.toClient.length > 0) {
      this.clientReads();
      this.serverReads(snapshot);
    }
  }
}

const versions = (set: ResourceSet): Readonly<Record<string, string>> =>
  Object.fromEntries(set.list.map(({ name, version }) => [name, version]));
const whole = (client: ModelClient) => Object.fromEntries(RESOURCE_TYPES.map((type) => [type, Object.fromEntries(client.has[type])]));
const wholeOf = (snapshot: Snapshot) => Object.fromEntries(RESOURCE_TYPES.map((type) => [type, versions(snapshot[type])]));

/** Whatever the client's routes speak of is there, with endpoints. */
const canServe = ({ has }: ModelClient): boolean =>
  [...has.routes.values()]
    .flatMap((text) => text.split(" ").filter(Boolean))
    .every((name) => has.cluster.has(name) && has.loadAssignment.has(name));

const versioned = (choice: readonly string[]) =>
  fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom(...choice), { maxKeys: 4, noNullPrototype: true });
const worlds = fc.array(
  fc.tuple(versioned(["1", "2", "3"]), versioned(["c", "c2"])).map(([assignments, clusters]) => snapshotOf(assignments, clusters)),
  { minLength: 1, maxLength: 6 },
);
const steps = fc.array(fc.constantFrom("client", "server", "change"), { maxLength: 60 });

describe.each(variants)("%s", (variant) => {
  test("whatever changes when, routes never speak of what is not there, and in the end the client has what there is", () => {
    fc.assert(
      fc.property(worlds, steps, fc.boolean(), (snapshots, order, isFresh) => {
        const link = new Link(variant);
        let at = 0;
        const now = () => snapshots[at % snapshots.length]!;
        if (!isFresh) link.settle(now());
        for (const step of order) {
          if (step === "client") link.clientReads();
          if (step === "server") link.serverReads(now());
          if (step === "change") at++;
          expect(canServe(link.client)).toBe(true);
        }
        link.settle(now());
        expect(whole(link.client)).toEqual(wholeOf(now()));
        expect([...link.client.warming]).toEqual([]);
        const { sent } = link;
        link.push(now());
        expect(link.sent).toBe(sent);
      }),
      { numRuns: 300 },
    );
  });

  test("after rejections, too, the client has in the end what there is then", () => {
    fc.assert(
      fc.property(worlds, fc.array(fc.constantFrom("accept", "reject", "server", "change"), { maxLength: 60 }), (snapshots, order) => {
        const link = new Link(variant);
        let at = 0;
        for (const step of order) {
          if (step === "accept" || step === "reject") link.clientReads(step === "accept");
          if (step === "server") link.serverReads(snapshots[at % snapshots.length]!);
          if (step === "change") at++;
        }
        link.settle(snapshots[0]!);
        // Everything is another one now: what was rejected is told anew.
        const last: Snapshot = {
          cluster: setOf({ z: "9" }),
          loadAssignment: setOf({ z: "9" }),
          listener: setOf({ globalroute: "9" }),
          routes: setOf({ globalroute: "z" }),
        };
        link.settle(last);
        expect(whole(link.client)).toEqual(wholeOf(last));
      }),
      { numRuns: 300 },
    );
  });

  test("one flip is one resource in one response, and its ACK is followed by silence", () => {
    const link = new Link(variant);
    link.settle(snapshotOf({ a: "1", b: "1", c: "1" }));
    const after = snapshotOf({ a: "1", b: "2", c: "1" });
    const { responses } = respond(link.state, after);
    expect(responses.map(({ type, resources, removed }) => [type, resources.map(({ name }) => name), removed])).toEqual([
      ["loadAssignment", ["b"], []],
    ]);
    const { sent } = link;
    link.settle(after);
    expect(link.sent).toBe(sent + 1);
  });

  test("a cluster that changes is told with its endpoints after it, though they have not changed, and no ACK is waited for", () => {
    const link = new Link(variant);
    link.settle(snapshotOf({ a: "1", b: "1", c: "1" }));
    const after = snapshotOf({ a: "1", b: "1", c: "1" }, { b: "c2" });
    const { sent } = link;
    link.push(after);
    expect(link.toClient.map(({ type, resources }) => [type, ...resources.map(({ name }) => name)])).toEqual([
      ["cluster", ...(variant === "Delta" ? ["b"] : ["a", "b", "c"])],
      ["loadAssignment", "b"],
    ]);
    link.settle(after);
    expect([link.sent, [...link.client.warming]]).toEqual([sent + 2, []]);
  });

  test("endpoints that are under way when their cluster changes are told again after it", () => {
    const link = new Link(variant);
    link.settle(snapshotOf({ a: "1" }));
    link.push(snapshotOf({ a: "2" }));
    const after = snapshotOf({ a: "2" }, { a: "c2" });
    link.settle(after);
    expect([whole(link.client), [...link.client.warming]]).toEqual([wholeOf(after), []]);
  });

  test("who comes back is told the endpoints of the clusters that have changed meanwhile, whatever it asks for first", () => {
    for (const isReversed of [false, true]) {
      const before = new Link(variant);
      before.settle(snapshotOf({ a: "1", b: "1" }));
      const link = new Link(variant, createModelClient(variant, before.client.has));
      if (isReversed) link.toServer.reverse();
      const after = snapshotOf({ a: "1", b: "1" }, { a: "c2" });
      const told: (readonly string[])[] = [];
      while (link.toServer.length + link.toClient.length > 0) {
        link.serverReads(after);
        for (const { type, resources } of link.toClient) told.push([type, ...resources.map(({ name }) => name)]);
        link.clientReads();
      }
      expect([whole(link.client), [...link.client.warming]]).toEqual([wholeOf(after), []]);
      if (variant === "Delta") expect(new Set(told.map(String))).toEqual(new Set(["cluster,a", "loadAssignment,a"]));
    }
  });

  test("what changes while a response is under way is told once, as it is in the end", () => {
    const link = new Link(variant);
    link.settle(snapshotOf({ a: "1" }));
    const { sent } = link;
    for (const version of ["2", "3", "4", "5"]) link.push(snapshotOf({ a: version }));
    expect(link.toClient.map(({ resources }) => resources[0]?.version)).toEqual(["2"]);
    link.settle(snapshotOf({ a: "5" }));
    expect(link.sent).toBe(sent + 2);
    expect(link.client.has.loadAssignment.get("a")).toBe("5");
  });

  test("a NACK is kept with the client's words until something else is taken", () => {
    const link = new Link(variant);
    link.settle(snapshotOf({ a: "1", b: "1" }));
    const bad = snapshotOf({ a: "2", b: "1" });
    link.push(bad);
    link.clientReads(false);
    link.serverReads(bad);
    expect(link.state.types.loadAssignment.rejection).toMatchObject({ message: "no", resources: [{ name: "a", version: "2" }] });
    expect(link.toClient).toEqual([]);
    link.settle(snapshotOf({ a: "3", b: "1" }));
    expect(link.state.types.loadAssignment.rejection).toBeUndefined();
    expect(link.client.has.loadAssignment.get("a")).toBe("3");
  });

  test("clusters stay as long as routes without them are rejected", () => {
    const link = new Link(variant);
    link.settle(snapshotOf({ a: "1", b: "1" }));
    const after = snapshotOf({ a: "1" });
    link.push(after);
    expect(link.toClient.map(({ type }) => type)).toEqual(["routes"]);
    link.clientReads(false);
    link.serverReads(after);
    expect(link.toClient).toEqual([]);
    expect(link.client.has.cluster.has("b")).toBe(true);
  });

  test("streams that ask for the same share one set of names", () => {
    const snapshot = snapshotOf({ a: "1", b: "1" });
    const link = new Link(variant);
    link.settle(snapshot);
    expect(link.state.types.loadAssignment.subscription?.names).toBe(snapshot.loadAssignment.names);
  });
});

test("a whole configuration can wait, who serves cannot", () => {
  const large = (name: string, version: string) => ({ ...resource(name, version), bytes: new Uint8Array(100_000) });
  const sized = (version: string): Snapshot => {
    const { cluster, listener, routes } = snapshotOf({ a: "1" });
    return {
      listener,
      routes,
      cluster: resourceSet([large("a", cluster.list[0]!.version)], hash),
      loadAssignment: resourceSet([large("a", version)], hash),
    };
  };
  const [request] = createModelClient("Delta").start();
  const asked = receive(newStream("Delta"), request!);
  const held = respond(asked, sized("1"), false);
  expect([held.isHeld, held.responses, held.stream.types.cluster]).toEqual([true, [], asked.types.cluster]);
  expect(isBusy(respond(asked, sized("1")).stream)).toBe(true);

  const link = new Link("Delta");
  link.settle(sized("1"));
  expect(isBusy(link.state)).toBe(false);
  const flip = respond(link.state, sized("2"), false);
  expect([flip.isHeld, flip.responses.map(({ type }) => type)]).toEqual([false, ["loadAssignment"]]);
});

test("routes wait for endpoints that are asked for while others are under way", () => {
  const link = new Link("Delta");
  link.settle(snapshotOf({ a: "1" }));
  link.push(snapshotOf({ a: "2" }));
  const after = snapshotOf({ a: "2", b: "1" });
  link.push(after);
  const [flip, cluster] = link.toClient.splice(0);
  const [subscription, ack] = link.client.take(cluster!, true);
  link.toServer.push(subscription!, ack!);
  link.serverReads(after);
  link.serverReads(after);
  expect(link.toClient).toEqual([]); // the flip's answer is still to come
  link.toServer.push(...link.client.take(flip!, true));
  link.serverReads(after);
  expect(link.toClient.map(({ type }) => type)).toEqual(["loadAssignment", "routes"]);
});

const wholeRequest = (type: ResourceType, names: readonly string[], nonce = "", error?: string): WholeRequest => ({
  ...{ variant: "StateOfTheWorld", type, names, nonce, error },
});
const deltaRequest = (type: ResourceType, more: Partial<DeltaRequest> = {}): DeltaRequest => ({
  ...{ variant: "Delta", type, subscribe: [], unsubscribe: [], has: {}, nonce: "", error: undefined },
  ...more,
});

/** Type, names of resources and of those removed, of each response to requests that come one after another. */
function answers(snapshot: Snapshot, requests: readonly StreamRequest[]): readonly string[] {
  let stream = newStream(requests[0]!.variant);
  return requests.map((request) => {
    const answered = respond(receive(stream, request), snapshot);
    stream = answered.stream;
    return answered.responses
      .map(({ type, resources, removed }) => [type, ...resources.map(({ name }) => name), ...removed.map((name) => `-${name}`)].join(" "))
      .join("; ");
  });
}

describe("corners of the protocol", () => {
  const snapshot = snapshotOf({ a: "1", b: "1" });
  const nobody = { cluster: NO_RESOURCES, loadAssignment: NO_RESOURCES, listener: NO_RESOURCES, routes: NO_RESOURCES };
  const cases: readonly { name: string; snapshot?: Snapshot; requests: readonly StreamRequest[]; told: readonly string[] }[] = [
    { name: "no names are all clusters", requests: [wholeRequest("cluster", [])], told: ["cluster a b"] },
    { name: "an asterisk is all clusters", requests: [wholeRequest("cluster", ["*"])], told: ["cluster a b"] },
    { name: "no names are no endpoints", requests: [wholeRequest("loadAssignment", [])], told: [""] },
    {
      name: "no names after names are none",
      requests: [wholeRequest("cluster", ["a"]), wholeRequest("cluster", [], "1"), wholeRequest("cluster", ["b"], "1")],
      told: ["cluster a", "", "cluster b"],
    },
    { name: "a world without clusters is told", snapshot: nobody, requests: [wholeRequest("cluster", [])], told: ["cluster"] },
    { name: "of a name that is not there nothing is told", requests: [wholeRequest("loadAssignment", ["z"])], told: [""] },
    { name: "a cluster that is not there is told by its absence", requests: [wholeRequest("cluster", ["z"])], told: ["cluster"] },
    {
      name: "an answer to an older response changes nothing",
      requests: [
        wholeRequest("loadAssignment", ["a"]),
        wholeRequest("loadAssignment", ["a", "b"], "0"),
        wholeRequest("loadAssignment", ["a", "b"], "1"),
      ],
      told: ["loadAssignment a", "", "loadAssignment b"],
    },
    {
      name: "what is asked for before the first answer is told after it",
      requests: [
        wholeRequest("loadAssignment", ["a"]),
        wholeRequest("loadAssignment", ["a", "b"]),
        wholeRequest("loadAssignment", ["a", "b"], "1"),
      ],
      told: ["loadAssignment a", "", "loadAssignment b"],
    },
    { name: "delta: no names are all clusters", requests: [deltaRequest("cluster")], told: ["cluster a b"] },
    { name: "delta: a world without clusters is told", snapshot: nobody, requests: [deltaRequest("cluster")], told: ["cluster"] },
    {
      name: "delta: who comes back is told what changed and what went",
      requests: [deltaRequest("cluster", { has: { a: "c", b: "old", z: "c" } })],
      told: ["cluster b -z"],
    },
    {
      name: "delta: who comes back with all of it is told nothing",
      requests: [deltaRequest("cluster", { has: { a: "c", b: "c" } })],
      told: [""],
    },
    {
      name: "delta: a name that is not there is told as removed",
      requests: [deltaRequest("loadAssignment", { subscribe: ["a", "z"] })],
      told: ["loadAssignment a -z"],
    },
    {
      name: "delta: a name that is asked for again is told again",
      requests: [deltaRequest("loadAssignment", { subscribe: ["a"] }), deltaRequest("loadAssignment", { subscribe: ["a"], nonce: "1" })],
      told: ["loadAssignment a", "loadAssignment a"],
    },
    {
      name: "delta: names may be given up in any request",
      requests: [
        deltaRequest("loadAssignment", { subscribe: ["a", "b"] }),
        deltaRequest("loadAssignment", { unsubscribe: ["b"] }),
        deltaRequest("loadAssignment", { nonce: "1", subscribe: ["z"] }),
      ],
      told: ["loadAssignment a b", "", "loadAssignment -z"],
    },
    {
      name: "delta: everything is given up by its asterisk",
      requests: [
        deltaRequest("cluster", { subscribe: ["*"] }),
        deltaRequest("cluster", { unsubscribe: ["*"], subscribe: ["b"], nonce: "1" }),
      ],
      told: ["cluster a b", "cluster b"],
    },
    {
      name: "a client that names its clusters gets routes before it asks for those",
      requests: [wholeRequest("routes", ["globalroute"]), wholeRequest("cluster", ["a"])],
      told: ["routes globalroute", "cluster a"],
    },
  ];
  test.each(cases)("$name", (c) => expect(answers(c.snapshot ?? snapshot, c.requests)).toEqual(c.told));
});

test.each(variants)("%s: clients that arrive one after the other are told the same lists, which are encoded once", (variant) => {
  const snapshot = snapshotOf({ a: "1", b: "1" });
  const told = (): ReadonlyMap<ResourceType, readonly EncodedResource[]> => {
    const link = new Link(variant);
    const lists = new Map<ResourceType, readonly EncodedResource[]>();
    for (let i = 0; i < 20; i++) {
      link.serverReads(snapshot);
      for (const { type, resources } of link.toClient) if (!lists.has(type)) lists.set(type, resources);
      link.clientReads(true);
    }
    return lists;
  };
  const [first, second] = [told(), told()];
  expect([...first.keys()].sort()).toEqual([...RESOURCE_TYPES].sort());
  for (const [type, list] of first) expect(second.get(type)).toBe(list);
});
