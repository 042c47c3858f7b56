/**
 * The eBPF program that takes DNS queries out of an interface before the kernel's network stack sees them. It takes whole UDP datagrams over
 * IPv4 without options, or over IPv6 without extension headers, to one of our addresses and ports; everything else passes. Pure.
 */

const XDP_PASS = 2;
/** Helpers of the kernel (`bpf(2)`). */
const MAP_LOOKUP_ELEM = 1;
const REDIRECT_MAP = 51;
/** Of `ld_imm64`: the constant is the descriptor of a map. */
const PSEUDO_MAP_FD = 1;

/** Bytes of a key of the map of listeners: address (16, an IPv4 one in the first four), port (2, network order), family (2: 4 or 6). */
export const LISTENER_KEY = 20;
/** Frames above it pass: they do not fit a slot of the shared memory. */
export const LONGEST_FRAME = 1600;

/** Opcodes (`linux/bpf.h`): class, size and mode or operation and source. */
const Op = {
  LoadWord: 0x61,
  LoadHalf: 0x69,
  LoadByte: 0x71,
  StoreWord: 0x63,
  StoreHalf: 0x6b,
  StoreHalfImm: 0x6a,
  StoreLongImm: 0x7a,
  MoveRegister: 0xbf,
  Move: 0xb7,
  Add: 0x07,
  And: 0x57,
  LoadMap: 0x18,
  JumpGreater: 0x2d,
  JumpEqual: 0x15,
  JumpNotEqual: 0x55,
  Jump: 0x05,
  Call: 0x85,
  Exit: 0x95,
} as const;

type Target = "v6" | "lookUp" | "pass";

interface Instruction {
  readonly op: number;
  readonly to?: number;
  readonly from?: number;
  readonly offset?: number;
  readonly value?: number;
  readonly jump?: Target;
}

/** On the stack, below the frame pointer. */
const KEY = -24;
const KEY_PORT = -8;
const KEY_FAMILY = -6;
const [CONTEXT, DATA, END, LIMIT, VALUE, STACK] = [6, 2, 3, 4, 5, 10] as const;

const load = (op: number, at: number): Instruction => ({ op, to: VALUE, from: DATA, offset: at });
const passUnless = (value: number): Instruction => ({ op: Op.JumpNotEqual, to: VALUE, value, jump: "pass" });
/** Passes frames that are shorter, which is also how the kernel's verifier knows that bytes below may be read. */
const atLeast = (length: number): readonly Instruction[] => [
  { op: Op.MoveRegister, to: LIMIT, from: DATA },
  { op: Op.Add, to: LIMIT, value: length },
  { op: Op.JumpGreater, to: LIMIT, from: END, jump: "pass" },
];
const loadMap = (to: number, descriptor: number): readonly Instruction[] => [
  { op: Op.LoadMap, to, from: PSEUDO_MAP_FD, value: descriptor },
  { op: 0 },
];

/** Offsets are those of an Ethernet frame without VLAN tag. */
const IPV4: readonly Instruction[] = [
  load(Op.LoadByte, 14),
  passUnless(0x45), // no options
  load(Op.LoadHalf, 20),
  { op: Op.And, to: VALUE, value: 0xffbf },
  passUnless(0), // no fragment, whatever DF says
  load(Op.LoadByte, 23),
  passUnless(17),
  { op: Op.StoreLongImm, to: STACK, offset: KEY, value: 0 },
  { op: Op.StoreLongImm, to: STACK, offset: KEY + 8, value: 0 },
  load(Op.LoadWord, 30),
  { op: Op.StoreWord, to: STACK, from: VALUE, offset: KEY },
  load(Op.LoadHalf, 36),
  { op: Op.StoreHalf, to: STACK, from: VALUE, offset: KEY_PORT },
  { op: Op.StoreHalfImm, to: STACK, offset: KEY_FAMILY, value: 4 },
  { op: Op.Jump, jump: "lookUp" },
];

const IPV6: readonly Instruction[] = [
  ...atLeast(62),
  load(Op.LoadByte, 14),
  { op: Op.And, to: VALUE, value: 0xf0 },
  passUnless(0x60),
  load(Op.LoadByte, 20),
  passUnless(17),
  ...[0, 4, 8, 12].flatMap((at) => [load(Op.LoadWord, 38 + at), { op: Op.StoreWord, to: STACK, from: VALUE, offset: KEY + at }]),
  load(Op.LoadHalf, 56),
  { op: Op.StoreHalf, to: STACK, from: VALUE, offset: KEY_PORT },
  { op: Op.StoreHalfImm, to: STACK, offset: KEY_FAMILY, value: 6 },
];

/**
 * @param listeners descriptor of the hash map whose keys are our listeners ({@link LISTENER_KEY})
 * @param sockets   descriptor of the map from receive queue to AF_XDP socket; a queue without one passes
 * @returns instructions as `BPF_PROG_LOAD` takes them, 8 bytes each
 */
export function xdpProgram(listeners: number, sockets: number): Uint8Array {
  const start: readonly Instruction[] = [
    { op: Op.MoveRegister, to: CONTEXT, from: 1 },
    { op: Op.LoadWord, to: DATA, from: CONTEXT, offset: 0 },
    { op: Op.LoadWord, to: END, from: CONTEXT, offset: 4 },
    { op: Op.MoveRegister, to: LIMIT, from: DATA },
    { op: Op.Add, to: LIMIT, value: LONGEST_FRAME },
    { op: Op.JumpGreater, to: END, from: LIMIT, jump: "pass" },
    ...atLeast(42),
    load(Op.LoadHalf, 12),
    { op: Op.JumpEqual, to: VALUE, value: 0xdd86, jump: "v6" },
    passUnless(0x0008),
  ];
  const lookUp: readonly Instruction[] = [
    ...loadMap(1, listeners),
    { op: Op.MoveRegister, to: 2, from: STACK },
    { op: Op.Add, to: 2, value: KEY },
    { op: Op.Call, value: MAP_LOOKUP_ELEM },
    { op: Op.JumpEqual, to: 0, value: 0, jump: "pass" },
    { op: Op.LoadWord, to: 2, from: CONTEXT, offset: 16 }, // rx_queue_index
    ...loadMap(1, sockets),
    { op: Op.Move, to: 3, value: XDP_PASS },
    { op: Op.Call, value: REDIRECT_MAP },
    { op: Op.Exit },
  ];
  const pass: readonly Instruction[] = [{ op: Op.Move, to: 0, value: XDP_PASS }, { op: Op.Exit }];
  const all = [...start, ...IPV4, ...IPV6, ...lookUp, ...pass];
  const v6 = start.length + IPV4.length;
  const places: Readonly<Record<Target, number>> = { v6, lookUp: v6 + IPV6.length, pass: all.length - pass.length };
  return encode(all, places);
}

function encode(instructions: readonly Instruction[], places: Readonly<Record<Target, number>>): Uint8Array {
  const bytes = new Uint8Array(8 * instructions.length);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ op, to = 0, from = 0, offset = 0, value = 0, jump }, i) => {
    bytes[8 * i] = op;
    bytes[8 * i + 1] = to | (from << 4);
    view.setInt16(8 * i + 2, jump === undefined ? offset : places[jump] - i - 1, true);
    view.setInt32(8 * i + 4, value, true);
  });
  return bytes;
}
