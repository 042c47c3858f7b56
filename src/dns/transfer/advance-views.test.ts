import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { copiedZone, NO_TRANSFER, START } from "../../../test/support/copied-zone.ts";
import { record, ZONES } from "../../../test/support/dns-world.ts";
import { bogusBecause, compareCanonical, readName, readTypeBitmap } from "../../../test/support/oracle/dnssec.ts";
import { recordLines, viewLines } from "../../../test/support/view-text.ts";
import { newSigningKey } from "../../../test/support/zone-keys.ts";
import type { Zone } from "../../model/inventory.ts";
import { Standing } from "../../routing/table.ts";
import { encodeDnskey } from "../dnssec/zone-key.ts";
import { Type } from "../wire/codes.ts";
import { decodeName } from "../wire/name.ts";
import { firstViews, LEAST_BETWEEN_SERIALS, nextSerial } from "./advance-views.ts";
import { loadViews, saveViews } from "./view-file.ts";
import { decodeView, type ViewSet, type ZoneView } from "./zone-view.ts";

const ROW = { shop: 4 } as const; // first row of the second route: two backends before it, two families each
const DAY = 86_400_000;

const withRecord = (...more: Zone["records"]): readonly Zone[] =>
  ZONES.map((zone) => (zone.domain === "example.org" ? { ...zone, records: [...zone.records, ...more] } : zone));

describe("what a copy has", () => {
  test("of the inner zone: everything", () => {
    const { views } = copiedZone();
    expect(viewLines(views.byDomain.get("inner.example.org")!)).toEqual([
      "inner.example.org SOA 3600 ns1.inner.example.org. hostmaster.inner.example.org. 1800000000 3600 600 1209600 30",
      "inner.example.org NS 3600 ns1.inner.example.org.",
      "inner.example.org NS 3600 ns2.example.com.",
      "www.inner.example.org A 5 192.0.2.1",
      "www.inner.example.org A 5 203.0.113.1",
      "www.inner.example.org AAAA 5 2001:db8::e1",
      "www.inner.example.org AAAA 5 2001:db8::31",
    ]);
  });

  const lines = viewLines(copiedZone().view());
  const at = (name: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

  test.each([
    { name: "www.example.org", has: ["CNAME 300 shop.example.org."] },
    { name: "*.wild.example.org", has: ['TXT 300 "from the wildcard"'] },
    { name: "child.example.org", has: ["NS 300 ns.child.example.org.", "NS 300 ns.example.net."] },
    { name: "ns.child.example.org", has: ["A 300 192.0.2.54", "AAAA 300 2001:db8::54"] },
    { name: "inner.example.org", has: ["NS 3600 ns1.inner.example.org.", "NS 3600 ns2.example.com."] },
    { name: "www.inner.example.org", has: [] },
    { name: "ent.wild.example.org", has: [] },
    { name: "*.apps.example.org", has: ["A 5 192.0.2.1", "A 5 203.0.113.1", "AAAA 5 2001:db8::e1", "AAAA 5 2001:db8::31"] },
    { name: "v4only.example.org", has: ["A 5 192.0.2.4", "A 5 203.0.113.4"] },
    { name: "nothing.example.org", has: [] },
  ])("at $name", ({ name, has }) => expect(at(name)).toEqual(has));

  test("an HTTPS record with the hints of all that serves (RFC 9460 §7.3)", () => {
    const hints = "ipv4hint=192.0.2.1,203.0.113.1 ipv6hint=2001:db8::e1,2001:db8::31";
    expect(at("web.example.org").at(-1)).toBe(`HTTPS 5 1 . alpn=h2,http/1.1 ${hints}`);
  });

  test("each record once, the SOA first, names in canonical order", () => {
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.filter((line) => line.includes(" SOA "))).toEqual([lines[0]]);
    const owners = lines.map((line) => line.split(" ")[0]!.split("."));
    for (const [i, owner] of owners.entries()) if (i > 0) expect(compareCanonical(owners[i - 1]!, owner)).toBeLessThanOrEqual(0);
  });

  test("a zone without `transfer` has no view", () => {
    const world = copiedZone();
    world.zones = ZONES;
    world.advance(10_000);
    expect([...world.views.byDomain.keys()]).toEqual([]);
  });
});

