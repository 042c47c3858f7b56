import { describe, expect, test } from "vitest";
import { copiedZone, NO_TRANSFER, START } from "../../../test/support/copied-zone.ts";
import { record, ZONES } from "../../../test/support/dns-world.ts";
import { axfr, decoded, ixfr, lineOf, signed } from "../../../test/support/transfer-query.ts";
import { recordLines } from "../../../test/support/view-text.ts";
import { newSigningKey } from "../../../test/support/zone-keys.ts";
import type { ZoneTransfer } from "../../model/inventory.ts";
import { Standing } from "../../routing/table.ts";
import { Transport } from "../counters.ts";
import { newSource, setSource } from "../source.ts";
import { ExtendedError, Flag, Rcode, Type } from "../wire/codes.ts";
import { encodeQuery } from "../wire/encode-query.ts";
import { concat } from "../wire/rdata.ts";
import {
  createTransferService,
  type Transfer,
  type TransferLimits,
  type TransferReport,
  type TransferService,
} from "./transfer-service.ts";
import { TsigError, type TsigKey, verifyTsig } from "./tsig.ts";
import { BIG, SEC } from "./tsig-vectors.ts";

const SHOP = 4;
const EVERYBODY: ZoneTransfer = { ...NO_TRANSFER, allow: [{ networks: ["127.0.0.0/8", "::1/128"] }] };

function serviceFor(transfer: ZoneTransfer, keys: readonly TsigKey[] = [SEC, BIG], limits: Partial<TransferLimits> = {}) {
  const world = copiedZone(transfer);
  const reports: TransferReport[] = [];
  const service = createTransferService({ now: () => world.now, onReport: (report) => reports.push(report), limits });
  const use = () => service.use([...world.views.byDomain.values()], world.zones, keys);
  use();
  return { world, reports, service, use };
}

function open(service: TransferService, query: Uint8Array, from = "127.0.0.1"): Transfer {
  const source = newSource(Transport.TCP);
  setSource(source, from);
  return service.open(query, query.length, source);
}

function messagesOf(transfer: Transfer): Uint8Array[] {
  const out = new Uint8Array(0xffff);
  const messages: Uint8Array[] = [];
  for (let length = transfer.next(out); length > 0; length = transfer.next(out)) messages.push(out.slice(0, length));
  return messages;
}
const ask = (service: TransferService, query: Uint8Array, from?: string) => messagesOf(open(service, query, from)).map(decoded);
const serials = (messages: ReturnType<typeof ask>): readonly number[] =>
  messages.flatMap(({ answers }) => answers.flatMap(({ type, data }) => (type === Type.SOA ? [Number(data.split(" ")[2])] : [])));

describe("AXFR (RFC 5936 §2.2)", () => {
  test("the whole zone, the SOA first and last, in messages that repeat ID and question", () => {
    const { service, world } = serviceFor(EVERYBODY);
    const messages = ask(service, axfr());
    const records = messages.flatMap(({ answers }) => answers);
    expect([records[0]!.type, records.at(-1)!.type]).toEqual([Type.SOA, Type.SOA]);
    const lines = recordLines(world.view().records);
    expect(records).toHaveLength(lines.length + 1);
    const text = records.slice(0, -1).map(({ name, type, ttl, data }) => `${name} ${type} ${ttl} ${data}`);
    expect(text).toHaveLength(new Set(text).size);
    for (const message of messages) {
      expect(message).toMatchObject({
        id: 7,
        rcode: Rcode.NOERROR,
        authorities: [],
        additionals: [],
        questions: [{ name: "example.org", type: Type.AXFR }],
      });
      expect(message.flags & (Flag.QR | Flag.AA | Flag.TC | Flag.RA)).toBe(Flag.QR | Flag.AA);
    }
  });

  test("a large zone is many messages, none of them much larger than 16 KiB; a record that is larger still stands alone", () => {
    const { service, world, use } = serviceFor(EVERYBODY);
    const texts = Array.from({ length: 15 }, (_, i) => `${i} ${"x".repeat(1000)}`);
    const records = Array.from({ length: 4 }, (_, i) => record(`t${i}.example.org`, "TXT", ...texts));
    const long = record("long.example.org", "TXT", `"${"y".repeat(255)}" `.repeat(80));
    world.change(ZONES.map((zone) => (zone.domain === "example.org" ? { ...zone, records: [...zone.records, ...records, long] } : zone)));
    world.advance(10_000);
    use();
    const raw = messagesOf(open(service, axfr()));
    expect(raw.length).toBeGreaterThan(5);
    expect(raw.filter(({ length }) => length > 16_384)).toHaveLength(1);
    const answers = raw.flatMap((message) => decoded(message).answers);
    const lines = recordLines(concat([world.view().records]));
    expect(answers).toHaveLength(lines.length + 1);
    expect(answers.filter(({ name }) => name === "t3.example.org")).toHaveLength(15);
  });

  test("it goes on with the view that it began with", () => {
    const { service, world, use } = serviceFor(EVERYBODY);
    const transfer = open(service, axfr());
    const out = new Uint8Array(0xffff);
    const before = world.view().serial;
    let length = transfer.next(out);
    world.tables.routing.state.standing[SHOP] = Standing.Unhealthy;
    world.advance(10_000);
    use();
    const messages = [];
    for (; length > 0; length = transfer.next(out)) messages.push(decoded(out.slice(0, length)));
    expect(serials(messages)).toEqual([before, before]);
    expect(serials(ask(service, axfr()))[0]).toBe(before + 10);
  });

  test("the name in any case, EDNS if asked", () => {
    const { service } = serviceFor(EVERYBODY);
    const [first] = ask(service, axfr("EXAMPLE.org", { dnssecOk: true }));
    expect(first).toMatchObject({ rcode: Rcode.NOERROR, edns: { dnssecOk: true }, questions: [{ name: "EXAMPLE.org" }] });
  });
});

