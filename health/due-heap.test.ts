import fc from "fast-check";
import { expect, test } from "vitest";
import { createDueHeap } from "./due-heap.ts";

test("gives back what is in it, earliest first, after any pushes, pops and resets", () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant("push" as const), due: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ act: fc.constant("pop" as const) }),
    fc.record({ act: fc.constant("reset" as const), dues: fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = createDueHeap<{ due: number }>();
      let model: number[] = [];
      for (const next of steps) {
        if (next.act === "push") {
          heap.push({ due: next.due });
          model.push(next.due);
        } else if (next.act === "reset") {
          heap.reset(next.dues.map((due) => ({ due })));
          model = [...next.dues];
        } else {
          model.sort((a, b) => a - b);
          expect(heap.peek()?.due).toBe(model[0]);
          expect(heap.pop()?.due).toBe(model.shift());
        }
      }
    }),
  );
});
