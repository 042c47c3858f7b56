/** The body of a watch: one JSON object on each line, however the network cut it up. */

/** etcd takes objects of 1.5 MB; what is many times larger is no watch event. */
const MAX_LINE = 16 * 1024 * 1024;

/**
 * @param onLine  one parsed line; empty lines are skipped
 * @param maximum bytes of a line
 * @returns takes the next bytes; throws a SyntaxError when a line is no JSON or too long, and is of no more use then
 */
export function createLineReader(onLine: (value: unknown) => void, maximum = MAX_LINE): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;

  const endLine = (last: Uint8Array): void => {
    const parts = [...pending, last];
    pending = [];
    pendingBytes = 0;
    const text = decode(parts, decoder).trim();
    if (text !== "") onLine(parse(text));
  };

  return (chunk) => {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      const bytes = chunk.subarray(start, end < 0 ? chunk.length : end);
      if (pendingBytes + bytes.length > maximum) throw new SyntaxError(`a line is longer than ${maximum} bytes`);
      if (end < 0) {
        if (bytes.length > 0) pending.push(bytes.slice()); // the chunk's memory is the socket's
        pendingBytes += bytes.length;
        return;
      }
      endLine(bytes);
      start = end + 1;
    }
  };
}

function decode(parts: readonly Uint8Array[], decoder: InstanceType<typeof TextDecoder>): string {
  let text = "";
  try {
    for (const part of parts) text += decoder.decode(part, { stream: true });
    return text + decoder.decode();
  } catch {
    throw new SyntaxError("a line is not UTF-8");
  }
}

/** Node's own message would quote the text, which may be a Secret. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError("a line is not JSON");
  }
}
