/** The pool of connections to one API server, for as long as its certificates stay the same. */
import { Agent, buildConnector } from "undici";
import { guardedConnector } from "./guarded-connector.ts";
import type { Credential, KubeConnection } from "./kube-connection.ts";

export interface AgentOptions {
  /** Milliseconds for TCP and TLS. */
  readonly connectTimeout?: number;
  /** Speak HTTP/2 when the server does. */
  readonly http2?: boolean;
  /** Told of each connection that was made: the address and port of the other end. */
  readonly onConnected?: (address: string, port: number) => void;
}

export interface KubeAgents {
  /** The pool for these certificates; what is under way in the one before ends in its own time. */
  of(credential: Credential): Agent;
  /** Ends everything. */
  close(): void;
}

const CONNECT_TIMEOUT = 5_000;

/** A connector that tells where it has connected to. */
function telling(connector: buildConnector.connector, onConnected: AgentOptions["onConnected"]): buildConnector.connector {
  if (onConnected === undefined) return connector;
  return (target, callback) =>
    connector(target, (...made) => {
      const [, socket] = made;
      if (socket?.remoteAddress !== undefined && socket.remotePort !== undefined) onConnected(socket.remoteAddress, socket.remotePort);
      callback(...made);
    });
}

export function createKubeAgents(connection: KubeConnection, options: AgentOptions): KubeAgents {
  let current: { readonly agent: Agent; readonly credential: Credential } | undefined;
  const retired = new Set<Agent>();

  const open = ({ ca, cert, key }: Credential): Agent => {
    const connect = {
      timeout: options.connectTimeout ?? CONNECT_TIMEOUT,
      keepAlive: true,
      keepAliveInitialDelay: 30_000, // load balancers forget connections that are quiet for a minute
      allowH2: options.http2 ?? false,
      ...(connection.serverName === undefined ? {} : { servername: connection.serverName }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
    const { guard } = connection;
    const connector = guard === undefined ? buildConnector(connect) : guardedConnector(guard.allow, connect);
    return new Agent({ allowH2: options.http2 ?? false, connect: telling(connector, options.onConnected) });
  };

  return {
    of: (credential: Credential): Agent => {
      const before = current?.credential;
      if (current !== undefined && before?.ca === credential.ca && before?.cert === credential.cert && before?.key === credential.key) {
        return current.agent;
      }
      if (current !== undefined) {
        const old = current.agent;
        retired.add(old);
        // Lets what is under way end, watches at their own time.
        old.close().then(
          () => retired.delete(old),
          () => retired.delete(old),
        );
      }
      current = { agent: open(credential), credential };
      return current.agent;
    },
    close: (): void => {
      const ignore = (): void => undefined; // whoever waits is told by its own request
      for (const agent of retired) agent.destroy().catch(ignore);
      current?.agent.destroy().catch(ignore);
    },
  };
}
