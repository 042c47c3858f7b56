/**
 * The load generator's sockets: Linux UDP through libc, because node:dgram takes longer for a datagram than the servers that are measured.
 *
 * Sending uses UDP segmentation offload (`UDP_SEGMENT`, udp(7)): one call hands the kernel a piece of memory that it cuts into datagrams of
 * equal length. Each server still receives every query as a datagram of its own; only the client saves time.
 */
import koffi from "koffi";

/** Values of Linux; equal on x64 and arm64. */
const AF_INET = 2;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const MSG_DONTWAIT = 0x40;

/** Datagrams that the kernel cuts from one piece, at most (UDP_MAX_SEGMENTS of the oldest kernels). */
export const MAX_SEGMENTS = 64;
/** Answers that one call receives, at most. */
export const BATCH = 64;
/** Bytes kept of each answer. */
export const SLOT = 512;

export interface ClientSockets {
  /**
   * Sends equally long messages that lie side by side in `messages`.
   *
   * @returns how many of them went out: all or none
   */
  send(socket: number, first: number, count: number): number;
  /** @returns how many answers now lie in `answers`, {@link SLOT} bytes apart; 0 when none is waiting */
  receive(socket: number): number;
  /** @returns bytes of answer `index` of the last `receive` */
  lengthOf(index: number): number;
  readonly answers: Uint8Array;
  close(): void;
}

/**
 * Connected sockets, each with a port of its own.
 *
 * @param port     of 127.0.0.1
 * @param messages side by side, each `length` bytes long; read while sending, so it must stay as it is
 * @throws when the system refuses a socket
 */
export function openClientSockets(port: number, count: number, messages: Uint8Array, length: number): ClientSockets {
  const libc = koffi.load("libc.so.6");
  const socket: (domain: number, type: number, protocol: number) => number = libc.func("int socket(int, int, int)");
  const connect: (fd: number, address: Uint8Array, bytes: number) => number = libc.func("int connect(int, const void *, uint32_t)");
  const setOption: (fd: number, level: number, name: number, value: Int32Array, bytes: number) => number = libc.func(
    "int setsockopt(int, int, int, const void *, uint32_t)",
  );
  const sendTo: (fd: number, at: number, bytes: number, flags: number) => number = libc.func("intptr_t send(int, uintptr_t, size_t, int)");
  const receiveMany: (fd: number, headers: number, count: number, flags: number, timeout: number) => number = libc.func(
    "int recvmmsg(int, uintptr_t, uint32_t, int, uintptr_t)",
  );
  const closeFd: (fd: number) => number = libc.func("int close(int)");

  const fail = (what: string): never => {
    throw new Error(`load generator: ${what} failed with errno ${koffi.errno()}`);
  };
  const address = Uint8Array.of(AF_INET, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  const fds = Array.from({ length: count }, () => {
    const fd = socket(AF_INET, SOCK_DGRAM_NONBLOCK, 0);
    if (fd < 0) fail("socket");
    for (const option of [SO_SNDBUF, SO_RCVBUF]) setOption(fd, SOL_SOCKET, option, Int32Array.of(4 << 20), 4);
    if (setOption(fd, SOL_UDP, UDP_SEGMENT, Int32Array.of(length), 4) !== 0) fail("UDP_SEGMENT (Linux 4.18 or newer has it)");
    if (connect(fd, address, address.length) !== 0) fail("connect");
    return fd;
  });

  // struct mmsghdr, 64 bytes: msg_iov at 16, msg_iovlen at 24, msg_len at 56. struct iovec, 16 bytes. The sender's name is not asked for.
  const memory = new ArrayBuffer(BATCH * (SLOT + 64 + 16));
  const base = koffi.address(new Uint8Array(memory));
  const headersAt = BATCH * SLOT;
  const vectorsAt = headersAt + BATCH * 64;
  const view = new DataView(memory);
  for (let i = 0; i < BATCH; i++) {
    view.setBigUint64(headersAt + i * 64 + 16, base + BigInt(vectorsAt + i * 16), true);
    view.setBigUint64(headersAt + i * 64 + 24, 1n, true);
    view.setBigUint64(vectorsAt + i * 16, base + BigInt(i * SLOT), true);
    view.setBigUint64(vectorsAt + i * 16 + 8, BigInt(SLOT), true);
  }
  const headers = Number(base) + headersAt;
  const messagesAt = Number(koffi.address(messages));
  const words = new Uint32Array(memory);

  return {
    answers: new Uint8Array(memory, 0, BATCH * SLOT),
    send(index, first, many) {
      return sendTo(fds[index]!, messagesAt + first * length, many * length, MSG_DONTWAIT) === many * length ? many : 0;
    },
    receive(index) {
      return Math.max(0, receiveMany(fds[index]!, headers, BATCH, MSG_DONTWAIT, 0));
    },
    lengthOf: (index) => words[(headersAt + index * 64 + 56) >> 2]!,
    close() {
      for (const fd of fds) closeFd(fd);
    },
  };
}
