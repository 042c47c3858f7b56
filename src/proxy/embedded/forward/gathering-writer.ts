/** Pieces that become one write: a head, a chunk's size, its data and its end cost one system call and one packet instead of four. */
import type { Duplex } from "node:stream";

/** Up to so many bytes are copied together; more goes out as it is, corked. */
const COPIED = 16 << 10;

export class GatheringWriter {
  readonly #socket: Duplex;
  #pieces: (string | Buffer)[] = [];
  #size = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** @param text Latin-1 */
  addText(text: string): void {
    this.#pieces.push(text);
    this.#size += text.length;
  }

  /** @param bytes not changed until {@link flush}, and if they are many not afterwards either */
  addBytes(bytes: Buffer, start: number, end: number): void {
    this.#pieces.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    this.#size += end - start;
  }

  /** @returns false when the other side does not keep up: "drain" tells when it has */
  flush(): boolean {
    const pieces = this.#pieces;
    if (pieces.length === 0) return !this.#socket.writableNeedDrain;
    const size = this.#size;
    this.#pieces = [];
    this.#size = 0;
    if (this.#socket.destroyed || this.#socket.writableEnded) return true; // whoever closed it does not wait for a drain
    if (pieces.length === 1) return write(this.#socket, pieces[0]!);
    if (size <= COPIED) return this.#socket.write(joined(pieces, size));
    this.#socket.cork();
    let isTaken = true;
    for (const piece of pieces) isTaken = write(this.#socket, piece);
    this.#socket.uncork();
    return isTaken;
  }
}

const write = (socket: Duplex, piece: string | Buffer): boolean =>
  typeof piece === "string" ? socket.write(piece, "latin1") : socket.write(piece);

function joined(pieces: readonly (string | Buffer)[], size: number): Buffer {
  const whole = Buffer.allocUnsafe(size);
  let at = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    if (typeof piece === "string") at += whole.write(piece, at, "latin1");
    else at += piece.copy(whole, at);
  }
  return whole;
}