describe("serials (RFC 1982)", () => {
  test.each([
    { name: "the first: seconds since the epoch", previous: undefined, next: 1_800_000_000 },
    { name: "seconds since the epoch while they are ahead", previous: 1_799_999_999, next: 1_800_000_000 },
    { name: "one more in the same second", previous: 1_800_000_000, next: 1_800_000_001 },
    { name: "one more when the clock went back", previous: 1_800_009_999, next: 1_800_010_000 },
    { name: "around the end", previous: 0xffff_ffff, next: 1_800_000_000 },
    { name: "0 follows the last number", previous: 0xffff_ffff, now: 0xffff_ffff * 1000, next: 0 },
  ])("$name", ({ previous, now, next }) => expect(nextSerial(previous, now ?? START)).toBe(next));

  test("time alone changes nothing; the same view is given", () => {
    const world = copiedZone();
    const before = world.view();
    expect(world.advance(3_600_000)).toEqual([]);
    expect(world.view()).toBe(before);
  });

  test("a new table with the same content changes nothing", () => {
    const world = copiedZone();
    const before = world.view();
    world.change(ZONES);
    expect(world.advance(60_000)).toEqual([]);
    expect(world.view()).toBe(before);
  });

  test("a backend that goes out makes a new serial, of its zone alone; and its return another", () => {
    const world = copiedZone();
    world.tables.routing.state.standing[ROW.shop] = Standing.Unhealthy;
    expect(world.advance(10_000)).toEqual(["example.org"]);
    expect(world.view().serial).toBe(1_800_000_010);
    expect(viewLines(world.view()).filter((line) => line.startsWith("shop.example.org A "))).toEqual(["shop.example.org A 5 203.0.113.1"]);
    expect(world.views.serials.get("inner.example.org")).toBe(1_800_000_000);
    world.tables.routing.state.standing[ROW.shop] = Standing.Usable;
    expect(world.advance(10_000)).toEqual(["example.org"]);
  });

  test("a share that changes is no change of content", () => {
    const world = copiedZone();
    world.tables.routing.state.keep[ROW.shop] = 100;
    expect(world.advance(10_000)).toEqual([]);
  });

  test("flapping makes one new serial in five seconds, and the last state is told when they are over", () => {
    const world = copiedZone();
    const { standing } = world.tables.routing.state;
    const serials = new Set<number>();
    for (let second = 0; second < 60; second++) {
      standing[ROW.shop] = second % 2 === 0 ? Standing.Unhealthy : Standing.Usable;
      world.advance(1000);
      serials.add(world.view().serial);
    }
    expect(serials.size).toBeGreaterThan(5);
    expect(serials.size).toBeLessThanOrEqual(13);
    standing[ROW.shop] = Standing.Unhealthy;
    world.advance(1);
    expect(world.views.dueAt).toBeLessThanOrEqual(world.now + LEAST_BETWEEN_SERIALS);
    world.advance(LEAST_BETWEEN_SERIALS);
    expect(viewLines(world.view())).not.toContain("shop.example.org A 5 192.0.2.1");
  });

  test("other SOA timers are a change", () => {
    const world = copiedZone();
    world.change(ZONES.map((zone) => ({ ...zone, soa: { ...zone.soa, rname: "other@example.org" } })));
    expect(world.advance(10_000)).toEqual(["example.org", "inner.example.org"]);
  });
});

describe("safety rule 1: no copy loses a name to an incident", () => {
  test("what may not be answered any more stays as it was", () => {
    const world = copiedZone();
    world.tables.routing.state.standing.fill(Standing.Excluded, ROW.shop, ROW.shop + 4);
    world.advance(10_000);
    expect(viewLines(world.view())).toContain("shop.example.org A 5 192.0.2.1");
    expect(viewLines(world.view())).toContain("shop.example.org AAAA 5 2001:db8::31");
  });
});

/** Applies a difference to records as a secondary does. */
function applied(before: readonly string[], { journal }: ZoneView): readonly string[] {
  const { deleted, added } = journal.at(-1)!;
  const gone = recordLines(deleted);
  for (const line of gone) if (!before.includes(line)) throw new Error(`${line} is deleted and was not there`);
  const rest = before.filter((line) => !gone.includes(line));
  for (const line of recordLines(added)) if (rest.includes(line)) throw new Error(`${line} is added and was there`);
  return [...rest, ...recordLines(added)].sort();
}

