/** One million hostile packets through the answering function: half are mutations of valid queries, the rest wilder. Fixed seed. */
import { expect, test } from "vitest";
import { dnsWorld } from "../../test/support/dns-world.ts";
import { createHostilePackets } from "../../test/support/hostile-packets.ts";
import { answer, newAnswerContext, useTables } from "./answer.ts";
import { DEFER } from "./answer-context.ts";
import { readQueries, Transport } from "./counters.ts";
import { newSource, setSource } from "./source.ts";
import { decodeMessage } from "./wire/decode-message.ts";

const PACKETS = 1_000_000;
const GUARD = 64;

test("a million hostile packets: no throw, no byte outside, every answer a response to its query that decodes", () => {
  const hostile = createHostilePackets(20_261_101);
  const context = newAnswerContext({ now: () => 0, random: hostile.random });
  useTables(context, dnsWorld());
  const sources = [newSource(Transport.UDP), newSource(Transport.TCP), newSource(Transport.UDP)];
  for (const [i, address] of ["192.0.2.200", "198.51.100.7", "2001:db8:beef::1"].entries()) setSource(sources[i]!, address);
  // `out` is a window of a larger buffer, so that a write beyond it would show
  const memory = new Uint8Array(GUARD + 0xffff + GUARD).fill(0xaa);
  const windows = [memory.subarray(GUARD, GUARD + 1232), memory.subarray(GUARD, GUARD + 0xffff), memory.subarray(GUARD, GUARD + 512)];
  let answered = 0;
  let deferred = 0;

  for (let i = 0; i < PACKETS; i++) {
    const length = hostile.next();
    const which = i % 3;
    const out = windows[which]!;
    const written = answer(hostile.buffer, length, sources[which]!, out, context);
    if (written === DEFER) {
      deferred++; // it ends with a transaction signature
      continue;
    }
    if (written === 0) {
      if (length >= 12 && (hostile.buffer[2]! & 0x80) === 0) throw new Error(`packet ${i}: a query got no answer`);
      continue;
    }
    answered++;
    const isReply = out[0] === hostile.buffer[0] && out[1] === hostile.buffer[1] && (out[2]! & 0x80) !== 0;
    if (!isReply || written > out.length) throw new Error(`packet ${i}: not a response to its query`);
    if (decodeMessage(out.subarray(0, written)) === undefined) throw new Error(`packet ${i}: the answer does not decode`);
  }

  expect(memory.subarray(0, GUARD).every((byte) => byte === 0xaa)).toBe(true);
  expect(memory.subarray(GUARD + 0xffff).every((byte) => byte === 0xaa)).toBe(true);
  // The packets reached every kind of outcome, or the test would prove little.
  const readings = readQueries(context.counters);
  const byRcode = (rcode: string) => readings.filter((one) => one.rcode === rcode).reduce((total, { count }) => total + count, 0);
  for (const rcode of ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "BADVERS", "dropped"]) {
    expect(byRcode(rcode), rcode).toBeGreaterThan(PACKETS / 1000);
  }
  expect(answered + deferred + byRcode("dropped")).toBe(PACKETS);
  expect(context.counters.truncated[0]).toBeGreaterThan(PACKETS / 5000);
});
