import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { exchangeOverTcp } from "./tcp-exchange.ts";

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

async function serve(onQuestion: (socket: Socket, question: Buffer) => void): Promise<{ readonly host: string; readonly port: number }> {
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (chunk) => onQuestion(socket, chunk));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

const QUESTION = Uint8Array.of(1, 2, 3);
const NEVER = new AbortController().signal;
const framed = (...bytes: readonly number[]): Buffer => Buffer.from([0, bytes.length, ...bytes]);

test("messages are taken one by one, however they are cut, until the last", async () => {
  const asked: Buffer[] = [];
  const at = await serve((socket, question) => {
    asked.push(question);
    const all = Buffer.concat([framed(7), framed(8, 8), framed(9), framed(10)]);
    for (const byte of all) socket.write(Uint8Array.of(byte));
  });
  const taken: number[][] = [];
  await exchangeOverTcp(at, QUESTION, (message) => taken.push([...message]) === 3, NEVER);
  expect(asked).toEqual([Buffer.from([0, 3, 1, 2, 3])]);
  expect(taken).toEqual([[7], [8, 8], [9]]);
});

test("an end too soon, a refusal, an abort and a taker's own error are told", async () => {
  const early = await serve((socket) => socket.end(Buffer.from([0, 5, 1])));
  await expect(exchangeOverTcp(early, QUESTION, () => true, NEVER)).rejects.toThrow("closed the connection before its answer was whole");
  server?.close();
  await expect(exchangeOverTcp(early, QUESTION, () => true, NEVER)).rejects.toThrow("ECONNREFUSED");
  const silent = await serve(() => {});
  const abort = new AbortController();
  const pending = exchangeOverTcp(silent, QUESTION, () => true, abort.signal);
  abort.abort(new Error("enough"));
  await expect(pending).rejects.toThrow("enough");
  await expect(exchangeOverTcp(silent, QUESTION, () => true, abort.signal)).rejects.toThrow("enough");
  server?.close();
  const answering = await serve((socket) => socket.write(framed(1)));
  const taker = (): boolean => {
    throw new Error("not mine");
  };
  await expect(exchangeOverTcp(answering, QUESTION, taker, NEVER)).rejects.toThrow("not mine");
});
