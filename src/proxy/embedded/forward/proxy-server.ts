/** The embedded proxy's sockets. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { ListenAddress } from "../../../model/listen-address.ts";
import type { Milliseconds } from "../../../model/units.ts";
import { createFront } from "../front/front.ts";
import type { FrontCounters } from "../front/front-counters.ts";
import { type FrontSettings, PLAIN_FRONT } from "../front/front-settings.ts";
import { createUpstreamConnector } from "./connect-upstream.ts";
import type { ChooseEndpoints } from "./endpoints.ts";
import type { ProxyPorts } from "./ports.ts";
import { createProxy, type EmbeddedProxy } from "./proxy.ts";
import type { ProxySettings } from "./settings.ts";

export interface ProxyServer extends Pick<EmbeddedProxy, "counters" | "connections" | "ejections"> {
  readonly port: number;
  readonly front: FrontCounters;
  /** Listens no more and lets requests end, for no longer than `patience`. */
  readonly close: (patience: Milliseconds) => Promise<void>;
}

export interface ProxyServerPorts extends Omit<ProxyPorts, "connect"> {
  readonly onError: (error: Error) => void;
}

/** Listens and passes requests on until closed. Rejects with the system's error when the address cannot be bound. */
export async function openProxyServer(
  listen: ListenAddress,
  choose: ChooseEndpoints,
  ports: ProxyServerPorts,
  settings: ProxySettings,
  frontSettings: FrontSettings = PLAIN_FRONT,
): Promise<ProxyServer> {
  const proxy = createProxy(choose, { ...ports, connect: createUpstreamConnector(settings.upstreamCa) }, settings);
  const front = createFront(frontSettings, { head: settings.head, connections: settings.clients }, { ...ports, accept: proxy.accept });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, front.accept);
  server.listen({ host: listen.address, port: listen.port, ipv6Only: true });
  await once(server, "listening"); // rejects on "error"
  server.on("error", ports.onError);
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : listen.port,
    front: front.counters,
    counters: proxy.counters,
    connections: proxy.connections,
    ejections: proxy.ejections,
    close: async (patience) => {
      server.close();
      front.drain();
      await proxy.close(patience);
      await front.close();
    },
  };
}
