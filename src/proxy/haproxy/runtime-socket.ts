/** HAProxy's runtime API: a command and its answer over a connection of their own, to a Unix socket or a TCP port. */
import { connect } from "node:net";

export type AdminSocket = { readonly path: string } | { readonly host: string; readonly port: number };

/** The conversation failed. What HAProxy answers is never an error here: success is empty or a remark, and a refusal is a sentence as well. */
export class HaproxyError extends Error {
  readonly code: "unreachable" | "silent";
  constructor(code: HaproxyError["code"], at: AdminSocket, cause?: unknown) {
    const remedy = {
      unreachable:
        "Start HAProxy with the configuration that was written for it, with -W -S where its master is to reload it, and let us open its sockets.",
      silent: "Look whether HAProxy hangs; until it answers, it goes on with what it was told.",
    };
    const why = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    super(`haproxy at ${"path" in at ? at.path : `${at.host}:${at.port}`}: ${code}${why}. ${remedy[code]}`, { cause });
    this.name = "HaproxyError";
    this.code = code;
  }
}

export interface RuntimeSocketOptions {
  readonly at: AdminSocket;
  /** Milliseconds for one answer, whole. */
  readonly timeout: number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}

/**
 * @param command one line, several split by `;`, or a line that ends in `<<` and the lines of its payload, each ended
 * @returns all that HAProxy answers, until it closes the connection
 * @throws HaproxyError; nothing stays open
 */
export function askHaproxy(command: string, { at, timeout, setTimer }: RuntimeSocketOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(at);
    let answer = "";
    const end = (settle: () => void): void => {
      cancel();
      socket.destroy();
      settle();
    };
    const cancel = setTimer(timeout, () => end(() => reject(new HaproxyError("silent", at))));
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`${command}\n`));
    socket.on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("end", () => end(() => resolve(answer)));
    socket.on("error", (error) => end(() => reject(new HaproxyError("unreachable", at, error))));
    // After an end or an error this settles nothing any more.
    socket.on("close", () => end(() => reject(new HaproxyError("unreachable", at))));
  });
}
