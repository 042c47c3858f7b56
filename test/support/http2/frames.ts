/** Frames of HTTP/2 (RFC 9113 §4.1) as bytes, for what no client library would send. */

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const FrameType = {
  Data: 0,
  Headers: 1,
  ResetStream: 3,
  Settings: 4,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;
export const Flag = { EndStream: 1, Ack: 1, EndHeaders: 4 } as const;

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal fields without indexing or Huffman coding (RFC 7541 §6.2.2). Names and values of less than 127 bytes. */
export const fieldBlock = (fields: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name, "latin1"),
      Buffer.from([value.length]),
      Buffer.from(value, "latin1"),
    ]),
  );

export const get = (host: string, path = "/"): Buffer =>
  fieldBlock({ ":method": "GET", ":scheme": "https", ":path": path, ":authority": host });

export const resetStream = (stream: number, code: number): Buffer => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(FrameType.ResetStream, 0, stream, payload);
};

/** A client's, which has seen no stream of the server. */
export const goAway = (code: number): Buffer => {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(code, 4);
  return frame(FrameType.GoAway, 0, 0, payload);
};

/** @param settings number → value (RFC 9113 §6.5.2) */
export const settings = (values: readonly (readonly [number, number])[] = []): Buffer =>
  frame(
    FrameType.Settings,
    0,
    0,
    Buffer.concat(
      values.map(([id, value]) => {
        const entry = Buffer.alloc(6);
        entry.writeUInt16BE(id);
        entry.writeUInt32BE(value, 2);
        return entry;
      }),
    ),
  );
export const INITIAL_WINDOW = 4;

/** The error code of the last GOAWAY among these bytes; undefined when there is none. */
export function goAwayCode(bytes: Buffer): number | undefined {
  let code: number | undefined;
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === FrameType.GoAway && at + 17 <= bytes.length) code = bytes.readUInt32BE(at + 13);
  }
  return code;
}
