import fc from "fast-check";
import { expect, test } from "vitest";
import { isV6Frame, MESSAGE_V4, MESSAGE_V6, messageLength, turnAround } from "./frame.ts";

interface Addresses {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

const octets = (length: number) => fc.array(fc.nat(255), { minLength: length, maxLength: length });
const port = fc.integer({ min: 1, max: 65535 });
const pair = <T>(value: fc.Arbitrary<T>) => fc.record({ from: value, to: value });
const ends = fc.record({ mac: pair(octets(6)), v4: pair(octets(4)), v6: pair(octets(16)), port: pair(port) });
type Ends = typeof ends extends fc.Arbitrary<infer T> ? T : never;

const big = (value: number): readonly number[] => [value >>> 8, value & 0xff];

/** A frame as a client sends it: its checksums are not looked at. */
function frameOf({ mac, v4, v6, port: ports }: Ends, isV6: boolean, message: readonly number[]): readonly number[] {
  const udp = [...big(ports.from), ...big(ports.to), ...big(message.length + 8), 0xab, 0xcd];
  const ip = isV6
    ? [0x61, 2, 3, 4, ...big(message.length + 8), 17, 9, ...v6.from, ...v6.to]
    : [0x45, 7, ...big(message.length + 28), 1, 2, 0, 0, 9, 17, 0, 0, ...v4.from, ...v4.to];
  return [...mac.to, ...mac.from, ...(isV6 ? [0x86, 0xdd] : [8, 0]), ...ip, ...udp, ...message];
}

/** The sum that a receiver makes: all ones when nothing is wrong (RFC 1071). */
function onesSum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** In memory of its own, behind something else. */
function place(frame: readonly number[]) {
  const bytes = new Uint8Array(4096);
  bytes.set(frame, 256);
  return { bytes, words: new Uint16Array(bytes.buffer), at: 128 };
}

test("an answer goes back to where its query came from, in headers that every receiver accepts", () => {
  const message = fc.array(fc.nat(255), { minLength: 12, maxLength: 1232 });
  fc.assert(
    fc.property(ends, fc.boolean(), message, message, (all, isV6, query, answer) => {
      const { bytes, words, at } = place(frameOf(all, isV6, query));
      const start = isV6 ? MESSAGE_V6 : MESSAGE_V4;
      expect(isV6Frame(words, at)).toBe(isV6);
      expect(messageLength(words, at, start + query.length, isV6)).toBe(query.length);
      bytes.set(answer, 256 + start);
      expect(turnAround(words, at, answer.length, isV6)).toBe(start + answer.length);

      const frame = [...bytes.subarray(256, 256 + start + answer.length)];
      const back = <T>({ from, to }: { readonly from: T; readonly to: T }): readonly [T, T] => [from, to];
      const [mac, ports] = [back(all.mac), back(all.port)];
      expect(frame.slice(0, 12)).toEqual([...mac[0], ...mac[1]]);
      expect(frame.slice(start - 8, start - 2)).toEqual([...big(ports[1]), ...big(ports[0]), ...big(answer.length + 8)]);
      expect(frame.slice(start)).toEqual(answer);
      const ip = frame.slice(14, start - 8);
      const { from, to }: Addresses = isV6 ? all.v6 : all.v4;
      expect(ip.slice(isV6 ? 8 : 12)).toEqual([...to, ...from]);
      if (isV6) {
        expect(ip.slice(0, 8)).toEqual([0x60, 0, 0, 0, ...big(answer.length + 8), 17, 64]);
        expect(onesSum([...to, ...from, 0, 0, ...big(answer.length + 8), 0, 0, 0, 17, ...frame.slice(start - 8)])).toBe(0xffff);
        expect(frame.slice(start - 2, start)).not.toEqual([0, 0]);
      } else {
        expect(ip.slice(0, 10)).toEqual([0x45, 0, ...big(answer.length + 28), 0, 0, 0x40, 0, 64, 17]);
        expect(onesSum(ip)).toBe(0xffff);
        expect(frame.slice(start - 2, start)).toEqual([0, 0]);
      }
    }),
  );
});

const CLIENT: Ends = {
  mac: { from: [2, 0, 0, 0, 0, 1], to: [2, 0, 0, 0, 0, 2] },
  v4: { from: [192, 0, 2, 1], to: [192, 0, 2, 2] },
  v6: { from: Array<number>(16).fill(1), to: Array<number>(16).fill(2) },
  port: { from: 4000, to: 53 },
};

test("a message ends where UDP says, before padding", () => {
  const { words, at } = place([...frameOf(CLIENT, false, [1, 2, 3]), 0, 0, 0, 0]);
  expect(messageLength(words, at, MESSAGE_V4 + 7, false)).toBe(3);
});

test.each([
  { fault: "a frame that ends before its message", cut: 1, change: {} },
  { fault: "nobody to answer", cut: 0, change: { port: { from: 0, to: 53 } } },
])("$fault", ({ cut, change }) => {
  for (const isV6 of [false, true]) {
    const frame = frameOf({ ...CLIENT, ...change }, isV6, [1, 2, 3, 4]);
    const { words, at } = place(frame);
    expect(messageLength(words, at, frame.length - cut, isV6)).toBe(-1);
  }
});
