import fc from "fast-check";
import { expect, test } from "vitest";
import { dnsWorld, ROUTES, record, route, SERIAL, ZONES, zone } from "../../test/support/dns-world.ts";
import type { Zone } from "../model/inventory.ts";
import { encodeQuery } from "./wire/encode-query.ts";
import { decodeName } from "./wire/name.ts";
import { decodeQuery, newQuery } from "./wire/query.ts";
import { findName, findSet, newFound } from "./zone-lookup.ts";
import { buildZoneTable, type ZoneTable } from "./zone-table.ts";

const query = newQuery();
const found = newFound();

/** Name of a node, `-` for none. */
const nameOf = (zones: ZoneTable, node: number): string => (node < 0 ? "-" : decodeName(zones.bytes, zones.nodeName[node]!)!.name);

function look(zones: ZoneTable, name: string): { encloser: string; node: string } {
  const message = encodeQuery({ id: 0, name, type: 1 });
  decodeQuery(message, message.length, query);
  findName(zones, new DataView(message.buffer, message.byteOffset, message.byteLength), query, found);
  return { encloser: nameOf(zones, found.encloser), node: nameOf(zones, found.node) };
}

const typesAt = (zones: ZoneTable, name: string): readonly number[] => {
  look(zones, name);
  return [...zones.setType.subarray(zones.nodeSets[found.node]!, zones.nodeSets[found.node + 1]!)];
};

const routeAt = (zones: ZoneTable, name: string): number => {
  look(zones, name);
  return zones.nodeRoute[found.node]!;
};

const { zones: world, routing } = dnsWorld();

const lookups: readonly { name: string; ask: string; encloser: string; node: string }[] = [
  { name: "a name with records", ask: "ns1.example.org", encloser: "ns1.example.org", node: "ns1.example.org" },
  { name: "in any case", ask: "nS1.EXAMPLE.oRG", encloser: "ns1.example.org", node: "ns1.example.org" },
  { name: "a route's host", ask: "shop.example.org", encloser: "shop.example.org", node: "shop.example.org" },
  { name: "an apex", ask: "example.org", encloser: "example.org", node: "example.org" },
  { name: "an empty non-terminal", ask: "_tcp.example.org", encloser: "_tcp.example.org", node: "_tcp.example.org" },
  { name: "nothing there", ask: "no.example.org", encloser: "example.org", node: "-" },
  { name: "nothing below a name", ask: "a.b.shop.example.org", encloser: "shop.example.org", node: "-" },
  { name: "another zone's suffix is no label", ask: "notexample.org", encloser: "-", node: "-" },
  { name: "the parent of a zone", ask: "org", encloser: "-", node: "-" },
  { name: "the root", ask: ".", encloser: "-", node: "-" },
  { name: "RFC 4592 §2.2.1: a wildcard matches", ask: "x.wild.example.org", encloser: "wild.example.org", node: "*.wild.example.org" },
  { name: "RFC 4592: at any depth", ask: "a.b.c.wild.example.org", encloser: "wild.example.org", node: "*.wild.example.org" },
  { name: "RFC 4592: not the name above it", ask: "wild.example.org", encloser: "wild.example.org", node: "wild.example.org" },
  {
    name: "RFC 4592: not an existing name",
    ask: "host.wild.example.org",
    encloser: "host.wild.example.org",
    node: "host.wild.example.org",
  },
  { name: "RFC 4592: not below an existing name", ask: "x.host.wild.example.org", encloser: "host.wild.example.org", node: "-" },
  {
    name: "RFC 4592: not an empty non-terminal",
    ask: "ent.wild.example.org",
    encloser: "ent.wild.example.org",
    node: "ent.wild.example.org",
  },
  { name: "RFC 4592: not below an empty non-terminal", ask: "x.ent.wild.example.org", encloser: "ent.wild.example.org", node: "-" },
  { name: "RFC 4592 §2.3: the asterisk itself", ask: "*.wild.example.org", encloser: "*.wild.example.org", node: "*.wild.example.org" },
  { name: "RFC 4592: not below the asterisk", ask: "x.*.wild.example.org", encloser: "*.wild.example.org", node: "-" },
  { name: "a route's wildcard", ask: "a.apps.example.org", encloser: "apps.example.org", node: "*.apps.example.org" },
  { name: "the inner of two zones", ask: "www.inner.example.org", encloser: "www.inner.example.org", node: "www.inner.example.org" },
];
test.each(lookups)("$name: $ask", ({ ask, encloser, node }) => expect(look(world, ask)).toEqual({ encloser, node }));

test("a name belongs to the longest zone, by whole labels", () => {
  const zoneOf = (name: string) => {
    look(world, name);
    return world.domains[world.nodeZone[found.encloser]!];
  };
  expect(zoneOf("www.inner.example.org")).toBe("inner.example.org");
  expect(zoneOf("no.inner.example.org")).toBe("inner.example.org");
  expect(zoneOf("notinner.example.org")).toBe("example.org");
});

