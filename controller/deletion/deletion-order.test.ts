import fc from "fast-check";
import { expect, test } from "vitest";
import { DELETION_ORDER, type Deletable, deletionSteps } from "./deletion-order.ts";

const NOW = 1_800_000_000_000;
const object = (kind: Deletable["kind"], more: Partial<Deletable> = {}): Deletable => ({
  kind,
  key: kind.toLowerCase(),
  isHeld: false,
  records: 0,
  maxTtl: 60_000,
  ...more,
});
const told = (objects: readonly Deletable[], now = NOW) =>
  deletionSteps(objects, now).map((step) => `${step.step} ${step.object.key}${step.step === "Wait" ? ` for ${step.for}` : ""}`);

test.each<{ readonly name: string; readonly objects: readonly Deletable[]; readonly steps: readonly string[] }>([
  { name: "embedded zones hold nothing: no finalizer, ever", objects: DELETION_ORDER.map((kind) => object(kind)), steps: [] },
  { name: "before a provider has records, the object is held", objects: [object("DNSZone", { records: 3 })], steps: ["Hold dnszone"] },
  { name: "held, with records: as it should be", objects: [object("GlobalRoute", { records: 3, isHeld: true })], steps: [] },
  { name: "a provider that is no longer used lets go", objects: [object("GlobalRoute", { isHeld: true })], steps: ["Release globalroute"] },
  {
    name: "a deleted route: records first",
    objects: [object("GlobalRoute", { records: 1, isHeld: true, deletedAt: NOW })],
    steps: ["RemoveRecords globalroute"],
  },
  { name: "then the route", objects: [object("GlobalRoute", { isHeld: true, deletedAt: NOW })], steps: ["Release globalroute"] },
  {
    name: "a zone waits for its routes",
    objects: [
      object("DNSZone", { records: 4, isHeld: true, deletedAt: NOW }),
      object("GlobalRoute", { records: 1, isHeld: true, deletedAt: NOW }),
    ],
    steps: ["RemoveRecords globalroute", "Wait dnszone for GlobalRoute"],
  },
  {
    name: "an orphaned zone leaves its records",
    objects: [object("DNSZone", { records: 4, isHeld: true, deletedAt: NOW, deletionPolicy: "Orphan" })],
    steps: ["Release dnszone"],
  },
  {
    name: "a cluster drains first",
    objects: [object("MemberCluster", { records: 2, isHeld: true, deletedAt: NOW - 59_999 })],
    steps: ["Drain membercluster"],
  },
  {
    name: "until no client can hold an old answer",
    objects: [object("MemberCluster", { records: 2, isHeld: true, deletedAt: NOW - 60_000 })],
    steps: ["RemoveRecords membercluster"],
  },
  {
    name: "that somebody else's finalizer keeps drains, too",
    objects: [object("MemberCluster", { deletedAt: NOW })],
    steps: ["Drain membercluster"],
  },
])("$name", ({ objects, steps }) => {
  expect(told(objects)).toEqual(steps);
});

const deletable = fc.record({
  kind: fc.constantFrom(...DELETION_ORDER),
  key: fc.string({ minLength: 1, maxLength: 4 }),
  isHeld: fc.boolean(),
  records: fc.nat(3),
  maxTtl: fc.constantFrom(0, 5000, 60_000),
  deletedAt: fc.option(fc.constantFrom(NOW - 100_000, NOW - 1000, NOW), { nil: undefined }),
});

test("carrying out the steps comes to an end, in order, and lets nothing go that still has records", () => {
  fc.assert(
    fc.property(fc.uniqueArray(deletable, { selector: ({ kind, key }) => `${kind} ${key}`, maxLength: 8 }), (list) => {
      let objects: readonly Deletable[] = list.map(({ deletedAt, ...rest }) => ({
        ...rest,
        ...(deletedAt === undefined ? {} : { deletedAt }),
      }));
      const released: Deletable[] = [];
      for (let round = 0; ; round++) {
        const steps = deletionSteps(objects, NOW + 1_000_000);
        if (steps.length === 0) break;
        expect(round).toBeLessThan(20);
        for (const { step, object } of steps) {
          expect(step).not.toBe("Drain"); // the time is over
          if (step === "Release" && object.deletedAt !== undefined) {
            expect(object.records).toBe(0);
            released.push(object);
          }
        }
        objects = objects.flatMap((object) => {
          const step = steps.find((one) => one.object === object)?.step;
          if (step === "Release") return object.deletedAt === undefined ? [{ ...object, isHeld: false }] : [];
          if (step === "Hold") return [{ ...object, isHeld: true }];
          return [step === "RemoveRecords" ? { ...object, records: 0 } : object];
        });
      }
      const ranks = released.map(({ kind }) => DELETION_ORDER.indexOf(kind));
      expect(ranks).toEqual([...ranks].sort());
    }),
  );
});
