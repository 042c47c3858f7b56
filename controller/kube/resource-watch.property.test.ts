import fc from "fast-check";
import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeObject } from "./kube-object.ts";
import { watchResource } from "./resource-watch.ts";
import { INGRESSES } from "./resources.ts";
import { createMemoryKube, unreachable } from "./support/memory-kube.ts";
import { simulatedPorts } from "./support/simulated-ports.ts";

const deed = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("put" as const), name: fc.constantFrom("a", "b", "c", "d"), value: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("remove" as const), name: fc.constantFrom("a", "b", "c", "d") }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("wait" as const), time: fc.integer({ min: 0, max: 40_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom("cut", "break", "compact", "down", "up", "forbid", "allow", "bookmark", "rotate", "restore" as const),
    }),
  },
);

test("whatever happens on the way, in the end what is known is what there is, and each change was told once", async () => {
  let relists = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 40 }), fc.integer({ min: 0, max: 99 }), async (deeds, dice) => {
      const clock = createSimulatedClock();
      const kube = createMemoryKube();
      let rolls = dice;
      const told = new Map<string, KubeObject>();
      const watch = watchResource(
        kube.open(),
        INGRESSES,
        {},
        simulatedPorts(clock, () => ((rolls++ * 37) % 100) / 100),
        {
          onChange: ({ changed, vanished }) => {
            for (const object of vanished) expect(told.delete(object.metadata.name)).toBe(true);
            for (const object of changed) {
              expect(told.get(object.metadata.name)).not.toEqual(object);
              told.set(object.metadata.name, object);
            }
          },
        },
      );
      let backup = kube.backup();
      for (const one of deeds) {
        if (one.what === "put") kube.put(INGRESSES, { metadata: { namespace: "web", name: one.name }, spec: one.value });
        else if (one.what === "remove") kube.remove(INGRESSES, `web/${one.name}`);
        else if (one.what === "wait") await clock.advance(one.time);
        else if (one.what === "cut") kube.cut();
        else if (one.what === "break") kube.cut(unreachable());
        else if (one.what === "compact") kube.compact();
        else if (one.what === "down") kube.fail(unreachable());
        else if (one.what === "up") kube.fail(undefined);
        else if (one.what === "forbid") kube.failKind("ingresses", new KubeError("no", { status: 403, reason: "x" }));
        else if (one.what === "allow") kube.failKind("ingresses", undefined);
        else if (one.what === "bookmark") kube.bookmark();
        else if (one.what === "rotate") watch.use(kube.open());
        else {
          // As one does it: the server is down for a while, and is reached again before much has been written.
          kube.failKind("ingresses", undefined);
          kube.fail(unreachable());
          await clock.advance(31_000);
          backup();
          kube.fail(undefined);
          await clock.advance(31_000);
          backup = kube.backup();
        }
      }
      kube.failKind("ingresses", undefined);
      kube.fail(undefined);
      await clock.advance(65_000);
      const names = ["a", "b", "c", "d"].filter((name) => kube.get(INGRESSES, `web/${name}`) !== undefined);
      expect([...watch.objects().keys()].sort()).toEqual(names.map((name) => `web/${name}`));
      for (const name of names) {
        expect(watch.objects().get(`web/${name}`)).toEqual(kube.get(INGRESSES, `web/${name}`));
        expect(told.get(name)).toBe(watch.objects().get(`web/${name}`));
      }
      expect(told.size).toBe(names.length);
      expect(watch.state()).toEqual({ synced: true, forbidden: false, served: true });
      expect(kube.counts.open).toBe(1);
      relists += kube.counts.lists - 1;
      watch.close();
      await clock.advance(0);
      expect(clock.pending()).toBe(0);
    }),
    { numRuns: 150 },
  );
  expect(relists).toBeGreaterThan(3); // else nothing was tried
});
