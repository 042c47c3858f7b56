/** Handshakes: who gets which certificate, which protocol is spoken then, and who is refused. */
import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, createServer, type SecureContextOptions, TLSSocket } from "node:tls";
import { type Certificate, certificateFor, type ShownCertificate } from "./certificate-index.ts";
import type { OnFault } from "./client-conduct.ts";
import { countRefusal, type FrontCounters } from "./front-counters.ts";
import type { TlsSettings } from "./front-settings.ts";

export interface TlsConnection {
  readonly socket: TLSSocket;
  readonly isHttp2: boolean;
  /** What the client was shown, or would be now if it came back to an earlier session. */
  readonly certificate: Pick<Certificate<unknown>, "names">;
}

interface Waiting {
  readonly raw: Socket;
  readonly onFault: OnFault;
  readonly then: (connection: TlsConnection) => void;
}

export interface TlsTerminator {
  /** @param onFault when it does not, by the client's doing @param then called once if the handshake succeeds; else the socket is closed */
  readonly accept: (raw: Socket, onFault: OnFault, then: (connection: TlsConnection) => void) => void;
}

/** Renegotiation costs us a handshake each time the client likes. */
const CONTEXT: SecureContextOptions = { minVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_RENEGOTIATION };

/** @throws when the two are no PEM, or the key is another certificate's */
export const showCertificate = (certificate: string, key: string): ShownCertificate => ({
  secure: createSecureContext({ ...CONTEXT, cert: certificate, key }),
  certificate,
  key,
});

export function createTlsTerminator({ certificates, handshakes, handshakeTimeout }: TlsSettings, counters: FrontCounters): TlsTerminator {
  /** Both ends tell connections apart: Node's socket after the handshake does not say which one it was before. */
  const waiting = new Map<string, Waiting>();
  /** What those get who name nobody: Node asks for a certificate by name only. */
  let unnamed: Certificate<ShownCertificate> | undefined;
  const server = createServer({
    ...CONTEXT,
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout,
    SNICallback(host, done) {
      const certificate = certificateFor(certificates(), host);
      if (certificate !== undefined) return void done(null, certificate.context.secure);
      // as HAProxy with strict-sni; Node would close without a word
      const entry = this instanceof TLSSocket ? waiting.get(keyOf(this)) : undefined;
      entry?.raw.write(UNRECOGNIZED_NAME);
      entry?.onFault(); // when the error tells of it, Node no longer says whose connection it was
      done(new NoCertificate(host));
    },
  });
  server.on("secureConnection", (socket) => {
    const key = keyOf(socket);
    const entry = waiting.get(key);
    waiting.delete(key);
    const certificate = certificateFor(certificates(), socket.servername || undefined);
    if (entry === undefined || certificate === undefined) return void socket.destroy(); // its certificate is gone since
    counters.handshakes++;
    socket.allowHalfOpen = socket.alpnProtocol !== "h2"; // whoever ends HTTP/2 is gone, and so are its requests
    entry.then({ socket, isHttp2: socket.alpnProtocol === "h2", certificate });
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== "ECONNRESET") {
      countRefusal(counters, reasonOf(error));
      if (!(error instanceof NoCertificate)) waiting.get(keyOf(socket))?.onFault();
    }
    socket.destroy();
  });

  function showUnnamed(): void {
    const now = certificates().unnamed;
    if (now === unnamed) return;
    unnamed = now;
    server.setSecureContext({ ...CONTEXT, ...(now === undefined ? {} : { cert: now.context.certificate, key: now.context.key }) });
  }

  return {
    accept(raw, onFault, then) {
      if (waiting.size >= handshakes) {
        countRefusal(counters, "too-many-handshakes");
        return void raw.destroy();
      }
      const key = keyOf(raw);
      const entry = { raw, onFault, then };
      waiting.set(key, entry);
      raw.on("close", () => {
        if (waiting.get(key) === entry) waiting.delete(key);
      });
      showUnnamed();
      raw.allowHalfOpen = false; // nobody ends in the middle of a handshake but to go
      server.emit("connection", raw);
    },
  };
}

class NoCertificate extends Error {}

/** A fatal alert, in the clear as all is before a ServerHello (RFC 8446 §5.1, §6.2). */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

const keyOf = ({ remoteAddress, remotePort, localAddress }: Socket): string => `${remoteAddress} ${remotePort} ${localAddress}`;

function reasonOf(error: NodeJS.ErrnoException): "handshake-timeout" | "no-certificate" | "handshake-failed" {
  if (error instanceof NoCertificate) return "no-certificate";
  const { code } = error;
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "handshake-timeout";
  // how TLS 1.3 and 1.2 say that there is nothing to show to whoever names nobody
  return code === "ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM" || code === "ERR_SSL_NO_SHARED_CIPHER" ? "no-certificate" : "handshake-failed";
}
