/** Takes the PROXY protocol's header off a connection, and nothing of what follows it. */
import type { Socket } from "node:net";
import type { Milliseconds } from "../../../model/units.ts";
import { parseProxyHeader } from "./proxy-protocol.ts";

export type TakenHeader = { readonly source: string | undefined } | "bad-proxy-header" | "proxy-header-timeout";

/** @param then called once, unless the connection closes before; the socket is paused and what follows the header has not been read */
export function takeProxyHeader(
  socket: Socket,
  timeout: Milliseconds,
  setTimer: (delay: Milliseconds, callback: () => void) => () => void,
  then: (header: TakenHeader) => void,
): void {
  let got: Buffer | undefined;
  const end = (outcome: TakenHeader, rest?: Buffer): void => {
    cancel();
    socket.removeListener("data", onData);
    socket.removeListener("close", cancel);
    socket.pause();
    if (rest !== undefined && rest.length > 0) socket.unshift(rest); // not before: whoever listens would get it at once
    then(outcome);
  };
  const onData = (piece: Buffer): void => {
    got = got === undefined ? piece : Buffer.concat([got, piece]);
    const header = parseProxyHeader(got);
    if (header.kind === "more") return;
    if (header.kind === "bad") return void end("bad-proxy-header");
    end({ source: header.source }, got.subarray(header.length));
  };
  const cancel = setTimer(timeout, () => end("proxy-header-timeout"));
  socket.on("data", onData);
  socket.on("close", cancel);
}
