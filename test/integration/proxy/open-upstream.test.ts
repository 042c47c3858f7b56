/** Connections to endpoints behave as any socket of Node's, though their bytes do not pass its streams. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openUpstream } from "../../../src/proxy/embedded/forward/open-upstream.ts";
import { patternCheck, patternSource } from "../../support/streams/pattern.ts";

async function endpoint(serve: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true }, serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { id: "one", address: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

test("pieces are the listener's to keep, nothing comes while it is paused, and the end comes last", async () => {
  const size = 8 << 20;
  const said: string[] = [];
  const to = await endpoint((socket) => {
    patternSource(size).stream.pipe(socket);
    socket.setEncoding("latin1").on("data", (text: string) => said.push(text));
  });
  const pieces: Buffer[] = [];
  const socket = openUpstream(to);
  const ended = once(socket, "end");
  await new Promise<void>((paused) =>
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      if (pieces.length !== 5) return;
      socket.pause();
      paused();
    }),
  );
  // while as much comes to somebody else
  const other = openUpstream(to).resume();
  await once(other, "end");
  other.end();
  expect(pieces).toHaveLength(5);
  socket.resume();
  await ended;
  const check = patternCheck();
  for (const piece of pieces) check.take(piece);
  expect([check.taken(), check.wrongAt()]).toEqual([size, undefined]);

  socket.end("thanks"); // the other direction is still open
  await expect.poll(() => said.join("")).toBe("thanks");
});

test("two that are read by turns do not get each other's bytes", async () => {
  const size = 4 << 20;
  const to = await endpoint((socket) => void patternSource(size).stream.pipe(socket));
  const checks = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const check = patternCheck();
      const socket = openUpstream(to).on("data", (piece: Buffer) => check.take(piece));
      await once(socket, "end");
      socket.end();
      return [check.taken(), check.wrongAt()];
    }),
  );
  expect(checks).toEqual(Array.from({ length: 8 }, () => [size, undefined]));
});

test("nobody there: an error, and no connection", async () => {
  const socket = openUpstream({ id: "one", address: "127.0.0.1", port: 1 });
  const [error] = await once(socket, "error");
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
});
