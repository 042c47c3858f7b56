/** The other instances of an installation: a listener for whoever dials us, and a client for each replica. */
import type { PeerPort } from "../../src/engine/peer-port.ts";
import { formatListenAddress, type ListenAddress } from "../../src/model/listen-address.ts";
import type { ClusterObjects } from "../clusters/cluster-objects.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { createPeerClient, type PeerClient } from "./peer-client.ts";
import { createPeerExchange } from "./peer-exchange.ts";
import { type Hello, PROTOCOL } from "./peer-messages.ts";
import { createPeerServer } from "./peer-server.ts";
import type { PeerState } from "./peer-state.ts";
import type { ProgrammedState } from "./programmed-book.ts";

export interface PeerMeshOptions {
  readonly self: {
    /** Of the pod. */
    readonly instance: string;
    /** Random, one for each start. */
    readonly incarnation: string;
    /** Where this replica probes from. */
    readonly site: string;
    readonly version: string;
    readonly location?: { readonly latitude: number; readonly longitude: number };
  };
  /** Of the installation: replicas prove themselves to each other with it ({@link readSecret}). */
  readonly secret: string;
  readonly listen: ListenAddress;
  /** The option that moves the listener, for messages. */
  readonly flag: string;
  readonly ports: KubePorts;
  /** Somebody cannot be reached, was turned away or was lost. Told once while it stays so. */
  readonly onTrouble: (who: string, why: string) => void;
}

export interface PeerMesh {
  /** For the engine. */
  readonly port: PeerPort;
  /** @throws ListenError */
  start(): Promise<ListenAddress>;
  /** Where the other replicas listen. This one's own address among them does no harm. */
  setPeers(addresses: readonly ListenAddress[]): void;
  /** Name of each vantage → its secret ({@link readSecret}). One that is gone or other ends its streams at once. */
  setCredentials(credentials: ReadonlyMap<string, string>): void;
  /** How many replicas serve this generation of an object. @param key as in `SourceReading.generations` */
  programmed(key: string, generation: number): ProgrammedState;
  /** Calls back when {@link PeerMesh.programmed} may answer otherwise. @returns ends it */
  onProgrammed(listener: () => void): () => void;
  /** Of clusters that vantages read for us. */
  sources(): readonly ClusterObjects[];
  /** Calls back when {@link PeerMesh.sources} has changed. @returns ends it */
  onSources(listener: () => void): () => void;
  status(): readonly PeerState[];
  /** Says bye to everybody. */
  close(): Promise<void>;
}

export function createPeerMesh(options: PeerMeshOptions): PeerMesh {
  const { self, secret, ports } = options;
  const hello: Hello = { type: "hello", protocol: PROTOCOL, role: "replica", ...self };
  const clients = new Map<string, PeerClient>();
  const programmedListeners = new Set<() => void>();
  const sourceListeners = new Set<() => void>();
  /** Who → the trouble that was told last. */
  const told = new Map<string, string>();
  let credentials: ReadonlyMap<string, string> = new Map();

  const exchange = createPeerExchange({
    self: hello,
    ports,
    onProgrammed: () => tell(programmedListeners),
    onSources: () => tell(sourceListeners),
  });
  const server = createPeerServer({
    listen: options.listen,
    flag: options.flag,
    hello,
    ports,
    secretOf: ({ kind, name }) => (kind === "replica" ? secret : credentials.get(name)),
    accept(identity, theirs, stream) {
      const accepted = exchange.accepted(identity, theirs, stream);
      if (typeof accepted !== "string") told.clear();
      return accepted;
    },
    onTrouble: trouble,
  });

  function trouble(who: string, why: string): void {
    if (told.get(who) === why) return;
    if (told.size > 1000) told.clear();
    told.set(who, why);
    options.onTrouble(who, why);
  }

  function dial(address: string, { address: host, port }: ListenAddress): PeerClient {
    return createPeerClient({
      target: { host, port },
      identity: { kind: "replica", name: self.instance },
      secret,
      hello,
      ports,
      accept(theirs, stream) {
        told.delete(address);
        return exchange.dialled(address, theirs, stream);
      },
      onTrouble: (why) => trouble(address, why),
    });
  }

  return {
    port: exchange.port,
    start: server.start,
    setPeers(addresses) {
      const wanted = new Map(addresses.map((address) => [formatListenAddress(address), address]));
      exchange.setPeers(new Set(wanted.keys()));
      for (const [address, client] of clients) {
        if (wanted.has(address)) continue;
        clients.delete(address);
        client.close();
      }
      for (const [address, target] of wanted) if (!clients.has(address)) clients.set(address, dial(address, target));
    },
    setCredentials(next) {
      const before = credentials;
      credentials = next;
      for (const name of before.keys()) if (!next.has(name)) exchange.revoke(name);
      server.recheck();
    },
    programmed: exchange.programmed,
    onProgrammed: (listener) => listen(programmedListeners, listener),
    sources: exchange.sources,
    onSources: (listener) => listen(sourceListeners, listener),
    status: exchange.peers,
    async close() {
      for (const client of clients.values()) client.close();
      exchange.close();
      await server.close();
    },
  };
}

const tell = (listeners: ReadonlySet<() => void>): void => {
  for (const listener of listeners) listener();
};

function listen(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