test("what is delegated away is known at the cut, below it, and nowhere else", () => {
  const cutOf = (name: string) => {
    look(world, name);
    return nameOf(world, world.nodeCut[found.encloser]!);
  };
  expect(["child", "ns.child", "no.such.child", "shop", "no"].map((name) => cutOf(`${name}.example.org`))).toEqual([
    "child.example.org",
    "child.example.org",
    "child.example.org",
    "-",
    "-",
  ]);
});

test("hosts carry their route's number", () => {
  ROUTES.forEach(({ hosts }, i) => {
    for (const host of hosts) expect(routeAt(world, host)).toBe(i);
  });
});

test("the table survives a structured clone, and everything large is shared", () => {
  const clone = structuredClone(world);
  expect(look(clone, "x.wild.example.org").node).toBe("*.wild.example.org");
  for (const column of [world.slots, world.bytes, world.nodeName, world.setBytes]) expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("equal input gives an equal table", () => {
  expect(buildZoneTable(ZONES, routing, () => SERIAL).zones).toEqual(world);
});

/** Zones and routes → the problems' codes and what they are about. */
function problemsOf(zones: readonly Zone[], hosts: readonly string[] = [], published: readonly string[] = []) {
  const { routing: table } = dnsWorld(
    [],
    hosts.map((host, i) => route(`r${i}`, [host], [], { zones: published })),
  );
  const built = buildZoneTable(zones, table, () => 1);
  return { zones: built.zones, problems: built.problems.map(({ code, path }) => `${code} ${path}`) };
}

const A = 1;
const NS = 2;
const CNAME = 5;
const TXT = 16;

test("a route beats A, AAAA and CNAME at its host; other types stand beside it", () => {
  const { zones, problems } = problemsOf(
    [
      zone("z", "z.org", [
        record("a.z.org", "A", "192.0.2.1"),
        record("a.z.org", "AAAA", "2001:db8::1"),
        record("a.z.org", "TXT", "t"),
        record("b.z.org", "CNAME", "c"),
      ]),
    ],
    ["a.z.org", "b.z.org"],
  );
  expect(problems).toEqual(["record-hidden a.z.org A", "record-hidden a.z.org AAAA", "record-hidden b.z.org CNAME"]);
  expect(typesAt(zones, "a.z.org")).toEqual([TXT]);
  expect(typesAt(zones, "b.z.org")).toEqual([]);
});

test("an alias gives way to anything beside it, and is nothing for an apex", () => {
  const { zones, problems } = problemsOf([
    zone("z", "z.org", [
      record("z.org", "CNAME", "a.example.net."),
      record("a.z.org", "CNAME", "b"),
      record("a.z.org", "TXT", "t"),
      record("c.z.org", "CNAME", "d", "e"),
    ]),
  ]);
  expect(problems).toEqual(["record-conflict z.org CNAME", "record-conflict a.z.org CNAME", "record-value c.z.org CNAME"]);
  expect(typesAt(zones, "a.z.org")).toEqual([TXT]);
  expect(typesAt(zones, "c.z.org")).toEqual([CNAME]);
});

test("a delegation never hides a managed name", () => {
  const { zones, problems } = problemsOf([zone("z", "z.org", [record("sub.z.org", "NS", "ns.example.net.")])], ["deep.in.sub.z.org"]);
  expect(problems).toEqual(["record-hidden sub.z.org NS"]);
  expect(typesAt(zones, "sub.z.org")).toEqual([]);
  expect(routeAt(zones, "deep.in.sub.z.org")).toBe(0);
});

test("below a cut only glue counts", () => {
  const { zones, problems } = problemsOf([
    zone("z", "z.org", [
      record("sub.z.org", "NS", "ns.sub.z.org."),
      record("sub.z.org", "TXT", "t"),
      record("ns.sub.z.org", "A", "192.0.2.1"),
      record("www.sub.z.org", "A", "192.0.2.2"),
      record("x.sub.z.org", "NS", "ns.example.net."),
    ]),
  ]);
  expect(problems).toEqual(["record-hidden sub.z.org TXT", "record-hidden www.sub.z.org A", "record-hidden x.sub.z.org NS"]);
  look(zones, "x.sub.z.org");
  expect(nameOf(zones, zones.nodeCut[found.node]!)).toBe("sub.z.org");
});

const refusals: readonly {
  name: string;
  zones: readonly Zone[];
  hosts?: readonly string[];
  published?: readonly string[];
  problems: readonly string[];
}[] = [
  { name: "a domain twice", zones: [zone("a", "z.org"), zone("b", "z.org")], problems: ["zone-duplicate spec.domain"] },
  { name: "NS of the apex", zones: [zone("z", "z.org", [record("z.org", "NS", "ns.example.net.")])], problems: ["record-hidden z.org NS"] },
  {
    name: "a delegating wildcard",
    zones: [zone("z", "z.org", [record("*.z.org", "NS", "ns.example.net.")])],
    problems: ["record-conflict *.z.org NS"],
  },
  {
    name: "a malformed value",
    zones: [zone("z", "z.org", [record("a.z.org", "A", "192.0.2.1", "nonsense")])],
    problems: ["record-value a.z.org A"],
  },
  { name: "a name outside", zones: [zone("z", "z.org", [record("a.notz.org", "A", "192.0.2.1")])], problems: ["record-name a.notz.org A"] },
  {
    name: "a record of an inner zone",
    zones: [zone("z", "z.org", [record("a.i.z.org", "TXT", "t")]), zone("i", "i.z.org")],
    problems: ["record-hidden a.i.z.org TXT"],
  },
  {
    name: "the delegation of an inner zone is welcome",
    zones: [zone("z", "z.org", [record("i.z.org", "NS", "n.i.z.org.")]), zone("i", "i.z.org")],
    problems: [],
  },
  {
    name: "an RRset listed twice",
    zones: [zone("z", "z.org", [record("a.z.org", "TXT", "1"), record("a.z.org", "TXT", "2")])],
    problems: ["record-conflict a.z.org TXT"],
  },
  {
    name: "an RRset that fits no message",
    zones: [zone("z", "z.org", [record("a.z.org", "TXT", ...Array.from({ length: 64 }, (_, i) => `${i}${"x".repeat(1000)}`))])],
    problems: ["record-value a.z.org TXT"],
  },
  { name: "one host of two routes", zones: [zone("z", "z.org")], hosts: ["a.z.org", "a.z.org"], problems: ["host-overlap a.z.org"] },
  {
    name: "a host outside the allowed suffixes, by whole labels",
    zones: [zone("z", "z.org", [], { allowedSuffixes: ["apps.z.org"] })],
    hosts: ["a.apps.z.org", "apps.z.org", "*.apps.z.org", "badapps.z.org"],
    problems: ["host-not-allowed badapps.z.org"],
  },
  {
    name: "hosts of no zone, and of zones that do not publish them",
    zones: [zone("z", "z.org")],
    hosts: ["a.z.org", "a.y.org"],
    published: ["other"],
    problems: [],
  },
];
test.each(refusals)("$name", ({ zones, hosts, published, problems }) =>
  expect(problemsOf(zones, hosts, published).problems).toEqual(problems),
);

test("a route is published in its zones alone", () => {
  const { zones } = problemsOf([zone("z", "z.org")], ["a.z.org"], ["other"]);
  expect(look(zones, "a.z.org").node).toBe("-");
});

test("between two zones names exist in the outer one", () => {
  const { zones } = problemsOf([zone("z", "z.org"), zone("i", "i.between.z.org")]);
  expect(look(zones, "between.z.org").node).toBe("between.z.org");
  look(zones, "no.between.z.org");
  expect(zones.domains[zones.nodeZone[found.encloser]!]).toBe("z.org");
});

test("duplicates within an RRset are one record (RFC 2181 §5)", () => {
  const { zones } = problemsOf([zone("z", "z.org", [record("a.z.org", "A", "192.0.2.1", "192.0.2.1", "192.0.2.2")])]);
  look(zones, "a.z.org");
  expect(zones.setCount[findSet(zones, found.node, A)]).toBe(2);
  look(zones, "z.org");
  expect(zones.setCount[findSet(zones, found.node, NS)]).toBe(2);
});

/** RFC 4592 §3.3.1 by the book: the longest existing suffix encloses; the asterisk right below it is the source. */
function oracle(owners: ReadonlySet<string>, name: string): { encloser: string; node: string } {
  const existing = new Set<string>(["z"]);
  for (const owner of owners) for (let at = owner; at !== "z"; at = at.slice(at.indexOf(".") + 1)) existing.add(at);
  let encloser = name;
  while (!existing.has(encloser)) encloser = encloser.slice(encloser.indexOf(".") + 1);
  const source = encloser === name ? name : `*.${encloser}`;
  return { encloser, node: existing.has(source) ? source : "-" };
}

const label = fc.constantFrom("a", "b", "c", "*");
const below = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join(".")}.z`);

test("any owner names, any question: as RFC 4592 says", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(below, { minLength: 1, maxLength: 12 }),
      fc.array(below, { minLength: 1, maxLength: 20 }),
      (owners, asked) => {
        const { zones } = problemsOf([
          zone(
            "z",
            "z",
            owners.map((owner) => record(owner, "TXT", "t")),
            { nameservers: [] },
          ),
        ]);
        for (const name of asked) expect(look(zones, name)).toEqual(oracle(new Set(owners), name));
      },
    ),
  );
});
