/** The embedded proxy with its front on real sockets, before one endpoint of `node:http`. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { ms } from "../../../src/model/units.ts";
import { openProxyServer, type ProxyServer } from "../../../src/proxy/embedded/forward/proxy-server.ts";
import { PROXY_SETTINGS, type ProxySettings } from "../../../src/proxy/embedded/forward/settings.ts";
import { indexCertificates } from "../../../src/proxy/embedded/front/certificate-index.ts";
import { type FrontSettings, PLACE_LIMITS, TLS_FRONT, type TlsSettings } from "../../../src/proxy/embedded/front/front-settings.ts";
import { showCertificate } from "../../../src/proxy/embedded/front/tls-terminator.ts";
import { readCertificates } from "../tls/certificates.ts";
import { routed } from "./proxy-world.ts";

export const SHOP = "shop.example.org";
export const { ca: CA, ...PEM } = readCertificates();

export interface FrontWorld {
  readonly proxy: ProxyServer;
  readonly upstream: Server;
  readonly close: () => Promise<void>;
}

/** Certificates of shop.example.org, by default also for who names nobody, and of other.example.org. */
export const tlsSettings = (more: Partial<TlsSettings> = {}): TlsSettings => {
  const index = indexCertificates([
    { path: "shop", names: [SHOP, `*.${SHOP}`, "127.0.0.1"], notAfter: 1, isDefault: true, context: showCertificate(PEM.cert, PEM.key) },
    {
      path: "other",
      names: ["other.example.org"],
      notAfter: 1,
      isDefault: false,
      context: showCertificate(PEM.other, PEM.otherKey),
    },
  ]);
  return { ...TLS_FRONT, certificates: () => index, ...more };
};

export async function startFrontWorld(
  handle: RequestListener,
  front: Partial<FrontSettings> = { tls: tlsSettings() },
  settings: Partial<ProxySettings> = {},
): Promise<FrontWorld> {
  const upstream = createServer(handle);
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const endpoint = { id: "one", address: "127.0.0.1", port: (upstream.address() as AddressInfo).port };
  const choose = routed((host) => (host.endsWith("example.org") || host === "127.0.0.1" ? [[endpoint]] : undefined));
  const proxy = await openProxyServer(
    { address: "127.0.0.1", port: 0 },
    choose,
    {
      now: () => ms(performance.now()),
      setTimer: (delay, callback) => {
        const timer = setTimeout(callback, delay);
        return () => clearTimeout(timer);
      },
      onError: (error) => {
        throw error;
      },
    },
    {
      ...PROXY_SETTINGS,
      forwarded: { ...PROXY_SETTINGS.forwarded, scheme: front.tls === undefined ? "http" : "https" },
      ...settings,
    },
    { places: PLACE_LIMITS, ...front },
  );
  const close = async (): Promise<void> => {
    await proxy.close(ms(0));
    upstream.closeAllConnections();
    upstream.close();
  };
  return { proxy, upstream, close };
}

/** A TLS connection to it, after its handshake. Rejects when it is refused. */
export async function openTls({ proxy }: Pick<FrontWorld, "proxy">, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port: proxy.port, host: "127.0.0.1", servername: SHOP, ca: CA, ...options });
  await once(socket, "secureConnect");
  socket.on("error", () => {});
  return socket;
}

export async function openPlain({ proxy }: Pick<FrontWorld, "proxy">): Promise<Socket> {
  const socket = connectTcp(proxy.port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {});
  return socket;
}

/** Everything until the connection closes, Latin-1. */
export async function readAll(socket: Socket): Promise<string> {
  let got = "";
  socket.on("data", (bytes: Buffer) => (got += bytes.toString("latin1")));
  socket.on("error", () => {});
  if (!socket.closed) await once(socket, "close").catch(() => {});
  return got;
}
