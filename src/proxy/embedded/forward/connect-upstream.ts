/** Connections to endpoints: plain, or over TLS as probes make them. */
import { isIP } from "node:net";
import { checkServerIdentity, connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import type { ProxyEndpoint, UpstreamTls } from "./endpoints.ts";
import { openUpstream } from "./open-upstream.ts";
import type { ProxyPorts } from "./ports.ts";

/** Sessions that are kept, so that a new connection costs no whole handshake. */
const MOST_SESSIONS = 4096;

/**
 * @param ca whose certificates are believed instead of the authorities that Node knows, as PEM
 * @throws Error when it is no PEM
 */
export function createUpstreamConnector(ca: string | undefined): ProxyPorts["connect"] {
  const secureContext = createSecureContext(ca === undefined ? {} : { ca });
  const sessions = new Map<string, Buffer>();
  return (endpoint) => {
    const { id, tls } = endpoint;
    if (tls === undefined) return openUpstream(endpoint);
    const socket = connectOverTls(endpoint, tls, secureContext, sessions.get(id));
    socket.setNoDelay(true);
    socket.on("session", (session) => {
      sessions.delete(id);
      sessions.set(id, session);
      if (sessions.size > MOST_SESSIONS) sessions.delete(sessions.keys().next().value!); // the oldest
    });
    return socket;
  };
}

function connectOverTls(
  { address, port }: ProxyEndpoint,
  { host, verify }: UpstreamTls,
  secureContext: SecureContext,
  session: Buffer | undefined,
) {
  return connectTls({
    ...{ host: address, port, secureContext, allowHalfOpen: true },
    rejectUnauthorized: verify,
    // RFC 6066 §3: SNI carries no address literals. Without the option Node would send the endpoint's address.
    servername: isIP(host) === 0 ? host : "",
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    ALPNProtocols: ["http/1.1"],
    ...(session === undefined ? {} : { session }),
  });
}
