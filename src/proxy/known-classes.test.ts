import { describe, expect, test } from "vitest";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import type { Rule } from "../model/inventory.ts";
import { type ClientClasses, clientClasses, questionsOf } from "./client-classes.ts";
import { createKnownClasses, type WorkOutClasses } from "./known-classes.ts";

const germany = testRule("germany", "Require", { countries: ["DE"] }, ["frankfurt"]);
const ireland = testRule("ireland", "Require", { countries: ["IE"] }, ["dublin"]);
const route = testRoute(["frankfurt", "dublin"].map((name, i) => testBackend(name, i + 1)));
const { geo } = compileTestTable(testInventory([route]), [COUNTRY_FILE]).table;
const asked = (...rules: readonly Rule[]) => questionsOf([{ rules }], new Map());

/** Another thread, which is as slow as a test wants. */
function otherThread() {
  const waiting: ((fails?: Error) => void)[] = [];
  const workOut: WorkOutClasses = (id, questions) => {
    expect(id).toBe(geo.id);
    return new Promise<ClientClasses>((resolve, reject) => {
      waiting.push((fails) => (fails === undefined ? resolve(structuredClone(clientClasses(geo, questions))) : reject(fails)));
    });
  };
  return { workOut, waiting };
}

describe("classes that are known", () => {
  test("are worked out anew only when rules' clients or the geo data change", () => {
    const known = createKnownClasses();
    const first = known.of(geo, asked(germany, ireland));
    expect(first).toEqual(clientClasses(geo, asked(germany, ireland)));
    expect(known.of(geo, asked({ ...ireland, to: ["frankfurt"] }, germany, { ...germany, name: "again" }))).toBe(first);
    expect(known.of(geo, asked(germany))).not.toBe(first);
    expect(known.of({ ...geo, id: "another" }, asked(germany, ireland))).not.toBe(first);
  });

  test("are not asked for again, and those that were prepared are not worked out here", async () => {
    const { workOut, waiting } = otherThread();
    const known = createKnownClasses();
    const before = known.of(geo, asked(germany));
    await known.prepare(geo, asked(germany), workOut);
    expect(waiting).toHaveLength(0);
    const preparing = known.prepare(geo, asked(ireland), workOut);
    expect(known.of(geo, asked(germany))).toBe(before); // until they are there
    expect(waiting).toHaveLength(1);
    waiting[0]!();
    await preparing;
    const after = known.of(geo, asked(ireland));
    expect(after).toEqual(clientClasses(geo, asked(ireland)));
    await known.prepare(geo, asked(ireland), workOut);
    expect([waiting.length, known.of(geo, asked(ireland)) === after]).toEqual([1, true]);
  });

  test("stay known when the other thread fails, and are worked out here", async () => {
    const { workOut, waiting } = otherThread();
    const known = createKnownClasses();
    const before = known.of(geo, asked(germany));
    const preparing = known.prepare(geo, asked(ireland), workOut);
    waiting[0]!(new Error("out of memory"));
    await expect(preparing).rejects.toThrow("out of memory");
    expect(known.of(geo, asked(germany))).toBe(before);
    expect(known.of(geo, asked(ireland))).toEqual(clientClasses(geo, asked(ireland)));
  });

  test("are never put out of their place by what was asked for earlier", async () => {
    const { workOut, waiting } = otherThread();
    const known = createKnownClasses();
    const both = [known.prepare(geo, asked(germany), workOut), known.prepare(geo, asked(ireland), workOut)];
    waiting[1]!();
    await both[1];
    const newest = known.of(geo, asked(ireland));
    waiting[0]!();
    await both[0];
    expect(known.of(geo, asked(ireland))).toBe(newest);
  });
});
