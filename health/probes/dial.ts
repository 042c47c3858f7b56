/** Opens the connection of a probe: to the endpoint's address, with the route's name in TLS. The caller closes what it gets. */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { Endpoint } from "../../src/model/health.ts";
import type { Attempt } from "./attempt.ts";

/** Connects by TCP. The attempt learns of the round trip and of any error. */
export function dialTcp(endpoint: Endpoint, attempt: Attempt, onConnect: () => void): Socket {
  const dialledAt = performance.now();
  const socket = connectTcp({ host: endpoint.address, port: endpoint.probe.port, noDelay: true });
  socket.once("connect", () => {
    attempt.connected(dialledAt);
    onConnect();
  });
  return socket.on("error", attempt.fail);
}

/** As {@link dialTcp}, through the handshake; unless the user opted out, the certificate must be valid for the probe's host. */
export function dialTls(
  endpoint: Endpoint,
  secureContext: SecureContext,
  alpn: readonly string[],
  attempt: Attempt,
  onConnect: () => void,
): TLSSocket {
  const { host, port, verify } = endpoint.probe;
  const dialledAt = performance.now();
  const socket = connectTls({
    host: endpoint.address,
    port,
    secureContext,
    rejectUnauthorized: verify,
    // RFC 6066 §3: SNI carries no address literals. Without the option Node would send the endpoint's address.
    servername: isIP(host) === 0 ? host : "",
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  });
  socket.setNoDelay(true);
  socket.once("connect", () => attempt.connected(dialledAt));
  socket.once("secureConnect", onConnect);
  return socket.on("error", attempt.fail);
}
