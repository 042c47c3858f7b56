/** One question and its answer over a socket of its own: UDP as it is, TCP with the length in front (RFC 1035 §4.2, RFC 7766 §8). */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { ListenAddress } from "../../model/listen-address.ts";

/**
 * @param question a whole message; an answer has its ID
 * @returns the answer, undecoded
 * @throws Error with the system's code; the signal's reason when it is aborted. Nothing stays open.
 */
export type Exchange = (server: ListenAddress, question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

/** Whether a message is the answer to a question: QR and the same ID. Whoever is connected to cannot be another server. */
const isAnswerTo = (question: Uint8Array, message: Uint8Array): boolean =>
  message.length >= 12 && message[0] === question[0] && message[1] === question[1] && (message[2]! & 0x80) !== 0;

export const exchangeOverUdp: Exchange = ({ address, port }, question, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.close();
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort);
    socket.once("error", (error) => end(() => reject(error)));
    socket.on("message", (message) => {
      if (isAnswerTo(question, message)) end(() => resolve(new Uint8Array(message)));
    });
    // a connected socket takes answers of this server alone, and is told when nothing listens there
    socket.connect(port, address, () => socket.send(question));
  });

export const exchangeOverTcp: Exchange = ({ address, port }, question, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ host: address, port });
    let received: Buffer = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort);
    socket.on("connect", () => socket.write(Buffer.concat([Uint8Array.of(question.length >>> 8, question.length & 0xff), question])));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      const message = new Uint8Array(received.subarray(2, 2 + received.readUInt16BE()));
      end(() => resolve(message));
    });
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("close", () => end(() => reject(new Error("the server closed the connection before its answer was whole"))));
  });
