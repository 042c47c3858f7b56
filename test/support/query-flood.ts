/**
 * A program that floods a server with queries for random names, with DO, as fast as asked for and without reading an answer:
 * `node query-flood.ts PORT RATE SECONDS NETWORKS`. It prints how many queries it sent.
 */
import { BATCH, createBatch, IOVEC_WORDS } from "../../src/dns/fast/batch.ts";
import { AF_INET, loadLibc, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM, systemError } from "../../src/dns/fast/libc.ts";
import { encodeSockaddr } from "../../src/dns/fast/sockaddr.ts";
import { Type } from "../../src/dns/wire/codes.ts";
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";

const [port = 0, rate = 0, seconds = 0, networks = 1] = process.argv.slice(2).map(Number);
const libc = loadLibc();
const batch = createBatch(libc, false);
const target = encodeSockaddr("127.0.0.1", port)!;
const query = encodeQuery({ id: 0, name: "xxxxxxxxxxxx.flood.example.org", type: Type.A, edns: { dnssecOk: true } });
const LABEL = 13; // behind the header and the label's length
const LETTERS = 12;

const sockets = Array.from({ length: networks }, (_, i) => {
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const address = encodeSockaddr(`127.0.${100 + i}.1`, 0)!;
  if (fd < 0 || libc.bind(fd, address, address.length) !== 0) throw systemError(libc, "bind");
  return fd;
});
batch.slots.forEach((slot, i) => {
  slot.set(query);
  batch.senders[i]!.set(target);
});

const pause = new Int32Array(new SharedArrayBuffer(4));
const start = performance.now();
let sent = 0;
for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - start) {
  if (sent >= (rate * elapsed) / 1000) {
    Atomics.wait(pause, 0, 0, 1);
    continue;
  }
  for (let i = 0; i < BATCH; i++) {
    const slot = batch.slots[i]!;
    for (let k = 0; k < LETTERS; k++) slot[LABEL + k] = 0x61 + Math.floor(Math.random() * 26);
    batch.words[batch.lengthWord + i * IOVEC_WORDS] = query.length;
  }
  const done = libc.sendmmsg(sockets[Math.floor(Math.random() * networks)]!, batch.headers, BATCH, MSG_DONTWAIT);
  if (done > 0) sent += done;
}
for (const fd of sockets) libc.close(fd);
process.stdout.write(`${sent}\n`);
