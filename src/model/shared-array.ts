/** Typed arrays over SharedArrayBuffers: a structured clone to another thread shares them instead of copying. */

type Numbers = ArrayLike<number>;

export function sharedUint8(source: Numbers | number): Uint8Array<SharedArrayBuffer> {
  const out = new Uint8Array(new SharedArrayBuffer(typeof source === "number" ? source : source.length));
  if (typeof source !== "number") out.set(source);
  return out;
}

export function sharedUint16(source: Numbers | number): Uint16Array<SharedArrayBuffer> {
  const out = new Uint16Array(new SharedArrayBuffer(2 * (typeof source === "number" ? source : source.length)));
  if (typeof source !== "number") out.set(source);
  return out;
}

export function sharedInt16(source: Numbers | number): Int16Array<SharedArrayBuffer> {
  const out = new Int16Array(new SharedArrayBuffer(2 * (typeof source === "number" ? source : source.length)));
  if (typeof source !== "number") out.set(source);
  return out;
}

export function sharedUint32(source: Numbers | number): Uint32Array<SharedArrayBuffer> {
  const out = new Uint32Array(new SharedArrayBuffer(4 * (typeof source === "number" ? source : source.length)));
  if (typeof source !== "number") out.set(source);
  return out;
}

export function sharedInt32(source: Numbers | number): Int32Array<SharedArrayBuffer> {
  const out = new Int32Array(new SharedArrayBuffer(4 * (typeof source === "number" ? source : source.length)));
  if (typeof source !== "number") out.set(source);
  return out;
}

export function sharedFloat64(source: Numbers | number): Float64Array<SharedArrayBuffer> {
  const out = new Float64Array(new SharedArrayBuffer(8 * (typeof source === "number" ? source : source.length)));
  if (typeof source !== "number") out.set(source);
  return out;
}
