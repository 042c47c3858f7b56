/**
 * Many Envoys, as far as a control plane can tell, in a process of their own: each has a TCP connection and a stream, half of them speak the state of
 * the world, half delta. `fork` it with the port of the control plane, the number of nodes and that of routes, and send it {@link NodesOrder}s; each is
 * answered by a {@link NodesAnswer}. HTTP/2 by hand, as a channel of gRPC for each would need more memory than the server that is looked at.
 */
import { type ClientHttp2Session, connect } from "node:http2";
import protobuf from "protobufjs/light.js";
import { encode, typeUrl } from "../../../../src/proxy/envoy/api/codec.ts";

export interface NodesOrder {
  /** `reset` forgets what has come so far; `hold` stops answering what comes, and `go` answers all that was held and what comes. */
  readonly order: "look" | "reset" | "hold" | "go" | "end";
}

export interface NodesAnswer {
  /** Nodes that have the endpoints of every route. */
  readonly settled: number;
  /** Of each node since the last `reset`: responses, resources in them, and when the last one came (ms on the machine's monotonic clock; 0 = none did). */
  readonly responses: readonly number[];
  readonly resources: readonly number[];
  readonly last: readonly number[];
  /** Bytes that all nodes received since the last `reset`, but for pings, which are counted. */
  readonly bytes: number;
  readonly pings: number;
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const [port, count, routes] = process.argv.slice(2).map(Number) as [number, number, number];
const CLUSTER = typeUrl("envoy.config.cluster.v3.Cluster");
const ENDPOINTS = typeUrl("envoy.config.endpoint.v3.ClusterLoadAssignment");
const ROUTES = typeUrl("envoy.config.route.v3.RouteConfiguration");
const ALL = Array.from({ length: routes }, (_, i) => `default/app-${i}`);
const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
/** As a real Envoy has it. */
const WINDOW = 16 << 20;
const PING_BYTES = 17;

interface Response {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: number;
}

/** Of a response of either variant, whose fields have the same numbers. Resources are counted, not read: a thousand nodes share one processor here. */
function readResponse(bytes: Uint8Array): Response {
  const reader = protobuf.Reader.create(bytes);
  const response = { typeUrl: "", nonce: "", resources: 0 };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 4) response.typeUrl = reader.string();
    else if (tag >>> 3 === 5) response.nonce = reader.string();
    else {
      if (tag >>> 3 === 2) response.resources++;
      reader.skipType(tag & 7);
    }
  }
  return response;
}

interface Variant {
  readonly path: string;
  readonly ask: (url: string, names: readonly string[], node?: { readonly id: string }) => Uint8Array;
  readonly answer: (response: Response) => Uint8Array;
}

const namesOf = (url: string): readonly string[] => (url === ENDPOINTS ? ALL : url === ROUTES ? ["globalroute"] : []);

const WHOLE: Variant = {
  path: `${SERVICE}StreamAggregatedResources`,
  ask: (url, resourceNames, node) =>
    encode("envoy.service.discovery.v3.DiscoveryRequest", { typeUrl: url, resourceNames, ...(node && { node }) }),
  answer: ({ typeUrl: url, nonce }) =>
    encode("envoy.service.discovery.v3.DiscoveryRequest", { typeUrl: url, resourceNames: namesOf(url), responseNonce: nonce }),
};

const DELTA: Variant = {
  path: `${SERVICE}DeltaAggregatedResources`,
  ask: (url, resourceNamesSubscribe, node) =>
    encode("envoy.service.discovery.v3.DeltaDiscoveryRequest", { typeUrl: url, resourceNamesSubscribe, ...(node && { node }) }),
  answer: ({ typeUrl: url, nonce }) => encode("envoy.service.discovery.v3.DeltaDiscoveryRequest", { typeUrl: url, responseNonce: nonce }),
};

let isHolding = false;
const held: (() => void)[] = [];

interface Counts {
  responses: number;
  resources: number;
  last: number;
  hasAll: boolean;
  bytesBefore: number;
  readonly session: ClientHttp2Session;
}

function startNode(number: number, variant: Variant): Promise<Counts> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: WINDOW, enablePush: false } });
  session.on("ping", () => pings++);
  const counts: Counts = { responses: 0, resources: 0, last: 0, hasAll: false, bytesBefore: 0, session };
  const stream = session.request(
    { ":method": "POST", ":path": variant.path, "content-type": "application/grpc", te: "trailers" },
    { endStream: false },
  );
  const send = (message: Uint8Array): void => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.write(Buffer.concat([head, message]));
  };
  const take = (bytes: Uint8Array): void => {
    const response = readResponse(bytes);
    counts.responses++;
    counts.resources += response.resources;
    counts.last = now();
    const isNew = response.typeUrl === CLUSTER && !counts.hasAll;
    const reply = (): void => {
      send(variant.answer(response));
      if (isNew) for (const url of [ENDPOINTS, ROUTES]) send(variant.ask(url, namesOf(url)));
    };
    if (isHolding) held.push(reply);
    else reply();
    if (response.typeUrl === ROUTES) counts.hasAll = true;
  };
  const parts: Buffer[] = [];
  let have = 0;
  stream.on("data", (chunk: Buffer) => {
    parts.push(chunk);
    have += chunk.length;
    if (have < 5 || (parts[0]!.length >= 5 && have < 5 + parts[0]!.readUInt32BE(1))) return;
    let all = parts.length === 1 ? chunk : Buffer.concat(parts, have);
    while (all.length >= 5 && all.length >= 5 + all.readUInt32BE(1)) {
      const end = 5 + all.readUInt32BE(1);
      take(all.subarray(5, end));
      all = all.subarray(end);
    }
    parts.splice(0, parts.length, ...(all.length === 0 ? [] : [Buffer.from(all)]));
    have = all.length;
  });
  for (const emitter of [session, stream])
    emitter.on("error", (error: Error) => process.stderr.write(`node ${number}: ${error.message}\n`));
  return new Promise((resolve) => {
    session.on("connect", () => {
      session.setLocalWindowSize(WINDOW);
      send(variant.ask(CLUSTER, [], { id: `edge-${number}` }));
      resolve(counts);
    });
  });
}

let pings = 0;
const nodes = await Promise.all(Array.from({ length: count }, (_, i) => startNode(i, i % 2 === 0 ? WHOLE : DELTA)));
const received = ({ session }: Counts): number => (session.destroyed ? 0 : session.socket.bytesRead);

function obey({ order }: NodesOrder): void {
  if (order === "hold") isHolding = true;
  if (order === "go") {
    isHolding = false;
    for (const reply of held.splice(0)) reply();
  }
  if (order === "reset") {
    pings = 0;
    for (const node of nodes) Object.assign(node, { responses: 0, resources: 0, last: 0, bytesBefore: received(node) });
  }
  if (order === "end") for (const { session } of nodes) session.destroy();
}

function answer(): void {
  const told: NodesAnswer = {
    settled: nodes.filter(({ hasAll }) => hasAll).length,
    responses: nodes.map(({ responses }) => responses),
    resources: nodes.map(({ resources }) => resources),
    last: nodes.map(({ last }) => last),
    bytes: nodes.reduce((sum, node) => sum + received(node) - node.bytesBefore, 0) - pings * PING_BYTES,
    pings,
  };
  process.send?.(told);
}

process.on("message", (order: NodesOrder) => {
  obey(order);
  answer();
});
process.on("disconnect", () => process.exit(0));
answer();
