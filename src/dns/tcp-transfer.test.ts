/** Zone transfers over real connections: beside other queries, and to clients that do not read. */
import { afterEach, expect, test } from "vitest";
import { copiedZone, NO_TRANSFER, START } from "../../test/support/copied-zone.ts";
import { askUdp, frame, openTcp, type ServerAddress } from "../../test/support/dns-client.ts";
import { record, ZONES } from "../../test/support/dns-world.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { axfr, decoded, signed } from "../../test/support/transfer-query.ts";
import { recordLines } from "../../test/support/view-text.ts";
import { createDnsServer } from "./dns-server.ts";
import { createTransferService, type TransferReport } from "./transfer/transfer-service.ts";
import { verifyTsig } from "./transfer/tsig.ts";
import { SEC } from "./transfer/tsig-vectors.ts";
import { Option, Rcode, Type } from "./wire/codes.ts";
import { encodeQuery } from "./wire/encode-query.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** @param sets how many more RRsets of 15 KB the zone has */
async function run(sets = 0) {
  const clock = createSimulatedClock();
  const world = copiedZone({ ...NO_TRANSFER, allow: [{ networks: ["127.0.0.0/8"] }] });
  const texts = Array.from({ length: 15 }, (_, i) => `${i} ${"x".repeat(1000)}`);
  const more = Array.from({ length: sets }, (_, i) => record(`t${i}.example.org`, "TXT", ...texts));
  world.change(ZONES.map((zone) => (zone.domain === "example.org" ? { ...zone, records: [...zone.records, ...more] } : zone)));
  world.advance(10_000);
  const reports: TransferReport[] = [];
  const transfers = createTransferService({ now: () => START, onReport: (report) => reports.push(report) });
  transfers.use([...world.views.byDomain.values()], world.zones, [SEC]);
  const ports = { wallClock: () => START, now: clock.now, random: () => 0.5, setTimer: clock.setTimer };
  const server = createDnsServer({ listen: [{ address: "127.0.0.1", port: 0 }], ports, transfers });
  const [at] = await server.start();
  cleanups.push(() => server.stop());
  server.swap(world.tables);
  return { server, clock, world, reports, at: at as ServerAddress };
}

const shop = (id: number) => encodeQuery({ id, name: "shop.example.org", type: Type.A });
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};
const until = async (condition: () => boolean) => {
  while (!condition()) await turns(1);
};

/** Reads messages until both SOA records are there. @returns how many records there were */
async function readTransfer(next: () => Promise<Uint8Array>): Promise<number> {
  let records = 0;
  for (let soas = 0; soas < 2; ) {
    const { answers, rcode } = decoded(await next());
    expect(rcode).toBe(Rcode.NOERROR);
    soas += answers.filter(({ type }) => type === Type.SOA).length;
    records += answers.length;
  }
  return records;
}

test("RFC 7766 §6.2.1.1: queries before, between and behind transfers of one connection are answered", async () => {
  const { at, world } = await run(4);
  const client = await openTcp(at);
  client.write(Buffer.concat([shop(1), axfr(), shop(2), axfr("inner.example.org"), axfr(), shop(3)].map(frame)));
  const whole = recordLines(world.view().records).length + 1;
  expect(decoded(await client.next()).id).toBe(1);
  expect(await readTransfer(client.next)).toBe(whole);
  expect(decoded(await client.next()).id).toBe(2);
  expect(await readTransfer(client.next)).toBe(8);
  expect(await readTransfer(client.next)).toBe(whole);
  expect(decoded(await client.next()).id).toBe(3);
  client.socket.destroy();
});

test("a client that asks and then shuts its side gets the whole zone", async () => {
  const { at, reports } = await run(4);
  const client = await openTcp(at);
  client.write(frame(axfr()));
  client.end();
  await readTransfer(client.next);
  await client.closed;
  expect(reports.map(({ result }) => result)).toEqual(["sent"]);
});

test("a client that does not read costs a buffer, not a zone, keeps nobody waiting, and is let go", async () => {
  const { at, clock, server, reports } = await run(24);
  const stuck = await openTcp(at);
  stuck.socket.pause();
  // the kernel takes some megabytes, the process no more than its buffer
  stuck.write(Buffer.concat(Array.from({ length: 40 }, () => frame(axfr()))));
  const other = await openTcp(at);
  for (let id = 0; id < 50; id++) {
    other.write(frame(shop(id)));
    expect(decoded(await other.next()).id).toBe(id);
  }
  await turns(50);
  expect(reports.filter(({ result }) => result === "sent").length).toBeLessThan(40);
  expect(server.connections()).toBe(2);
  await clock.advance(11_000);
  await until(() => server.connections() === 0);
  expect(reports.at(-1)).toMatchObject({ result: "aborted" });
});

test("RFC 8945: other queries over TCP are verified and signed too", async () => {
  const { at } = await run();
  const client = await openTcp(at);
  const good = signed(shop(1), SEC, START);
  const bad = signed(shop(2), { ...SEC, secret: new Uint8Array(32) }, START);
  client.write(Buffer.concat([frame(good.message), frame(bad.message), frame(shop(3))]));
  const first = await client.next();
  expect(verifyTsig(first, first.length, [SEC], START, good.chain).kind).toBe("Valid");
  expect(decoded(first).answers).toMatchObject([{ data: "192.0.2.1" }]);
  expect(decoded(await client.next())).toMatchObject({ id: 2, rcode: Rcode.NOTAUTH, answers: [], additionals: [{ type: Type.TSIG }] });
  expect(decoded(await client.next())).toMatchObject({ id: 3, rcode: Rcode.NOERROR });
  client.socket.destroy();
});

test("RFC 7828: whoever asks is told how long an idle connection stays, in tenths of a second", async () => {
  const { at } = await run();
  const client = await openTcp(at);
  const options = [{ code: Option.TCP_KEEPALIVE, data: new Uint8Array(0) }];
  for (const edns of [{ options }, {}]) {
    client.write(frame(encodeQuery({ id: 1, name: "shop.example.org", type: Type.A, edns })));
    const { edns: answered } = decoded(await client.next());
    const told = answered!.options.find(({ code }) => code === Option.TCP_KEEPALIVE)?.data;
    expect(told === undefined ? undefined : [...told]).toEqual("options" in edns ? [0, 100] : undefined);
  }
  // over UDP there is no connection (§3.2.2)
  const { edns: overUdp } = decoded(await askUdp(at, encodeQuery({ id: 2, name: "shop.example.org", type: Type.A, edns: { options } })));
  expect(overUdp!.options).toEqual([]);
  client.socket.destroy();
});