describe("RFC 1995 §4: the journal", () => {
  test("each difference leads from one view to the next, the SOA first in both lists", () => {
    for (const key of [undefined, newSigningKey()]) {
      const world = copiedZone(NO_TRANSFER, key);
      const steps: (() => void)[] = [
        () => world.tables.routing.state.standing.fill(Standing.Unhealthy, ROW.shop, ROW.shop + 1),
        () => world.change(withRecord(record("new.example.org", "TXT", "one", "two"))),
        () => world.change(withRecord(record("new.example.org", "TXT", "two"), record("z.example.org", "NS", "ns.z.example.net."))),
        () => world.change(ZONES),
      ];
      for (const step of steps) {
        const before = [...viewLines(world.view())];
        const { serial } = world.view();
        step();
        world.advance(10_000);
        const { journal, serial: next } = world.view();
        expect(journal.at(-1)).toMatchObject({ from: serial, to: next });
        expect(recordLines(journal.at(-1)!.deleted)[0]).toContain(` ${serial} `);
        expect(recordLines(journal.at(-1)!.added)[0]).toContain(` ${next} `);
        expect(applied(before, world.view())).toEqual([...viewLines(world.view())].sort());
      }
      expect(world.view().journal.map(({ from }) => from)).toHaveLength(4);
    }
  });

  test("it is no longer than the zone, and keeps the newest", () => {
    const world = copiedZone();
    const texts = Array.from({ length: 60 }, (_, i) => `${i} ${"x".repeat(240)}`);
    for (let i = 0; i < 9; i++) {
      world.change(withRecord(record("big.example.org", "TXT", ...texts.map((text) => `${i} ${text}`))));
      world.advance(10_000);
    }
    const { journal, records, serial } = world.view();
    const size = journal.reduce((total, { deleted, added }) => total + deleted.length + added.length, 0);
    expect(size).toBeLessThanOrEqual(Math.max(records.length, 65_536));
    expect(journal.length).toBeGreaterThan(0);
    expect(journal.at(-1)!.to).toBe(serial);
    for (const [i, { from }] of journal.entries()) if (i > 0) expect(from).toBe(journal[i - 1]!.to);
  });
});

describe("a signed zone (RFC 4035 §2)", () => {
  const key = newSigningKey();
  const dnskey = encodeDnskey(key);
  const world = copiedZone(NO_TRANSFER, key);
  const setsOf = (view: ZoneView): readonly ViewSet[] => decodeView(view.records)!;
  const nameOf = ({ owner }: ViewSet): string => decodeName(owner, 0)!.name;

  test("§2.2: every authoritative RRset is signed and valid, delegations and glue are not", () => {
    for (const set of setsOf(world.view())) {
      const isDelegation = set.type === Type.NS && nameOf(set) !== "example.org";
      const isGlue = nameOf(set) === "ns.child.example.org";
      if (isDelegation || isGlue) expect(set.signature).toBeUndefined();
      else
        expect({
          name: nameOf(set),
          type: set.type,
          bogus: bogusBecause(set, set.signature!, dnskey, "example.org", START / 1000),
        }).toMatchObject({ bogus: undefined });
    }
  });

  test("§2.1, RFC 7344 §4: the keys stand at the apex", () => {
    const types = setsOf(world.view()).flatMap((set) => (nameOf(set) === "example.org" ? [set.type] : []));
    expect(types).toEqual(expect.arrayContaining([Type.DNSKEY, Type.CDS, Type.CDNSKEY]));
  });

  test("§2.3: the NSEC records are one ring through all names with data, and their bit maps are true", () => {
    const sets = setsOf(world.view());
    const chain = sets.filter(({ type }) => type === Type.NSEC);
    const authoritative = new Set(sets.filter((set) => nameOf(set) !== "ns.child.example.org").map(nameOf));
    expect(new Set(chain.map(nameOf))).toEqual(authoritative);
    chain.forEach((set, i) => {
      const { labels, end } = readName(set.rdata[0]!);
      expect(labels.join(".")).toBe(nameOf(chain[(i + 1) % chain.length]!));
      const types = sets.filter((one) => nameOf(one) === nameOf(set)).map(({ type }) => type);
      expect(readTypeBitmap(set.rdata[0]!.subarray(end))).toEqual([...new Set([...types, Type.RRSIG])].sort((a, b) => a - b));
    });
  });

  test("a change signs what it touches and nothing else", () => {
    const one = copiedZone(NO_TRANSFER, key);
    const before = setsOf(one.view());
    one.tables.routing.state.standing[ROW.shop] = Standing.Unhealthy;
    one.advance(10_000);
    const changed = setsOf(one.view()).filter(
      (set, i) => !Buffer.from(set.signature ?? []).equals(before[i]!.signature ?? new Uint8Array()),
    );
    expect(changed.map((set) => `${nameOf(set)} ${set.type}`)).toEqual(["example.org 6", "shop.example.org 1"]);
  });

  test("signatures are made anew when half of their time is over, and that is a new serial", () => {
    const one = copiedZone(NO_TRANSFER, key);
    const { serial } = one.view();
    expect(one.views.dueAt).toBe(START + 3.5 * DAY);
    expect(one.advance(3.5 * DAY - 1000)).toEqual([]);
    expect(one.advance(2000)).toEqual(["example.org", "inner.example.org"]);
    expect(one.view().serial).toBeGreaterThan(serial);
    for (const set of setsOf(one.view())) {
      if (set.signature !== undefined)
        expect(bogusBecause(set, set.signature, dnskey, "example.org", one.now / 1000 + 3.5 * 86_400)).toBeUndefined();
    }
  });

  test("another key signs everything anew", () => {
    const one = copiedZone(NO_TRANSFER, key);
    const other = newSigningKey();
    one.change(ZONES, other);
    one.advance(10_000);
    for (const set of setsOf(one.view()))
      if (set.signature !== undefined)
        expect(bogusBecause(set, set.signature, encodeDnskey(other), "example.org", one.now / 1000)).toBeUndefined();
  });

  test("a zone that is to be signed is not made without a signer", () => {
    const one = copiedZone();
    one.zones = one.zones.map((zone) => ({ ...zone, dnssec: { keys: [], delegation: "Secure" as const } }));
    expect(() => one.advance(10_000)).toThrow("example.org is to be signed");
  });
});