describe("IXFR (RFC 1995 §4)", () => {
  const flipped = () => {
    const one = serviceFor(EVERYBODY);
    const before = one.world.view().serial;
    for (const standing of [Standing.Unhealthy, Standing.Usable, Standing.Draining]) {
      one.world.tables.routing.state.standing[SHOP] = standing;
      one.world.advance(10_000);
    }
    one.use();
    return { ...one, before };
  };

  test("to whoever is one of the last serials: the differences, in order, between two of the new SOA", () => {
    const { service, before, reports } = flipped();
    const messages = ask(service, ixfr(before + 10));
    expect(serials(messages)).toEqual([before + 30, before + 10, before + 20, before + 20, before + 30, before + 30]);
    const shop = messages.flatMap(({ answers }) => answers.filter(({ name }) => name === "shop.example.org").map(({ data }) => data));
    expect(shop).toEqual(["192.0.2.1", "192.0.2.1"]);
    expect(reports.at(-1)).toMatchObject({ domain: "example.org", type: "IXFR", result: "sent", serial: before + 30 });
  });

  test.each([0, 1, 1000])("to whoever is current, or %i ahead: the SOA alone", (ahead) => {
    const { service, before, reports } = flipped();
    expect(serials(ask(service, ixfr(before + 30 + ahead)))).toEqual([before + 30]);
    expect(reports.at(-1)).toMatchObject({ type: "IXFR", result: "current" });
  });

  test("to anybody else: the whole zone", () => {
    const { service, before, reports, world } = flipped();
    const records = ask(service, ixfr(before - 5)).flatMap(({ answers }) => answers);
    expect(records).toHaveLength(recordLines(world.view().records).length + 1);
    expect(reports.at(-1)).toMatchObject({ type: "AXFR", result: "sent" });
  });

  test("without an SOA it is malformed", () => {
    const { service } = flipped();
    expect(ask(service, encodeQuery({ id: 7, name: "example.org", type: Type.IXFR }))).toMatchObject([
      { rcode: Rcode.FORMERR, answers: [] },
    ]);
    const broken = ixfr(1).slice(0, -1);
    expect(ask(service, broken)).toMatchObject([{ rcode: Rcode.FORMERR }]);
  });
});

