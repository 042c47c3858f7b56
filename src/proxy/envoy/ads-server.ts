/** Accepts Envoys over gRPC and keeps each of their streams at the newest snapshot of its place. */
import { logVerbosity, Server, type ServerDuplexStream, setLogVerbosity, status } from "@grpc/grpc-js";
import { formatListenAddress, type ListenAddress, ListenError } from "../../model/listen-address.ts";
import { isBusy, newStream, receive, respond, type StreamState } from "./ads-state.ts";
import { DISCOVERY_SERVICE, type EnvoyNode, encodeResponse, type Heard } from "./discovery-service.ts";
import { createFleetCredentials, type FleetTls } from "./fleet-tls.ts";
import type { Snapshot } from "./resource-set.ts";
import { createTurns } from "./turns.ts";

export interface AdsServerOptions {
  readonly listen: ListenAddress;
  /** The option that moves it, for messages. */
  readonly flag: string;
  /** Undefined = in the clear, for whoever reaches it. */
  readonly tls: FleetTls | undefined;
  /** What the node is to have now; undefined = nothing is known of its place: it is told nothing and keeps what it has. */
  readonly snapshotFor: (node: EnvoyNode) => Snapshot | undefined;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

export interface AdsStream {
  readonly node: EnvoyNode;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly state: StreamState;
}

/** Since the start. */
export interface AdsTotals {
  readonly responses: number;
  readonly accepted: number;
  readonly rejected: number;
}

export interface AdsServer {
  /** @returns with the port that was bound @throws ListenError */
  start(): Promise<ListenAddress>;
  /** Snapshots may have changed. */
  refresh(): void;
  /** Streams whose client said who it is. */
  streams(): readonly AdsStream[];
  totals(): AdsTotals;
  /** Other certificates for handshakes from now on. @throws when they cannot be used: the old ones stay */
  renew(tls: FleetTls): void;
  close(): Promise<void>;
}

/** Half-open connections are found out; a stream that has nothing to tell sends nothing else. */
const CHANNEL = {
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_concurrent_streams": 8,
  "grpc.enable_channelz": 0,
};

/** Envoys that are sent a whole configuration at one time, which is megabytes for thousands of routes. */
const MOST_AT_ONCE = 16;
/** Until one that does not answer gives way to others, ms. */
const LONGEST_TURN = 15_000;

type Call = ServerDuplexStream<Heard, Buffer>;

export function createAdsServer(options: AdsServerOptions): AdsServer {
  setLogVerbosity(logVerbosity.NONE); // gRPC writes on stderr what it tells us anyway
  const server = new Server(CHANNEL);
  const { credentials, renew } = createFleetCredentials(options.tls);
  const streams = new Map<
    Call,
    { node: EnvoyNode | undefined; readonly since: number; state: StreamState; snapshot: Snapshot | undefined }
  >();
  const totals = { responses: 0, accepted: 0, rejected: 0 };

  const turns = createTurns<Call>(MOST_AT_ONCE, LONGEST_TURN);

  const bring = (call: Call): void => {
    const stream = streams.get(call);
    if (stream?.node === undefined) return;
    stream.snapshot = options.snapshotFor(stream.node) ?? stream.snapshot;
    if (stream.snapshot === undefined) return;
    const withoutTurn = respond(stream.state, stream.snapshot, false);
    const answered = withoutTurn.isHeld && turns.ask(call, options.wallClock()) ? respond(stream.state, stream.snapshot) : withoutTurn;
    stream.state = answered.stream;
    for (const response of answered.responses) call.write(encodeResponse(stream.state.variant, response));
    totals.responses += answered.responses.length;
    if (!answered.isHeld && !isBusy(stream.state)) endTurn(call);
  };

  const endTurn = (call: Call): void => {
    const next = turns.end(call, options.wallClock());
    if (next !== undefined) bring(next);
  };

  const forget = (call: Call): void => {
    if (streams.delete(call)) endTurn(call);
  };

  const hear = (call: Call, { node, request }: Heard): void => {
    const stream = streams.get(call);
    if (stream === undefined) return;
    stream.node ??= node;
    if (stream.node === undefined) {
      forget(call);
      call.emit("error", { code: status.INVALID_ARGUMENT, details: "the first request of a stream must have a node" });
      return;
    }
    if (request === undefined) return;
    const before = stream.state.types[request.type];
    stream.state = receive(stream.state, request);
    const after = stream.state.types[request.type];
    if (before.inFlight !== undefined && after.inFlight === undefined) totals[request.error === undefined ? "accepted" : "rejected"]++;
    bring(call);
  };

  const accept = (variant: StreamState["variant"]) => (call: Call) => {
    streams.set(call, { node: undefined, since: options.wallClock(), state: newStream(variant), snapshot: undefined });
    call.on("data", (heard: Heard) => hear(call, heard));
    call.on("end", () => {
      forget(call);
      call.end();
    });
    for (const end of ["cancelled", "close", "error"]) call.on(end, () => forget(call));
  };
  server.addService(DISCOVERY_SERVICE, { stateOfTheWorld: accept("StateOfTheWorld"), delta: accept("Delta") });

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.bindAsync(formatListenAddress(options.listen), credentials, (error, port) => {
          if (error === null) resolve({ ...options.listen, port });
          else reject(new ListenError("Envoy control plane", options.listen, options.flag, withSystemCode(error)));
        });
      }),
    refresh() {
      for (const [call, { node, snapshot }] of streams) if (node !== undefined && options.snapshotFor(node) !== snapshot) bring(call);
    },
    streams: () => [...streams.values()].flatMap(({ node, since, state }) => (node === undefined ? [] : [{ node, since, state }])),
    totals: () => ({ ...totals }),
    renew,
    async close() {
      for (const call of streams.keys()) call.end(); // clients then look for another replica at once
      streams.clear();
      server.forceShutdown();
    },
  };
}

/** gRPC tells the system's code in its words only. */
function withSystemCode(error: Error): Error {
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES|EPERM)\b/.exec(error.message)?.[1];
  return code === undefined ? error : Object.assign(new Error(error.message, { cause: error }), { code });
}
