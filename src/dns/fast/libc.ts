/**
 * The system calls of the fast transport, through koffi: batches of datagrams in one call, and sockets that several threads may share.
 * Linux with glibc on little-endian 64-bit machines only; elsewhere {@link loadLibc} says why not.
 */
import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const MSG_DONTWAIT = 0x40;
export const POLLIN = 1;
export const EFD_NONBLOCK = 0o4000;
export const EFD_CLOEXEC = 0o2000000;

/** Pointers are addresses as numbers: no machine of today has one above 2^53. All calls return -1 on failure; see {@link Libc.errno}. */
export interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  /** @param length 4 bytes, in and out */
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number;
  readonly close: (fd: number) => number;
  readonly recvmmsg: (fd: number, headers: number, count: number, flags: number, timeout: number) => number;
  readonly sendmmsg: (fd: number, headers: number, count: number, flags: number) => number;
  readonly sendto: (fd: number, message: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: number) => number;
  readonly poll: (fds: number, count: number, timeoutMs: number) => number;
  readonly eventfd: (initial: number, flags: number) => number;
  readonly read: (fd: number, into: Uint8Array, length: number) => number;
  readonly write: (fd: number, from: Uint8Array, length: number) => number;
  /** errno of the last failed call of this thread. */
  readonly errno: () => number;
  /** Where the bytes of an array stand in memory. They stay there for as long as somebody holds the array. */
  readonly addressOf: (bytes: Uint8Array) => number;
}

/** Says in one sentence why the fast transport cannot be had here. */
export class FastTransportUnavailable extends Error {}

/** koffi's own types return `any`. */
export interface Library {
  func(definition: string): unknown;
}
export interface Koffi {
  load(path: string): Library;
  errno(): number;
  address(value: Uint8Array): bigint;
  view(address: number, length: number): ArrayBuffer;
}

/** glibc, for the present thread; every thread loads its own. @throws {@link FastTransportUnavailable} */
export function openGlibc(): { readonly koffi: Koffi; readonly library: Library } {
  if (process.platform !== "linux") throw new FastTransportUnavailable(`recvmmsg is Linux's, and this is ${process.platform}`);
  if (process.arch !== "x64" && process.arch !== "arm64") {
    throw new FastTransportUnavailable(`the layout of its structures is known for x64 and arm64, and this is ${process.arch}`);
  }
  try {
    const koffi = createRequire(import.meta.url)("koffi") as Koffi; // required, so that a binary that is missing can be caught here
    return { koffi, library: koffi.load("libc.so.6") };
  } catch (cause) {
    throw new FastTransportUnavailable(`koffi or glibc cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/**
 * Loads the calls for the present thread.
 *
 * @throws {@link FastTransportUnavailable}
 */
export function loadLibc(): Libc {
  const { koffi, library } = openGlibc();
  const call = <K extends keyof Libc>(definition: string): Libc[K] => library.func(definition) as Libc[K];
  return {
    socket: call<"socket">("int socket(int, int, int)"),
    setsockopt: call<"setsockopt">("int setsockopt(int, int, int, const void *, uint32_t)"),
    bind: call<"bind">("int bind(int, const void *, uint32_t)"),
    getsockname: call<"getsockname">("int getsockname(int, void *, void *)"),
    close: call<"close">("int close(int)"),
    recvmmsg: call<"recvmmsg">("int recvmmsg(int, uintptr_t, uint32_t, int, uintptr_t)"),
    sendmmsg: call<"sendmmsg">("int sendmmsg(int, uintptr_t, uint32_t, int)"),
    sendto: call<"sendto">("int64_t sendto(int, const void *, uint64_t, int, const void *, uint32_t)"),
    poll: call<"poll">("int poll(uintptr_t, uint64_t, int)"),
    eventfd: call<"eventfd">("int eventfd(uint32_t, int)"),
    read: call<"read">("int64_t read(int, void *, uint64_t)"),
    write: call<"write">("int64_t write(int, const void *, uint64_t)"),
    errno: () => koffi.errno(),
    addressOf: (bytes) => Number(koffi.address(bytes)),
  };
}

/** An error as Node's own sockets throw it: `code`, `errno` and `syscall` are set. */
export function systemError(libc: Libc, syscall: string): NodeJS.ErrnoException {
  const errno = libc.errno();
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno: -errno, syscall });
}
