/** One question and its answers over a TCP connection of its own (RFC 7766 §8: each message with its length in front). */
import { connect } from "node:net";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * @param take told of each message; true = it was the last. What it throws ends the exchange
 * @returns once the last message was taken
 * @throws Error when the connection fails or ends too soon; the signal's reason when it is aborted. Nothing stays open.
 */
export function exchangeOverTcp(
  { host, port }: ServerAddress,
  question: Uint8Array,
  take: (message: Uint8Array) => boolean,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ host, port });
    let rest: Buffer = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort);
    socket.on("connect", () => socket.write(Buffer.concat([Uint8Array.of(question.length >>> 8, question.length), question])));
    socket.on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE()) {
        const length = rest.readUInt16BE();
        const message = new Uint8Array(rest.subarray(2, 2 + length));
        rest = rest.subarray(2 + length);
        try {
          if (take(message)) return end(resolve);
        } catch (error) {
          return end(() => reject(error));
        }
      }
    });
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("close", () => end(() => reject(new Error("the server closed the connection before its answer was whole"))));
  });
}
