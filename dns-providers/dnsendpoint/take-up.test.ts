import { expect, test } from "vitest";
import { createTakeUp, type Generations, type TakeUpNews } from "./take-up.ts";

/** Objects as ExternalDNS leaves them, and time that passes only when it is told to. */
function world() {
  const objects = new Map<string, Generations>();
  const news: TakeUpNews[] = [];
  let now = 0;
  let wake = (): void => {};
  let isAway = false;
  const takeUp = createTakeUp({
    look: async (name) => {
      if (isAway) throw new Error("away");
      return objects.get(name);
    },
    patience: 60_000,
    now: () => now,
    sleep: (_, signal) =>
      new Promise((resolve, reject) => {
        wake = resolve;
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    onNews: (one) => void news.push(one),
  });
  return {
    ...{ objects, news, takeUp },
    away(is: boolean): void {
      isAway = is;
    },
    /** @returns the news of it */
    async pass(milliseconds: number): Promise<readonly TakeUpNews[]> {
      now += milliseconds;
      wake();
      for (let i = 0; i < 20; i++) await Promise.resolve();
      return news.splice(0);
    },
  };
}

test("what ExternalDNS has seen is told with how long it took, from the first write on", async () => {
  const { objects, takeUp, pass } = world();
  objects.set("a", { written: 1, observed: 0 });
  takeUp.expect("a");
  expect(await pass(5000)).toEqual([]);
  objects.set("a", { written: 2, observed: 1 });
  takeUp.expect("a");
  expect(await pass(5000)).toEqual([]);
  objects.set("a", { written: 2, observed: 2 });
  expect(await pass(5000)).toEqual([{ kind: "TakenUp", milliseconds: 15_000 }]);
  takeUp.expect("a"); // and again
  expect(await pass(5000)).toEqual([{ kind: "TakenUp", milliseconds: 5000 }]);
});

test("what it has not seen is told once, and its end too", async () => {
  const { objects, takeUp, pass } = world();
  for (const name of ["b", "a"]) {
    objects.set(name, { written: 1, observed: 0 });
    takeUp.expect(name);
  }
  expect(await pass(59_000)).toEqual([]);
  expect(await pass(5000)).toEqual([{ kind: "NotTakenUp", objects: ["a", "b"], milliseconds: 64_000 }]);
  expect(await pass(5000)).toEqual([]);
  objects.delete("a");
  objects.set("b", { written: 1, observed: 1 });
  expect(await pass(5000)).toEqual([{ kind: "TakenUp", milliseconds: 74_000 }]);
});

test("an ExternalDNS that follows, if late, is not said to be away; nor is it when the API server is", async () => {
  const { objects, takeUp, pass, away } = world();
  objects.set("a", { written: 2, observed: 1 });
  takeUp.expect("a");
  await pass(50_000);
  objects.set("a", { written: 9, observed: 8 });
  expect(await pass(20_000)).toEqual([]);
  away(true);
  objects.set("a", { written: 9, observed: 9 });
  expect(await pass(5000)).toEqual([]);
  away(false);
  expect(await pass(5000)).toMatchObject([{ kind: "TakenUp" }]);
});

test("what was being looked at when it was closed is told to nobody", async () => {
  const { objects, takeUp, pass } = world();
  objects.set("a", { written: 1, observed: 0 });
  takeUp.expect("a");
  const news = pass(90_000);
  takeUp.close();
  expect(await news).toEqual([]);
});

test("nothing is looked at when it is closed", async () => {
  const { objects, takeUp, pass } = world();
  objects.set("a", { written: 1, observed: 1 });
  takeUp.expect("a");
  takeUp.close();
  takeUp.expect("b");
  expect(await pass(5000)).toEqual([]);
});
