import { expect, test } from "vitest";
import { LISTENER_KEY, LONGEST_FRAME, xdpProgram } from "./xdp-program.ts";

const [LISTENERS, SOCKETS] = [11, 12];
const PASS = 2;

/**
 * Runs the program as the kernel does, with the instructions that it has.
 *
 * @returns the queue whose socket gets the frame, or "pass"
 */
function run(frame: readonly number[], listeners: ReadonlySet<string>, queue = 3): number | "pass" {
  const code = new DataView(xdpProgram(LISTENERS, SOCKETS).buffer);
  const registers = new Array<number>(11).fill(0);
  const stack = new Uint8Array(512);
  const bytes = Uint8Array.from(frame);
  const data = new DataView(bytes.buffer);
  const [CONTEXT, DATA, STACK] = [1 << 20, 2 << 20, 3 << 20];
  [registers[1], registers[10]] = [CONTEXT, STACK + 512];
  const read = (address: number, size: 1 | 2 | 4): number => {
    if (address >= STACK) throw new Error("nothing is read from the stack");
    if (address >= DATA) {
      if (address - DATA + size > bytes.length) throw new Error(`byte ${address - DATA} lies behind the frame`);
      return size === 1
        ? data.getUint8(address - DATA)
        : size === 2
          ? data.getUint16(address - DATA, true)
          : data.getUint32(address - DATA, true);
    }
    return new Map([
      [0, DATA],
      [4, DATA + bytes.length],
      [16, queue],
    ]).get(address - CONTEXT)!;
  };
  const write = (address: number, size: number, value: number): void => {
    for (let i = 0; i < size; i++) stack[address - STACK + i] = i < 4 ? value >>> (8 * i) : 0;
  };
  for (let at = 0, steps = 0; steps < 200; at++, steps++) {
    const [op, names] = [code.getUint8(8 * at), code.getUint8(8 * at + 1)];
    const [to, from, offset, value] = [names & 15, names >>> 4, code.getInt16(8 * at + 2, true), code.getInt32(8 * at + 4, true)];
    const jump = (taken: boolean): void => {
      if (taken) at += offset;
    };
    if (op === 0x61) registers[to] = read(registers[from]! + offset, 4);
    else if (op === 0x69) registers[to] = read(registers[from]! + offset, 2);
    else if (op === 0x71) registers[to] = read(registers[from]! + offset, 1);
    else if (op === 0x63) write(registers[to]! + offset, 4, registers[from]!);
    else if (op === 0x6b) write(registers[to]! + offset, 2, registers[from]!);
    else if (op === 0x6a) write(registers[to]! + offset, 2, value);
    else if (op === 0x7a) write(registers[to]! + offset, 8, value);
    else if (op === 0xbf) registers[to] = registers[from]!;
    else if (op === 0xb7) registers[to] = value;
    else if (op === 0x07) registers[to] = registers[to]! + value;
    else if (op === 0x57) registers[to] = registers[to]! & value;
    else if (op === 0x18) [registers[to], at] = [value, at + 1];
    else if (op === 0x2d) jump(registers[to]! > registers[from]!);
    else if (op === 0x15) jump(registers[to] === value);
    else if (op === 0x55) jump(registers[to] !== value);
    else if (op === 0x05) jump(true);
    else if (op === 0x95) return registers[0] === PASS ? "pass" : registers[0]! - 100;
    else if (op === 0x85 && value === 1) {
      expect(registers[1]).toBe(LISTENERS);
      const key = stack.subarray(registers[2]! - STACK, registers[2]! - STACK + LISTENER_KEY);
      registers[0] = listeners.has([...key].join()) ? 1 : 0;
    } else if (op === 0x85 && value === 51) {
      expect([registers[1], registers[3]]).toEqual([SOCKETS, PASS]);
      registers[0] = 100 + registers[2]!;
    } else throw new Error(`instruction ${at} is ${op}`);
  }
  throw new Error("it does not end");
}

const MESSAGE = new Array<number>(40).fill(7);
const V4_TO = [192, 0, 2, 53];
const V6_TO = [0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 0x53];
const KEYS = new Set([[...V4_TO, ...new Array<number>(12).fill(0), 0, 53, 4, 0].join(), [...V6_TO, 0, 53, 6, 0].join()]);
const UDP = [0x0f, 0xa0, 0, 53, 0, 48, 0, 0];
const ETHERNET = new Array<number>(12).fill(2);
const V4 = [...ETHERNET, 8, 0, 0x45, 0, 0, 68, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, ...V4_TO, ...UDP, ...MESSAGE];
const V6 = [...ETHERNET, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 48, 17, 64, ...new Array<number>(16).fill(9), ...V6_TO, ...UDP, ...MESSAGE];
const altered = (frame: readonly number[], at: number, ...bytes: readonly number[]): readonly number[] => [
  ...frame.slice(0, at),
  ...bytes,
  ...frame.slice(at + bytes.length),
];

test("queries to our addresses and ports go to the socket of their queue", () => {
  expect([run(V4, KEYS), run(V6, KEYS), run(V4, KEYS, 0)]).toEqual([3, 3, 0]);
  expect(run(altered(V4, 20, 0x40), KEYS)).toBe(3); // "don't fragment"
});

test.each<[string, readonly number[]]>([
  ["another address (IPv4)", altered(V4, 33, 54)],
  ["another address (IPv6)", altered(V6, 53, 0x54)],
  ["another port", altered(V4, 37, 54)],
  ["another port (IPv6)", altered(V6, 57, 54)],
  ["TCP", altered(V4, 23, 6)],
  ["TCP (IPv6)", altered(V6, 20, 6)],
  ["a first fragment", altered(V4, 20, 0x20)],
  ["a later fragment", altered(V4, 20, 0, 9)],
  ["IPv4 options", altered(V4, 14, 0x46)],
  ["an extension header", altered(V6, 20, 44)],
  ["IPv6's type with another version inside", altered(V6, 14, 0x40)],
  ["ARP", altered(V4, 12, 8, 6)],
  ["a VLAN tag", altered(V4, 12, 0x81, 0)],
  ["a frame that is too short", V4.slice(0, 41)],
  ["one that is too short for IPv6", V6.slice(0, 61)],
  ["one that no slot can hold", [...V4, ...new Array<number>(LONGEST_FRAME).fill(0)]],
])("%s passes to the kernel", (_, frame) => {
  expect(run(frame, KEYS)).toBe("pass");
});

test("a frame is never read behind its end", () => {
  for (const whole of [V4, V6]) for (let length = 0; length <= whole.length; length++) run(whole.slice(0, length), KEYS);
});
