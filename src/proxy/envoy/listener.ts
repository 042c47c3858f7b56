/** Where Envoys accept requests, for fleets whose listeners are ours too. Pure. */
import type { ListenAddress } from "../../model/listen-address.ts";
import type { ClientClass } from "../client-classes.ts";
import { any } from "./api/codec.ts";
import type { Listener } from "./api/envoy-api.ts";
import { clientFilters } from "./client-headers.ts";
import { FROM_US } from "./cluster.ts";
import { ROUTES_NAME } from "./route-configuration.ts";

export interface EdgeListener {
  readonly listen: ListenAddress;
  /** Present when clients speak TLS: files on Envoy's machine, PEM. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  /** Proxies before Envoy whose word on the client's address is taken. */
  readonly trustedHops: number;
}

export const LISTENER_NAME = "globalroute";

/**
 * @param classes    that routes tell apart
 * @param routesName of the route configuration that does
 */
export const listenerOf = (
  { listen, tls, trustedHops }: EdgeListener,
  classes: readonly ClientClass[] = [],
  routesName: string = ROUTES_NAME,
): Listener => ({
  name: LISTENER_NAME,
  address: { socketAddress: { address: listen.address, portValue: listen.port } },
  filterChains: [
    {
      filters: [
        {
          name: "envoy.filters.network.http_connection_manager",
          typedConfig: any("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
            statPrefix: LISTENER_NAME,
            rds: { configSource: FROM_US, routeConfigName: routesName },
            httpFilters: [
              ...clientFilters(classes),
              { name: "envoy.filters.http.router", typedConfig: any("envoy.extensions.filters.http.router.v3.Router", {}) },
            ],
            useRemoteAddress: { value: true },
            xffNumTrustedHops: trustedHops,
            upgradeConfigs: [{ upgradeType: "websocket" }],
          }),
        },
      ],
      ...(tls === undefined ? {} : { transportSocket: overTls(tls) }),
    },
  ],
});

const overTls = ({ certificateFile, keyFile }: NonNullable<EdgeListener["tls"]>) => ({
  name: "envoy.transport_sockets.tls",
  typedConfig: any("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
    commonTlsContext: {
      tlsCertificates: [{ certificateChain: { filename: certificateFile }, privateKey: { filename: keyFile } }],
      alpnProtocols: ["h2", "http/1.1"], // without it nobody would come by HTTP/2
    },
  }),
});
