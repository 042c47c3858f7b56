import { expect, test } from "vitest";
import type { Zone, ZoneProvider } from "../../src/model/inventory.ts";
import { deletionStep, FINALIZER, isLeaving } from "./deletion-order.ts";

const AT = "2026-11-21T12:00:00Z";
const provider = (more: Partial<ZoneProvider> = {}): Pick<Zone, "provider"> => {
  const route53: ZoneProvider = { type: "Route53", visibility: "Public", adoptFrom: [], policy: "Sync", deletionPolicy: "Delete" };
  return { provider: { ...route53, ...more } as ZoneProvider };
};
const DELETE = provider();
const { deletionPolicy: _, ...stays } = DELETE.provider!;
const ORPHAN = { provider: stays };
const DRY_RUN = provider({ policy: "DryRun" });
const EMBEDDED = {};

const object = (state: "" | "held" | "deleted" | "held, deleted") => ({
  metadata: {
    name: "example-org",
    finalizers: ["example.org/other", ...(state.includes("held") ? [FINALIZER] : [])],
    ...(state.includes("deleted") ? { deletionTimestamp: AT } : {}),
  },
});

test.each<[string, Parameters<typeof object>[0], Pick<Zone, "provider"> | undefined, boolean, string]>([
  ["a zone whose records go with it is held", "", DELETE, false, "Hold"],
  ["and stays so", "held", DELETE, false, "None"],
  ["by nothing while it is not accepted", "", undefined, false, "None"],
  ["one that is answered here vanishes with its object", "", EMBEDDED, false, "None"],
  ["one whose records stay is not held", "", ORPHAN, false, "None"],
  ["nor one where nothing is written", "", DRY_RUN, false, "None"],
  ["who changes the policy lets go", "held", ORPHAN, false, "Release"],
  ["also after it was deleted", "held, deleted", ORPHAN, false, "Release"],
  ["and by a dry run", "held, deleted", DRY_RUN, false, "Release"],
  ["deleted: records first", "held, deleted", DELETE, false, "RemoveRecords"],
  ["then the object", "held, deleted", DELETE, true, "Release"],
  ["one that others hold back is not held anew", "deleted", DELETE, false, "None"],
  ["that nobody can read waits for somebody", "held, deleted", undefined, false, "Unreadable"],
  ["and is left alone until it is deleted", "held", undefined, false, "None"],
])("%s", (_name, state, zone, isRemoved, step) => {
  expect(deletionStep(object(state), zone, isRemoved)).toBe(step);
});

test("records are on their way out only where the object says all of it", () => {
  expect(isLeaving(object("held, deleted"), DELETE)).toBe(true);
  for (const state of ["", "held", "deleted"] as const) expect(isLeaving(object(state), DELETE)).toBe(false);
  for (const zone of [ORPHAN, DRY_RUN, EMBEDDED]) expect(isLeaving(object("held, deleted"), zone)).toBe(false);
});
