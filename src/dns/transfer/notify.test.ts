import { expect, test } from "vitest";
import { copiedZone, NO_TRANSFER } from "../../../test/support/copied-zone.ts";
import { createSimulatedClock } from "../../../test/support/simulated-clock.ts";
import { decoded } from "../../../test/support/transfer-query.ts";
import type { ZoneTransfer } from "../../model/inventory.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import { Standing } from "../../routing/table.ts";
import { Flag, Opcode, Rcode, Type } from "../wire/codes.ts";
import { createNotifier, type NotifyEvent, sourceFor } from "./notify.ts";
import { appendTsig, type TsigKey, tsigSize, verifyTsig } from "./tsig.ts";
import { SEC } from "./tsig-vectors.ts";

const SHOP = 4;
const A = { address: "192.0.2.1", port: 53 };
const B = { address: "2001:db8::1", port: 5353 };

function run(notify: ZoneTransfer["notify"], keys: readonly TsigKey[] = []) {
  const clock = createSimulatedClock();
  const world = copiedZone({ ...NO_TRANSFER, notify });
  const sent: { message: Uint8Array; to: ListenAddress; local: string | undefined }[] = [];
  const events: NotifyEvent[] = [];
  let random = 0;
  let receive: (message: Uint8Array, from: ListenAddress) => void = () => undefined;
  let closed = 0;
  const notifier = createNotifier({
    listen: [
      { address: "198.51.100.53", port: 53 },
      { address: "2001:db8::53", port: 53 },
    ],
    openSocket: (local, _family, onMessage) => {
      receive = onMessage;
      return { send: (message, to) => sent.push({ message, to, local }), close: () => closed++ };
    },
    now: clock.wallClock,
    random: () => (random = (random + 0.1237) % 1),
    setTimer: clock.setTimer,
    onEvent: (event) => events.push(event),
  });
  const use = () => notifier.use([...world.views.byDomain.values()], world.zones, keys);
  /** An answer to the newest notification. */
  const answer = (
    rcode: number = Rcode.NOERROR,
    from: ListenAddress = sent.at(-1)!.to,
    change?: (reply: Uint8Array) => Uint8Array,
  ): void => {
    const reply = Uint8Array.from(sent.at(-1)!.message.subarray(0, 12 + 13 + 4));
    reply.set([((Opcode.NOTIFY << 3) | 0x84) & 0xff, rcode, 0, 1, 0, 0, 0, 0, 0, 0], 2);
    receive(change?.(reply) ?? reply, from);
  };
  use();
  return { clock, world, sent, events, notifier, use, answer, closed: () => closed };
}

test("RFC 1996 §3.6, §3.7: question and SOA of the zone, AA, from the listener of the target's family", () => {
  const { sent, world } = run([A, B]);
  expect(sent.map(({ to, local }) => [to, local])).toEqual([
    [A, "198.51.100.53"],
    [B, "2001:db8::53"],
  ]);
  const message = decoded(sent[0]!.message);
  expect(message).toMatchObject({ opcode: Opcode.NOTIFY, questions: [{ name: "example.org", type: Type.SOA, class: 1 }] });
  expect(message.flags & (Flag.QR | Flag.AA)).toBe(Flag.AA);
  expect(message.answers.map(({ name, type, data }) => [name, type, data.split(" ")[2]])).toEqual([
    ["example.org", Type.SOA, String(world.view().serial)],
  ]);
});

test("repeated ever more slowly, under other IDs, until it is answered", async () => {
  const { clock, sent, events, answer } = run([A]);
  await clock.advance(2000 + 4000 + 8000 - 1);
  expect(sent).toHaveLength(3);
  await clock.advance(1);
  expect(sent).toHaveLength(4);
  expect(new Set(sent.map(({ message }) => decoded(message).id)).size).toBe(4);
  answer();
  await clock.advance(3_600_000);
  expect(sent).toHaveLength(4);
  expect(events.map(({ result, tries }) => `${result} ${tries}`)).toEqual(["timeout 1", "timeout 2", "timeout 3", "acknowledged 4"]);
});

test("at least every five minutes, for as long as nobody answers", async () => {
  const { clock, sent } = run([A]);
  await clock.advance(3_600_000);
  const before = sent.length;
  await clock.advance(3_600_000);
  expect(sent.length - before).toBe(12);
});