describe("who may", () => {
  const rules: ZoneTransfer["allow"] = [
    { networks: ["192.0.2.0/24", "2001:db8::/32"] },
    { networks: [], key: SEC.name },
    { networks: ["198.51.100.7/32"], key: BIG.name },
  ];
  const cases = [
    { name: "from an allowed network", from: "192.0.2.9", may: true },
    { name: "from an allowed network, signed by some key of ours", from: "192.0.2.9", key: BIG, may: true },
    { name: "over IPv6", from: "2001:db8::9", may: true },
    { name: "from elsewhere", from: "203.0.113.1", may: false },
    { name: "from elsewhere, with a key that is good everywhere", from: "203.0.113.1", key: SEC, may: true },
    { name: "from elsewhere, with a key that is good from one address", from: "203.0.113.1", key: BIG, may: false },
    { name: "from that address", from: "198.51.100.7", key: BIG, may: true },
    { name: "from that address, unsigned", from: "198.51.100.7", may: false },
  ] as const;
  test.each(cases)("$name: $may", ({ from, may, ...more }) => {
    const { service, reports } = serviceFor({ ...NO_TRANSFER, allow: rules });
    const query = "key" in more ? signed(axfr(), more.key, START).message : axfr("example.org", {});
    const [first] = ask(service, query, from);
    expect(first!.rcode).toBe(may ? Rcode.NOERROR : Rcode.REFUSED);
    expect(reports.at(-1)).toMatchObject({ result: may ? "sent" : "refused", client: from });
    if (!may && !("key" in more)) expect(first!.edns!.extendedErrors).toEqual([{ code: ExtendedError.Prohibited, text: "" }]);
  });

  test("nobody, when the zone has no `transfer`; NOTAUTH for zones that are not ours (RFC 5936 §2.2.1)", () => {
    const { service, world } = serviceFor(EVERYBODY);
    service.use([...world.views.byDomain.values()], ZONES, []);
    expect(ask(service, axfr())).toMatchObject([{ rcode: Rcode.REFUSED, answers: [] }]);
    expect(ask(service, axfr("example.net"))).toMatchObject([{ rcode: Rcode.NOTAUTH }]);
    expect(ask(service, axfr("shop.example.org"))).toMatchObject([{ rcode: Rcode.NOTAUTH }]);
  });

  test("SERVFAIL until the first view is there", () => {
    const { service, world } = serviceFor(EVERYBODY);
    service.use([], world.zones, []);
    expect(ask(service, axfr("example.org", {}))).toMatchObject([
      { rcode: Rcode.SERVFAIL, edns: { extendedErrors: [{ code: ExtendedError.NotReady }] } },
    ]);
  });

  test("no more at once than the limits say, of one address and of all", () => {
    const { service, reports } = serviceFor(EVERYBODY, [], { transfers: 3, perSource: 2 });
    const [first, second] = [open(service, axfr()), open(service, axfr())];
    expect(ask(service, axfr())).toMatchObject([{ rcode: Rcode.SERVFAIL }]);
    expect(reports.at(-1)).toMatchObject({ result: "busy" });
    const third = open(service, axfr(), "127.0.0.2");
    expect(ask(service, axfr(), "127.0.0.3")).toMatchObject([{ rcode: Rcode.SERVFAIL }]);
    first.close();
    expect(reports.at(-1)).toMatchObject({ result: "aborted" });
    first.close(); // once
    expect(messagesOf(open(service, axfr())).length).toBeGreaterThan(0);
    for (const transfer of [second, third]) messagesOf(transfer);
    expect(reports.filter(({ result }) => result === "sent")).toHaveLength(3);
    for (let i = 0; i < 5; i++) expect(ask(service, axfr())[0]).toMatchObject({ rcode: Rcode.NOERROR });
  });
});

describe("TSIG (RFC 8945 §5.3.1)", () => {
  test("every message of a stream is signed and follows the one before it", () => {
    const key = newSigningKey();
    const world = copiedZone({ ...NO_TRANSFER, allow: [{ networks: [], key: BIG.name }] }, key);
    const service = createTransferService({ now: () => world.now, onReport: () => undefined });
    service.use([...world.views.byDomain.values()], world.zones, [BIG]);
    const { message, chain } = signed(axfr(), BIG, world.now);
    const stream = messagesOf(open(service, message));
    expect(stream.length).toBeGreaterThan(1);
    for (const one of stream) expect(verifyTsig(one, one.length, [BIG], world.now, chain).kind).toBe("Valid");
  });

  test.each([
    { name: "an unknown key", keys: [BIG], error: TsigError.BADKEY },
    { name: "another secret", keys: [{ ...SEC, secret: new Uint8Array(32) }], error: TsigError.BADSIG },
  ])("$name is told so, unsigned", ({ keys, error }) => {
    const { service } = serviceFor(EVERYBODY, keys);
    const raw = messagesOf(open(service, signed(axfr(), SEC, START).message));
    expect(raw.map(decoded)).toMatchObject([{ rcode: Rcode.NOTAUTH, answers: [], additionals: [{ type: Type.TSIG, name: SEC.name }] }]);
    expect(Buffer.from(raw[0]!).toString("hex")).toMatch(new RegExp(`00000007000?${error.toString(16)}0000$`.replace("000?", "00")));
  });

  test("a refusal is signed when the request was", () => {
    const { service } = serviceFor({ ...NO_TRANSFER, allow: [{ networks: [], key: SEC.name }] });
    const { message, chain } = signed(axfr(), BIG, START);
    const [raw] = messagesOf(open(service, message));
    expect(decoded(raw!).rcode).toBe(Rcode.REFUSED);
    expect(verifyTsig(raw!, raw!.length, [BIG], START, chain).kind).toBe("Valid");
  });
});

test("lines of a transfer are those of the view", () => {
  const { service, world } = serviceFor(EVERYBODY);
  const sent = ask(service, axfr()).flatMap(({ answers }) => answers.map(lineOf));
  expect(new Set(sent).size).toBe(recordLines(world.view().records).length);
});
