import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Change } from "../change.ts";
import { formatOwnership } from "../ownership.ts";
import type { RecordSet } from "../record-set.ts";
import { changePart, type DnsEndpointObject, formatPart, missingPart, type PartScope, partOwner, readPart } from "./part.ts";
import { placeChanges } from "./placement.ts";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const scope: PartScope = { namespace: "dns", domain: "example.org", owner: "prod-eu", digest };
const set = (name: string, address = "192.0.2.1"): RecordSet => ({ name, type: "A", ttl: 30, values: [address] });
const setsAt = (name: string): readonly RecordSet[] => [
  formatOwnership(name, { owner: "prod-eu", resource: "GlobalRoute/web/shop", types: ["A"] }),
  set(name),
];
const make = (name: string): readonly Change[] => setsAt(name).map((after) => ({ action: "Create", after }));
const remove = (name: string): readonly Change[] => setsAt(name).map((before) => ({ action: "Delete", before }));
const FENCE = '"heritage=globalroute,globalroute/epoch=3,globalroute/write=1"';

test("is written with what is ours in annotations, and read back as the same", () => {
  const part = {
    ...changePart(missingPart(0), [...make("shop.example.org"), ...make("*.wild.example.org")], false),
    epoch: 3,
    fence: FENCE,
    parts: 2,
  };
  const object = formatPart(part, scope);
  expect(object).toMatchObject({
    metadata: {
      name: "globalroute-prod-eu.example.org-0",
      namespace: "dns",
      labels: { "globalroute.dev/owner": "prod-eu", "globalroute.dev/zone": "example.org", "globalroute.dev/part": "0" },
      annotations: {
        "globalroute.dev/claims": '{"GlobalRoute/web/shop":{"*.wild.example.org":"A","shop.example.org":"A"}}',
        "globalroute.dev/fence": "heritage=globalroute,globalroute/epoch=3,globalroute/write=1",
        "globalroute.dev/parts": "2",
        "globalroute.dev/writer-epoch": "3",
      },
    },
    spec: { endpoints: [{ dnsName: "*.wild.example.org" }, { dnsName: "shop.example.org" }] },
  });
  expect(partOwner(object, scope)).toBe("prod-eu");
  expect(readPart(object)).toEqual({ ...part, object });
});

test("keeps what others have put into the object, and the version that was read", () => {
  const written = formatPart(missingPart(0), scope);
  const metadata = { ...written.metadata, resourceVersion: "7", labels: { ...written.metadata.labels, team: "dns" } };
  const object: DnsEndpointObject = {
    ...written,
    metadata: { ...metadata, annotations: { ...metadata.annotations, note: "x" } },
    spec: { endpoints: [{ dnsName: "by-hand.example.org", recordType: "TXT", targets: ["x"] }] },
  };
  const again = formatPart(changePart(readPart(object)!, make("shop.example.org"), false), scope);
  expect(again).toMatchObject({ metadata: { resourceVersion: "7", labels: { team: "dns" }, annotations: { note: "x" } } });
  expect(again.spec).toMatchObject({ endpoints: [{ dnsName: "by-hand.example.org", targets: ["x"] }, { dnsName: "shop.example.org" }] });
});

test("has a name and labels that an API server takes, however long the zone's name is", () => {
  const domain = Array.from({ length: 4 }, (_, i) => `${i}`.repeat(61)).join(".");
  const { name, labels } = formatPart(missingPart(12), { ...scope, owner: "o".repeat(63), domain }).metadata;
  expect(name).toMatch(/^globalroute-[0-9a-f]{40}-12$/);
  expect(labels?.["globalroute.dev/zone"]).toMatch(/^[0-9a-f]{40}$/);
});

test("whose claims somebody made unreadable is told apart from one without", () => {
  const object = formatPart(missingPart(0), scope);
  const broken = { ...object, metadata: { ...object.metadata, annotations: { "globalroute.dev/claims": "{" } } };
  expect(readPart(broken)).toBeUndefined();
  expect(readPart({ ...object, metadata: { ...object.metadata, annotations: {} } })?.claims.size).toBe(0);
});

test("names stay in their part, new ones go where there is room, and removals come last", () => {
  const first = changePart(missingPart(0), [...make("a.example.org"), ...make("b.example.org")], false);
  const second = changePart(missingPart(1), make("c.example.org"), false);
  const changes = [
    ...remove("a.example.org"),
    ...make("new.example.org"),
    ...make("c.example.org"),
    ...make("b.example.org"),
    ...make("other.example.org"),
  ];
  const steps = placeChanges([first, second], changes, 200);
  const told = steps.map((step) => [
    step.index,
    [...new Set(step.changes.map((change) => (change.action === "Delete" ? "-" : "+")))].join(),
    step.changes.length,
  ]);
  expect(told).toEqual([
    [1, "+", 4], // new and c
    [0, "+", 2],
    [2, "+", 2],
    [0, "-", 2],
  ]);
});
