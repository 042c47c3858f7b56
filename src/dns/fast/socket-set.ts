/** UDP sockets that share a port: one for each worker and local address, opened by the main thread and kept open when a worker dies. */
import type { ListenAddress } from "../../model/listen-address.ts";
import { AF_INET, AF_INET6, type Libc, SOCK_CLOEXEC, SOCK_DGRAM, systemError } from "./libc.ts";
import { encodeSockaddr, portOf } from "./sockaddr.ts";

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_SNDTIMEO = 21;
const SO_REUSEPORT = 15;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IPPROTO_IPV6 = 41;
const IPV6_MTU_DISCOVER = 23;
const IPV6_V6ONLY = 26;
/** Neither "don't fragment" nor what ICMP says of the path: forged ICMP must not shrink answers (RFC 9715 §3.1). */
const PMTUDISC_OMIT = 5;

/** Queries that the kernel keeps while a worker is busy: 4 MiB hold about 5,000. */
const RECEIVE_BUFFER = 4 << 20;
const SEND_TIMEOUT_US = 100_000;

export interface SharedPort {
  readonly address: string;
  readonly port: number;
  readonly isV6: boolean;
  /** One for each worker. */
  readonly descriptors: readonly number[];
}

/**
 * Opens `count` sockets on one address and port; the kernel spreads senders over them (SO_REUSEPORT).
 *
 * @throws the system's error when the address cannot be bound, also when another process has the port and would share it
 */
export function openSharedPort(libc: Libc, listen: ListenAddress, count: number): SharedPort {
  const isV6 = listen.address.includes(":");
  const descriptors: number[] = [];
  try {
    // Sharing a port is for our own workers: whoever has it already, a second server of ours included, must be noticed.
    libc.close(openSocket(libc, listen, isV6, false).fd);
    let port = listen.port;
    for (let i = 0; i < count; i++) {
      const opened = openSocket(libc, { address: listen.address, port }, isV6, true);
      descriptors.push(opened.fd);
      port = opened.port;
    }
    return { address: listen.address, port, isV6, descriptors };
  } catch (error) {
    for (const fd of descriptors) libc.close(fd);
    throw error;
  }
}

function openSocket(libc: Libc, listen: ListenAddress, isV6: boolean, shared: boolean): { readonly fd: number; readonly port: number } {
  const fd = libc.socket(isV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError(libc, "socket");
  try {
    const set = (level: number, option: number, ...values: readonly number[]) => {
      const bytes = new Uint8Array(Int32Array.from(values).buffer);
      return libc.setsockopt(fd, level, option, bytes, bytes.length) === 0;
    };
    if (isV6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, 1)) throw systemError(libc, "setsockopt IPV6_V6ONLY");
    if (shared && !set(SOL_SOCKET, SO_REUSEPORT, 1)) throw systemError(libc, "setsockopt SO_REUSEPORT");
    // The rest are wishes: a kernel that refuses them still serves. Only root may exceed net.core.rmem_max.
    if (!set(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)) set(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    set(isV6 ? IPPROTO_IPV6 : IPPROTO_IP, isV6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, PMTUDISC_OMIT);
    set(SOL_SOCKET, SO_SNDTIMEO, 0, 0, SEND_TIMEOUT_US, 0);
    const address = encodeSockaddr(listen.address, listen.port);
    if (address === undefined) throw new Error(`${listen.address} is no IP address`);
    if (libc.bind(fd, address, address.length) !== 0) throw systemError(libc, "bind");
    const bound = new Uint8Array(address.length);
    if (libc.getsockname(fd, bound, new Uint8Array(Int32Array.of(bound.length).buffer)) !== 0) throw systemError(libc, "getsockname");
    return { fd, port: portOf(bound) };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}
