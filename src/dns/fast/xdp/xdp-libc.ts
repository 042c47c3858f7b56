/** The calls that AF_XDP needs besides those of sockets. Threads that do not use it do not load them. */
import { type Libc, openGlibc } from "../libc.ts";

/** All calls return -1 on failure; see {@link Libc.errno}. */
export interface XdpCalls {
  /** @param length 4 bytes, in and out */
  readonly getsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array) => number;
  /** `sendto` of nothing, which has an AF_XDP socket send what stands in its ring. */
  readonly kick: (fd: number, message: number, length: number, flags: number, address: number, addressLength: number) => number;
  /** @returns the address */
  readonly mmap: (address: number, length: number, protection: number, flags: number, fd: number, offset: number) => number;
  readonly munmap: (address: number, length: number) => number;
  /** For calls that glibc has no function for. */
  readonly syscall: (number: number, first: number, second: number, third: number) => number;
  /** Index of a network interface; 0 = there is none of that name. */
  readonly if_nametoindex: (name: string) => number;
  /** Memory that the kernel has mapped; of no use any more when it is unmapped. */
  readonly viewOf: (address: number, length: number) => ArrayBuffer;
}

export type XdpLibc = Libc & XdpCalls;

/** For the present thread. @throws `FastTransportUnavailable` */
export function loadXdpLibc(libc: Libc): XdpLibc {
  const { koffi, library } = openGlibc();
  const call = <K extends keyof XdpCalls>(definition: string): XdpCalls[K] => library.func(definition) as XdpCalls[K];
  return {
    ...libc,
    getsockopt: call<"getsockopt">("int getsockopt(int, int, int, void *, void *)"),
    kick: call<"kick">("int64_t sendto(int, uintptr_t, uint64_t, int, uintptr_t, uint32_t)"),
    mmap: call<"mmap">("intptr_t mmap(uintptr_t, uint64_t, int, int, int, int64_t)"),
    munmap: call<"munmap">("int munmap(uintptr_t, uint64_t)"),
    syscall: call<"syscall">("int64_t syscall(int64_t, int64_t, uintptr_t, uint64_t)"),
    if_nametoindex: call<"if_nametoindex">("uint32_t if_nametoindex(const char *)"),
    viewOf: (address, length) => koffi.view(address, length),
  };
}