describe("over a restart", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "views-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test.each([undefined, newSigningKey()])("the same content keeps its serial and its signatures", (key) => {
    const world = copiedZone(NO_TRANSFER, key);
    saveViews(folder, world.views);
    expect(readdirSync(folder).sort()).toEqual(["example.org.zone", "inner.example.org.zone"]);
    const again = copiedZone(NO_TRANSFER, key, loadViews(folder), undefined, START + 60_000);
    expect(again.views.changed).toEqual([]);
    expect(again.view().serial).toBe(world.view().serial);
    expect(Buffer.from(again.view().records).equals(world.view().records)).toBe(true);
    again.tables.routing.state.standing[ROW.shop] = Standing.Unhealthy;
    again.advance(10_000);
    expect(applied(viewLines(world.view()), again.view())).toEqual([...viewLines(again.view())].sort());
  });

  test("what was held is held on", () => {
    const world = copiedZone();
    saveViews(folder, world.views);
    const cold = copiedZone(NO_TRANSFER, undefined, firstViews([]));
    cold.views = loadViews(folder);
    cold.tables.routing.state.standing.fill(Standing.Excluded);
    cold.advance(10_000);
    expect(viewLines(cold.view())).toContain("shop.example.org A 5 192.0.2.1");
  });

  test("a serial never goes back, be the clock as it may", () => {
    const world = copiedZone();
    saveViews(folder, world.views);
    const again = copiedZone(NO_TRANSFER, undefined, loadViews(folder), undefined, START - DAY);
    again.change(withRecord(record("new.example.org", "TXT", "x")));
    again.advance(10_000);
    expect(again.view().serial).toBe(1_800_000_001);
  });

  test("a damaged file is no file, and files of zones that have no copies any more go", () => {
    const world = copiedZone();
    saveViews(folder, world.views);
    const path = join(folder, "example.org.zone");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(path);
    for (const damaged of [bytes.subarray(0, 100), Buffer.concat([bytes, Buffer.from("x")]), Buffer.alloc(0)]) {
      writeFileSync(path, damaged);
      expect([...loadViews(folder).byDomain.keys()]).toEqual(["inner.example.org"]);
    }
    world.zones = world.zones.map(({ transfer, ...zone }) =>
      zone.domain === "example.org" && transfer !== undefined ? { ...zone, transfer } : zone,
    );
    world.advance(10_000);
    saveViews(folder, world.views);
    expect(readdirSync(folder)).toEqual(["example.org.zone"]);
    expect([...loadViews(join(folder, "none")).byDomain.keys()]).toEqual([]);
  });
});
