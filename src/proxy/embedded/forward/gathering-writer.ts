/** Pieces that become one write: a head, a chunk's size, its data and its end cost one system call and one packet instead of four. */
import type { Duplex } from "node:stream";

/**
 * Up to so many bytes are gathered in one string: Node writes it from its stack, where a buffer would have to be made for it first. More goes
 * out as it is, corked, which from here on costs less than to copy it.
 */
const COPIED = 4 << 10;

export class GatheringWriter {
  readonly #socket: Duplex;
  /** Latin-1: a character a byte. */
  #text = "";
  /** What goes out before the text. */
  #pieces: (string | Buffer)[] | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** @param text Latin-1 */
  addText(text: string): void {
    this.#text += text;
  }

  /** @param bytes if they are many not changed any more */
  addBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#text.length + end - start <= COPIED) {
      this.#text += bytes.toString("latin1", start, end);
      return;
    }
    this.#pieces ??= [];
    if (this.#text !== "") this.#pieces.push(this.#text);
    this.#pieces.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    this.#text = "";
  }

  /** @returns false when the other side does not keep up: "drain" tells when it has */
  flush(): boolean {
    const text = this.#text;
    const pieces = this.#pieces;
    const socket = this.#socket;
    if (text === "" && pieces === undefined) return !socket.writableNeedDrain;
    this.#text = "";
    this.#pieces = undefined;
    if (!socket.writable) return true; // whoever closed it does not wait for a drain
    if (pieces === undefined) return socket.write(text, "latin1");
    if (text !== "") pieces.push(text);
    if (pieces.length === 1) return socket.write(pieces[0]!);
    socket.cork();
    let isTaken = true;
    for (const piece of pieces) isTaken = typeof piece === "string" ? socket.write(piece, "latin1") : socket.write(piece);
    socket.uncork();
    return isTaken;
  }
}