test.each([
  ["another port", (run_: ReturnType<typeof run>) => run_.answer(0, { ...A, port: 54 })],
  ["another address", (run_: ReturnType<typeof run>) => run_.answer(0, { ...A, address: "192.0.2.2" })],
  ["another ID", (run_: ReturnType<typeof run>) => run_.answer(0, A, (reply) => reply.map((byte, i) => (i === 0 ? byte ^ 1 : byte)))],
  [
    "no answer but a query",
    (run_: ReturnType<typeof run>) => run_.answer(0, A, (reply) => reply.map((byte, i) => (i === 2 ? byte & 0x7f : byte))),
  ],
  [
    "another opcode",
    (run_: ReturnType<typeof run>) => run_.answer(0, A, (reply) => reply.map((byte, i) => (i === 2 ? byte & 0x87 : byte))),
  ],
  ["less than a header", (run_: ReturnType<typeof run>) => run_.answer(0, A, (reply) => reply.slice(0, 11))],
] as const)("%s does not count", (_name, reply) => {
  const one = run([A]);
  reply(one);
  expect(one.events).toEqual([]);
});

test("a refusal ends it too, and is told", async () => {
  const { clock, sent, events, answer } = run([A]);
  answer(Rcode.REFUSED);
  await clock.advance(60_000);
  expect([sent.length, events]).toMatchObject([1, [{ result: "refused", rcode: "REFUSED", domain: "example.org", target: A }]]);
});

test("a new serial takes the place of the one before; the same one is not told twice", async () => {
  const { clock, world, sent, use, answer } = run([A]);
  use();
  expect(sent).toHaveLength(1);
  world.tables.routing.state.standing[SHOP] = Standing.Unhealthy;
  world.advance(10_000);
  use();
  expect(sent).toHaveLength(2);
  expect(decoded(sent[1]!.message).answers[0]!.data).toContain(` ${world.view().serial} `);
  answer();
  await clock.advance(60_000);
  expect(sent).toHaveLength(2);
});

test("whoever is not to be told any more is not; closing ends everything", async () => {
  const { clock, world, sent, use, notifier, closed } = run([A, B]);
  world.zones = world.zones.map((zone) => ({ ...zone, transfer: { ...NO_TRANSFER, notify: [B] } }));
  use();
  sent.length = 0;
  await clock.advance(2000);
  expect(sent.every(({ to }) => to.address === B.address)).toBe(true);
  notifier.close();
  sent.length = 0;
  await clock.advance(60_000);
  expect([sent.length, closed()]).toEqual([0, 2]);
});

test("with a key it is signed, and only a signed answer ends it", async () => {
  const one = run([{ ...A, key: SEC.name }], [SEC]);
  const { message } = one.sent[0]!;
  const verdict = verifyTsig(message, message.length, [SEC], one.clock.wallClock());
  if (verdict.kind !== "Valid") throw new Error(verdict.kind);
  one.answer();
  expect(one.events).toMatchObject([{ result: "unverified" }]);
  const sign = (key: TsigKey) => (reply: Uint8Array) => {
    const out = new Uint8Array(reply.length + tsigSize(key));
    out.set(reply);
    appendTsig(out, reply.length, { ...verdict.chain, key }, one.clock.wallClock());
    return out;
  };
  one.answer(0, A, sign({ ...SEC, secret: new Uint8Array(32) }));
  one.answer(0, A, sign(SEC));
  expect(one.events.map(({ result }) => result)).toEqual(["unverified", "unverified", "acknowledged"]);
});

test("nothing is sent under a key whose secret is not there", () => expect(run([{ ...A, key: SEC.name }]).sent).toEqual([]));

test.each([
  { listen: ["127.0.0.1", "192.0.2.53"], to: "203.0.113.1", from: "192.0.2.53" },
  { listen: ["127.0.0.1", "192.0.2.53"], to: "127.0.0.9", from: "127.0.0.1" },
  { listen: ["0.0.0.0"], to: "203.0.113.1", from: undefined },
  { listen: ["192.0.2.53", "::1", "2001:db8::53"], to: "2001:db8::9", from: "2001:db8::53" },
  { listen: ["127.0.0.1"], to: "203.0.113.1", from: undefined },
])("from $from to $to", ({ listen, to, from }) =>
  expect(
    sourceFor(
      listen.map((address) => ({ address, port: 53 })),
      { address: to, port: 53 },
    ),
  ).toBe(from),
);
