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
  /** What has come of a line, in a buffer that doubles: an object for each chunk would hold many times the size of small ones. */
  let pending = new Uint8Array(0);
  let length = 0;

  function append(bytes: Uint8Array): void {
    if (length + bytes.length > pending.length) {
      const larger = new Uint8Array(Math.max(2 * pending.length, length + bytes.length));
      larger.set(pending.subarray(0, length));
      pending = larger;
    }
    pending.set(bytes, length); // a copy: the chunk's memory is the socket's
    length += bytes.length;
  }

  function endLine(last: Uint8Array): void {
    if (length > 0) append(last);
    const line = length > 0 ? pending.subarray(0, length) : last;
    pending = new Uint8Array(0);
    length = 0;
    const text = decode(line, decoder).trim();
    if (text !== "") onLine(parse(text));
  }

  return (chunk) => {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      const bytes = chunk.subarray(start, end < 0 ? chunk.length : end);
      if (length + bytes.length > maximum) throw new SyntaxError(`a line is longer than ${maximum} bytes`);
      if (end < 0) {
        append(bytes);
        return;
      }
      endLine(bytes);
      start = end + 1;
    }
  };
}

function decode(line: Uint8Array, decoder: InstanceType<typeof TextDecoder>): string {
  try {
    return decoder.decode(line);
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
