/**
 * The main thread's side of AF_XDP: a program at each interface, a socket for each of its receive queues, and which worker reads which.
 * Where a queue has no reader, its queries pass to the kernel's own sockets.
 */
import { readdirSync } from "node:fs";
import { parseIp } from "../../../model/ip.ts";
import type { SharedPort } from "../socket-set.ts";
import { createBpf } from "./bpf.ts";
import type { XdpLibc } from "./xdp-libc.ts";
import { LISTENER_KEY, xdpProgram } from "./xdp-program.ts";
import type { Listener } from "./xdp-rings.ts";
import { openXdpSocket, type XdpSocket } from "./xdp-socket.ts";

const MOST_LISTENERS = 1024;

export interface XdpQueues {
  /** Opens the queues of a worker that is up, or takes those of its predecessor, in which queries may wait. @returns what it is to be given */
  readonly open: (worker: number) => readonly XdpSocket[];
  /** The worker reads it: from now on it gets the queries. @returns whether every queue has a reader now that had none before */
  readonly admit: (fd: number) => boolean;
  /** The worker is gone: the kernel's sockets get the queries that come from now on. */
  readonly release: (worker: number) => void;
  readonly close: () => void;
}

interface Interface {
  readonly name: string;
  readonly index: number;
  readonly queues: number;
  readonly sockets: number;
}

interface Opened {
  readonly worker: number;
  readonly queue: number;
  readonly of: Interface;
  readonly socket: XdpSocket;
}

/**
 * @param names   of interfaces
 * @param workers how many share the queues of each
 * @throws the system's error; nothing is left open then
 */
export function openXdpQueues(libc: XdpLibc, names: readonly string[], workers: number, ports: readonly SharedPort[]): XdpQueues {
  const bpf = createBpf(libc);
  const descriptors: number[] = [];
  const opened = new Map<number, Opened>();
  /** Descriptors that have had a reader. */
  const read = new Set<number>();
  const keep = (fd: number): number => {
    descriptors.push(fd);
    return fd;
  };

  function close(): void {
    for (const fd of [...opened.keys(), ...descriptors.splice(0).reverse()]) libc.close(fd);
    opened.clear();
  }

  function openInterface(name: string, listeners: number): Interface {
    const index = libc.if_nametoindex(name);
    if (index === 0) throw new Error(`there is no network interface ${name}`);
    const queues = queuesOf(name);
    const sockets = keep(bpf.createSocketMap(queues));
    const program = keep(bpf.loadProgram(xdpProgram(listeners, sockets)));
    keep(bpf.attach(program, index));
    return { name, index, queues, sockets };
  }

  let interfaces: readonly Interface[];
  try {
    const listeners = keep(bpf.createHash(LISTENER_KEY, MOST_LISTENERS));
    for (const { address, port } of ports) bpf.set(listeners, listenerKey(address, port), wordOf(1));
    interfaces = names.map((name) => openInterface(name, listeners));
  } catch (error) {
    close();
    throw error;
  }

  return {
    open(worker) {
      const inherited = [...opened.values()].filter((one) => one.worker === worker);
      if (inherited.length > 0) return inherited.map(({ socket }) => ({ ...socket, isUsed: true }));
      const sockets: XdpSocket[] = [];
      for (const of of interfaces) {
        for (let queue = worker; queue < of.queues; queue += workers) {
          const socket = openXdpSocket(libc, of.index, queue);
          opened.set(socket.fd, { worker, queue, of, socket });
          sockets.push(socket);
        }
      }
      return sockets;
    },
    admit(fd) {
      const known = opened.get(fd);
      if (known === undefined) return false;
      bpf.set(known.of.sockets, wordOf(known.queue), wordOf(fd));
      const before = read.size;
      read.add(fd);
      return read.size > before && read.size === opened.size;
    },
    release(worker) {
      for (const { worker: reader, queue, of } of opened.values()) if (reader === worker) bpf.remove(of.sockets, wordOf(queue));
    },
    close,
  };
}

/** @param worker whose sockets stand behind the listeners */
export const listenersOf = (ports: readonly SharedPort[], worker: number): readonly Listener[] =>
  ports.map(({ address, port, isV6, descriptors }) => ({ fd: descriptors[worker]!, isV6, address: parseIp(address)!.bytes, port }));

function listenerKey(address: string, port: number): Uint8Array {
  const { family, bytes } = parseIp(address)!;
  const key = new Uint8Array(LISTENER_KEY);
  key.set(bytes.subarray(0, family === 4 ? 4 : 16));
  key[16] = port >>> 8;
  key[17] = port;
  key[18] = family;
  return key;
}

const wordOf = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** Receive queues; an interface that does not tell has one. */
function queuesOf(name: string): number {
  try {
    return Math.max(1, readdirSync(`/sys/class/net/${name}/queues`).filter((queue) => queue.startsWith("rx-")).length);
  } catch {
    return 1;
  }
}
