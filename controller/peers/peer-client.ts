/** Keeps one connection to another instance: dials until it is told to stop. */
import { connect, type TLSSocket } from "node:tls";
import type { KubePorts } from "../kube/kube-ports.ts";
import type { Hello } from "./peer-messages.ts";
import { createPeerStream, DEAD_AFTER, type EndReason, type PeerStream, type StreamHandlers } from "./peer-stream.ts";
import { bindingOf, formatIdentity, HANDSHAKE_TIMEOUT, type Identity, PEER_TLS } from "./peer-tls.ts";
import { tlsKey } from "./seal.ts";

/** Longest pause before the first retry, and before any, ms. Each is a random part of it (full jitter). */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

export interface PeerClientOptions {
  /** A name is looked up at each try. */
  readonly target: { readonly host: string; readonly port: number };
  readonly identity: Identity;
  readonly secret: string;
  readonly hello: Hello;
  readonly ports: KubePorts;
  readonly accept: (hello: Hello, stream: PeerStream) => StreamHandlers | EndReason;
  /** A try failed, or a stream ended. */
  readonly onTrouble: (why: string) => void;
}

export interface PeerClient {
  /** Says bye to whoever is connected. */
  close(): void;
}

export function createPeerClient(options: PeerClientOptions): PeerClient {
  const { target, identity, secret, ports } = options;
  let isClosed = false;
  let tries = 0;
  let cancelRetry = () => {};
  let socket: TLSSocket | undefined;
  let stream: PeerStream | undefined;

  function dial(): void {
    const opened = connect({
      ...PEER_TLS,
      host: target.host,
      port: target.port,
      pskCallback: () => ({ psk: tlsKey(secret), identity: formatIdentity(identity) }),
      checkServerIdentity: () => undefined, // there is no certificate: the key is the proof
    });
    socket = opened;
    opened.setNoDelay(true);
    let isSettled = false;
    const settle = (error?: Error): void => {
      if (isSettled) return;
      isSettled = true;
      cancelTimeout();
      if (error !== undefined) {
        opened.destroy();
        retry("code" in error ? String(error.code) : error.message);
      } else speak(opened);
    };
    const cancelTimeout = ports.setTimer(HANDSHAKE_TIMEOUT, () => settle(new Error("no handshake in time")));
    opened.on("error", settle);
    opened.once("close", () => settle(new Error("connection closed")));
    opened.once("secureConnect", () => settle());
  }

  function speak(opened: TLSSocket): void {
    const since = ports.now();
    stream = createPeerStream({
      socket: opened,
      secret,
      binding: bindingOf(opened),
      side: "dialler",
      hello: options.hello,
      ports,
      accept: options.accept,
      onEnd(reason) {
        stream = undefined;
        if (ports.now() - since > DEAD_AFTER) tries = 0;
        if (!isClosed && reason !== "self") retry(reason);
      },
    });
  }

  function retry(why: string): void {
    if (isClosed) return;
    options.onTrouble(why);
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(10, tries++));
    cancelRetry = ports.setTimer(ports.random() * longest, dial);
  }

  dial();
  return {
    close() {
      isClosed = true;
      cancelRetry();
      if (stream !== undefined) stream.end("closed");
      else socket?.destroy();
    },
  };
}
