import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endpointOf } from "../../health/support/simulated-world.ts";
import { decodeMessage, encodeMessage, MOST_ENTRIES, type PeerMessage } from "./peer-messages.ts";

const through = (message: PeerMessage) => decodeMessage(JSON.parse(encodeMessage(message)));

const name = fc.string({ minLength: 1, maxLength: 40 });
const count = fc.nat(100_000);
const voter = fc.record({ site: name, replica: name });
const vote = fc.record({
  id: count,
  opinion: fc.constantFrom("healthy" as const, "unhealthy" as const, "abstain" as const),
  reason: fc.constantFrom("ok" as const, "timeout" as const, "not-ready" as const, "forbidden-address" as const),
  proven: fc.boolean(),
  age: fc.nat(),
  signAge: fc.nat(),
  changeIn: fc.option(fc.nat()),
});
const endpoint = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 9 })).map(([i, fall]) => endpointOf(`c${i}`, { fall }));
const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    protocol: count,
    role: fc.constantFrom("replica" as const, "vantage" as const),
    instance: name,
    incarnation: name,
    site: name,
    version: name,
  }),
  fc.constant({ type: "beat" as const }),
  fc.constant({ type: "bye" as const }),
  fc.record({
    type: fc.constant("votes" as const),
    voter,
    names: fc.array(fc.tuple(count, name), { maxLength: 5 }),
    votes: fc.array(vote, { maxLength: 5 }),
    gone: fc.array(count, { maxLength: 5 }),
  }),
  fc.record({ type: fc.constant("left" as const), voter }),
  fc.record({
    type: fc.constant("programmed" as const),
    version: count,
    set: fc.array(fc.tuple(name, count), { maxLength: 5 }),
    gone: fc.array(name, { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant("targets" as const),
    add: fc.array(endpoint, { maxLength: 5 }),
    gone: fc.array(name, { maxLength: 5 }),
    isLast: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("sources" as const),
    kind: fc.constantFrom("Ingress" as const, "Service" as const),
    uid: name,
    isCurrent: fc.boolean(),
    isFirst: fc.boolean(),
    isLast: fc.boolean(),
    objects: fc.array(
      name.map((text) => ({ apiVersion: "v1", kind: "Service", metadata: { name: text, namespace: "web", labels: {} }, spec: { a: [1] } })),
      { maxLength: 3 },
    ),
  }),
);

test("every message comes out as it went in", () => {
  fc.assert(
    fc.property(message, (said) => {
      expect(through(said)).toEqual({ ok: said });
    }),
  );
});

test("no JSON crashes it", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("hello", "votes", "left", "programmed", "targets", "sources"),
      fc.jsonValue(),
      fc.jsonValue(),
      (type, a, b) => {
        const body = typeof a === "object" && a !== null && !Array.isArray(a) ? a : { votes: a, names: b, voter: a };
        expect(["ok", "malformed", "ignored"]).toContain(Object.keys(decodeMessage({ ...body, type }))[0]);
        decodeMessage(b);
      },
    ),
  );
});

test("a message with any part replaced by something else is malformed or well-formed, never a crash", () => {
  fc.assert(
    fc.property(message, fc.jsonValue(), fc.nat(), (said, junk, at) => {
      const body: Record<string, unknown> = JSON.parse(encodeMessage(said));
      const keys = Object.keys(body).filter((key) => key !== "type");
      if (keys.length > 0) body[keys[at % keys.length]!] = junk;
      decodeMessage(body);
    }),
  );
});

describe("what is refused", () => {
  const base = { type: "votes", names: [], votes: [], gone: [] };
  const target = endpointOf("c1");
  const cases: readonly { name: string; body: unknown; place: string }[] = [
    { name: "no object", body: 5, place: "body" },
    { name: "no type", body: {}, place: "type" },
    { name: "too many votes", body: { ...base, votes: Array(MOST_ENTRIES + 1).fill([1, 0, 0, 0, 0, 0, 0]) }, place: "votes" },
    { name: "an opinion that there is not", body: { ...base, votes: [[1, 3, 0, 0, 0, 0, 0]] }, place: "opinion" },
    { name: "an age below zero", body: { ...base, votes: [[1, 0, 0, 0, -1, 0, 0]] }, place: "age" },
    { name: "a number too high", body: { ...base, gone: [1e9] }, place: "id" },
    { name: "a key too long", body: { ...base, names: [[1, "x".repeat(9000)]] }, place: "key" },
    { name: "a place on no earth", body: { ...helloOf(), location: { latitude: 91, longitude: 0 } }, place: "location" },
    {
      name: "a flood of probes",
      body: { type: "targets", add: [{ ...target, policy: { ...target.policy, interval: 1 } }], gone: [], isLast: true },
      place: "target.interval",
    },
    {
      name: "a header in the path",
      body: { type: "targets", add: [{ ...target, probe: { ...target.probe, path: "/\r\nX: y" } }], gone: [], isLast: true },
      place: "target.path",
    },
  ];
  test.each(cases)("$name", ({ body, place }) => expect(decodeMessage(body)).toEqual({ malformed: place }));
});

test("labels and annotations that are no texts are left out of objects, which are taken", () => {
  const metadata = { name: "lb", namespace: "web", labels: null, annotations: { a: "x", b: 5 } };
  const objects = [{ apiVersion: "v1", kind: "Service", metadata, spec: {} }];
  expect(decodeMessage({ type: "sources", kind: "Service", isCurrent: true, isFirst: true, isLast: true, objects })).toMatchObject({
    ok: { objects: [{ metadata: { name: "lb", namespace: "web", labels: {}, annotations: { a: "x" } }, spec: {} }] },
  });
});

test("a message of a later version is ignored, and so are its fields", () => {
  expect(decodeMessage({ type: "chorus", voices: 3 })).toEqual({ ignored: "chorus" });
  expect(decodeMessage({ type: "beat", mood: "good" })).toEqual({ ok: { type: "beat" } });
});

test("a reason that a later version found still counts, by what it proves", () => {
  const body = { type: "votes", names: [], votes: [[1, 1, 200, 1, 5, 5, null]], gone: [] };
  expect(decodeMessage(body)).toMatchObject({ ok: { votes: [{ opinion: "unhealthy", proven: true, reason: "protocol" }] } });
});

test("the key of a target is made here: it cannot stand for another probe", () => {
  const target = endpointOf("c1");
  const decoded = decodeMessage({ type: "targets", add: [{ ...target, key: "forged" }], gone: [], isLast: true });
  expect(decoded).toMatchObject({ ok: { add: [{ key: target.key }] } });
});

function helloOf() {
  return { type: "hello", protocol: 1, role: "vantage", instance: "v", incarnation: "i", site: "s", version: "1" };
}
