/** Handshakes: who gets which certificate, which protocol is spoken then, and who is refused. */
import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { type Certificate, certificateFor } from "./certificate-index.ts";
import { countRefusal, type FrontCounters } from "./front-counters.ts";
import type { TlsSettings } from "./front-settings.ts";

export interface TlsConnection {
  readonly socket: TLSSocket;
  readonly isHttp2: boolean;
  /** What the client was shown, or would be now if it came back to an earlier session. */
  readonly certificate: Pick<Certificate<unknown>, "names">;
}

export interface TlsTerminator {
  /** @param then called once if the handshake succeeds; else the socket is closed */
  readonly accept: (raw: Socket, then: (connection: TlsConnection) => void) => void;
}

export function createTlsTerminator({ certificates, handshakes, handshakeTimeout }: TlsSettings, counters: FrontCounters): TlsTerminator {
  /** Their remote ports tell connections apart while they have no other name. */
  const waiting = new Map<string, (connection: TlsConnection) => void>();
  const server = createServer({
    minVersion: "TLSv1.2",
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION, // costs us a handshake each time the client likes
    // the server's own context has no certificate, so that without one of ours the handshake fails: as HAProxy's strict-sni
    SNICallback: (host, done) => done(null, certificateFor(certificates(), host)?.context),
  });
  server.on("secureConnection", (socket) => {
    const key = keyOf(socket);
    const then = waiting.get(key);
    waiting.delete(key);
    const certificate = certificateFor(certificates(), socket.servername || undefined);
    if (then === undefined || certificate === undefined) return void socket.destroy(); // its certificate is gone since
    counters.handshakes++;
    then({ socket, isHttp2: socket.alpnProtocol === "h2", certificate });
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== "ECONNRESET") countRefusal(counters, reasonOf(error.code ?? ""));
    socket.destroy();
  });
  return {
    accept(raw, then) {
      if (waiting.size >= handshakes) {
        countRefusal(counters, "too-many-handshakes");
        return void raw.destroy();
      }
      const key = keyOf(raw);
      waiting.set(key, then);
      raw.on("close", () => {
        if (waiting.get(key) === then) waiting.delete(key);
      });
      server.emit("connection", raw);
    },
  };
}

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

function reasonOf(code: string): "handshake-timeout" | "no-certificate" | "handshake-failed" {
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "handshake-timeout";
  // how TLS 1.3 and 1.2 say that there is nothing to show
  return code === "ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM" || code === "ERR_SSL_NO_SHARED_CIPHER" ? "no-certificate" : "handshake-failed";
}
