import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { GatheringWriter } from "./gathering-writer.ts";

/** A socket, and what each of its writes was. */
function socketOf() {
  const writes: Buffer[] = [];
  const take = (pieces: readonly Buffer[], done: () => void): void => {
    writes.push(Buffer.concat(pieces));
    done();
  };
  const socket = new Duplex({
    read: () => undefined,
    write: (piece, _encoding, done) => take([piece], done),
    writev: (pieces, done) =>
      take(
        pieces.map(({ chunk }) => chunk),
        done,
      ),
  });
  return { socket, writes };
}

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

test.each([0, 1, 256, 4096, 5000, 100_000])("text, %i bytes and text are one write, whatever the bytes are", (size) => {
  const { socket, writes } = socketOf();
  const out = new GatheringWriter(socket);
  const bytes = Buffer.alloc(size + 20, ALL_BYTES);
  for (let round = 0; round < 2; round++) {
    out.addText("caf\xe9\r\n");
    out.addBytes(bytes, 10, size + 10);
    out.addText("\r\n");
    out.flush();
  }
  const once = Buffer.concat([Buffer.from("caf\xe9\r\n", "latin1"), bytes.subarray(10, size + 10), Buffer.from("\r\n")]);
  expect(writes).toEqual([once, once]);
});

test("very many small pieces come through in their order", () => {
  const { socket, writes } = socketOf();
  const out = new GatheringWriter(socket);
  const all = Buffer.alloc(50_000, ALL_BYTES);
  for (let at = 0; at < all.length; at += 7) out.addBytes(all, at, Math.min(all.length, at + 7));
  out.flush();
  expect(Buffer.concat(writes).equals(all)).toBe(true);
});

test("nothing is written to a socket that takes no more, and nobody waits for it", () => {
  const { socket, writes } = socketOf();
  const out = new GatheringWriter(socket);
  expect(out.flush()).toBe(true);
  socket.end();
  out.addText("late");
  expect(out.flush()).toBe(true);
  expect(writes).toEqual([]);
});
