/** Accepts Envoys over gRPC and keeps each of their streams at the newest snapshot of its place. */
import { type ListenAddress, ListenError } from "../../model/listen-address.ts";
import { isBusy, newStream, receive, respond, type StreamState } from "./ads-state.ts";
import { DISCOVERY_METHODS, type EnvoyNode, encodeResponse, type Heard, type Method } from "./discovery-service.ts";
import type { FleetTls } from "./fleet-tls.ts";
import { createGrpcServer, type GrpcHandler, GrpcStatus, type GrpcStream } from "./grpc-server.ts";
import { createNameLists } from "./name-lists.ts";
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
  /** Somebody did not get through TLS. @param why as in "it shows no certificate" */
  readonly onTurnedAway?: (why: string) => void;
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
  /** Now and then: Envoys that wait take the place of those that do not answer. */
  look(): void;
  /** Streams whose client said who it is. */
  streams(): readonly AdsStream[];
  totals(): AdsTotals;
  /** Other certificates for handshakes from now on. @throws when they cannot be used: the old ones stay */
  renew(tls: FleetTls): void;
  close(): Promise<void>;
}

/** Envoys that are sent a whole configuration at one time, which is megabytes for thousands of routes. */
const MOST_AT_ONCE = 16;
/** Until one that does not answer gives way to others, ms. */
const LONGEST_TURN = 15_000;

export function createAdsServer(options: AdsServerOptions): AdsServer {
  const streams = new Map<
    GrpcStream,
    { node: EnvoyNode | undefined; readonly since: number; state: StreamState; snapshot: Snapshot | undefined }
  >();
  const totals = { responses: 0, accepted: 0, rejected: 0 };

  const turns = createTurns<GrpcStream>(MOST_AT_ONCE, LONGEST_TURN);
  const lists = createNameLists();

  const bring = (call: GrpcStream): void => {
    const stream = streams.get(call);
    if (stream?.node === undefined) return;
    stream.snapshot = options.snapshotFor(stream.node) ?? stream.snapshot;
    if (stream.snapshot === undefined) return;
    const withoutTurn = respond(stream.state, stream.snapshot, false);
    const answered = withoutTurn.isHeld && turns.ask(call, options.wallClock()) ? respond(stream.state, stream.snapshot) : withoutTurn;
    stream.state = answered.stream;
    for (const response of answered.responses) call.send(...encodeResponse(stream.state.variant, response));
    totals.responses += answered.responses.length;
    if (!answered.isHeld && !isBusy(stream.state)) endTurn(call);
  };

  const endTurn = (call: GrpcStream): void => {
    const next = turns.end(call, options.wallClock());
    if (next !== undefined) bring(next);
  };

  const forget = (call: GrpcStream): void => {
    if (streams.delete(call)) endTurn(call);
  };

  const hear = (call: GrpcStream, { node, request }: Heard): void => {
    const stream = streams.get(call);
    if (stream === undefined) return;
    stream.node ??= node;
    if (stream.node === undefined) {
      call.end(GrpcStatus.INVALID_ARGUMENT, "the first request of a stream must have a node");
      return;
    }
    if (request === undefined) return;
    const before = stream.state.types[request.type];
    stream.state = receive(stream.state, request);
    const after = stream.state.types[request.type];
    if (before.inFlight !== undefined && after.inFlight === undefined) totals[request.error === undefined ? "accepted" : "rejected"]++;
    bring(call);
  };

  const accept =
    ({ variant, hear: read }: Method) =>
    (call: GrpcStream): GrpcHandler => {
      streams.set(call, { node: undefined, since: options.wallClock(), state: newStream(variant), snapshot: undefined });
      return {
        onMessage(bytes) {
          const heard = unlessUnreadable(() => read(bytes, lists));
          if (heard === undefined) call.end(GrpcStatus.INTERNAL, "the request cannot be decoded");
          else hear(call, heard);
        },
        onEnd: () => forget(call),
      };
    };
  const methods = new Map(DISCOVERY_METHODS.map((method) => [method.path, accept(method)]));
  const server = createGrpcServer(options.tls, methods, undefined, options.onTurnedAway);

  return {
    start: () =>
      server.start(options.listen).catch((cause: unknown) => {
        throw new ListenError("Envoy control plane", options.listen, options.flag, cause);
      }),
    refresh() {
      for (const [call, { node, snapshot }] of streams) if (node !== undefined && options.snapshotFor(node) !== snapshot) bring(call);
    },
    look() {
      for (const call of turns.expire(options.wallClock())) bring(call);
    },
    streams: () => [...streams.values()].flatMap(({ node, since, state }) => (node === undefined ? [] : [{ node, since, state }])),
    totals: () => ({ ...totals }),
    renew: server.renew,
    close: server.close, // clients then look for another replica at once
  };
}

/** @returns undefined when the bytes are no such message */
function unlessUnreadable(read: () => Heard): Heard | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
