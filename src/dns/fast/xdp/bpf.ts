/** `bpf(2)`: maps, a program, and its place at an interface. Descriptors keep them: whoever dies takes his program along. */
import { FastTransportUnavailable, systemError } from "../libc.ts";
import type { XdpLibc } from "./xdp-libc.ts";

const NUMBER = process.arch === "arm64" ? 280 : 321;
const Command = { MapCreate: 0, MapUpdate: 2, MapDelete: 3, ProgramLoad: 5, LinkCreate: 28 } as const;
const MAP_HASH = 1;
const MAP_XSK = 17;
const PROGRAM_XDP = 6;
const ATTACH_XDP = 37;
/** The kernel's generic hook, which every interface has. */
const XDP_SKB_MODE = 2;
const ATTRIBUTES = 128;
const LOG = 1 << 16;

export interface Bpf {
  /** @returns a descriptor, as the other calls do */
  readonly createHash: (keyBytes: number, entries: number) => number;
  readonly createSocketMap: (queues: number) => number;
  /** @param value 4 bytes */
  readonly set: (map: number, key: Uint8Array, value: Uint8Array) => void;
  /** A key that is not there is no error. */
  readonly remove: (map: number, key: Uint8Array) => void;
  readonly loadProgram: (instructions: Uint8Array) => number;
  readonly attach: (program: number, interfaceIndex: number) => number;
}

/** All calls throw the system's error. */
export function createBpf(libc: XdpLibc): Bpf {
  function call(name: string, command: number, attributes: DataView): number {
    const bytes = new Uint8Array(attributes.buffer);
    const result = libc.syscall(NUMBER, command, libc.addressOf(bytes), bytes.length);
    if (result < 0) throw systemError(libc, `bpf ${name}`);
    return result;
  }

  function createMap(type: number, keyBytes: number, entries: number): number {
    const attributes = words(type, keyBytes, 4, entries);
    return call("MAP_CREATE", Command.MapCreate, attributes);
  }

  function withKey(map: number, key: Uint8Array, value?: Uint8Array): DataView {
    const attributes = words(map);
    attributes.setBigUint64(8, BigInt(libc.addressOf(key)), true);
    if (value !== undefined) attributes.setBigUint64(16, BigInt(libc.addressOf(value)), true);
    return attributes;
  }

  return {
    createHash: (keyBytes, entries) => createMap(MAP_HASH, keyBytes, entries),
    createSocketMap: (queues) => createMap(MAP_XSK, 4, queues),
    set(map, key, value) {
      call("MAP_UPDATE_ELEM", Command.MapUpdate, withKey(map, key, value));
    },
    remove(map, key) {
      try {
        call("MAP_DELETE_ELEM", Command.MapDelete, withKey(map, key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
      }
    },
    loadProgram(instructions) {
      const licence = Uint8Array.from(Buffer.from("GPL\0"));
      const log = new Uint8Array(LOG);
      const attributes = words(PROGRAM_XDP, instructions.length / 8);
      attributes.setBigUint64(8, BigInt(libc.addressOf(instructions)), true);
      attributes.setBigUint64(16, BigInt(libc.addressOf(licence)), true);
      attributes.setUint32(24, 1, true);
      attributes.setUint32(28, LOG, true);
      attributes.setBigUint64(32, BigInt(libc.addressOf(log)), true);
      attributes.setUint32(68, ATTACH_XDP, true);
      try {
        return call("PROG_LOAD", Command.ProgramLoad, attributes);
      } catch (cause) {
        const verifier = Buffer.from(log.subarray(0, Math.max(0, log.indexOf(0))))
          .toString("latin1")
          .trim();
        throw verifier === "" ? cause : new FastTransportUnavailable(`the kernel refuses the program: ${verifier.slice(-400)}`, { cause });
      }
    },
    attach: (program, interfaceIndex) => call("LINK_CREATE", Command.LinkCreate, words(program, interfaceIndex, ATTACH_XDP, XDP_SKB_MODE)),
  };
}

function words(...values: readonly number[]): DataView {
  const view = new DataView(new ArrayBuffer(ATTRIBUTES));
  values.forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  return view;
}
