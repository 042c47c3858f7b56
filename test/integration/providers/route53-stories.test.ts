/** Ten thousand stories of two writers of one zone at the emulator of Route 53, told by as many threads as the machine runs at once. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { type BrokenStory, type StoriesToTell, tellRoute53Stories } from "../../support/providers/route53-stories.ts";

const STORIES = Number(process.env.GLOBALROUTE_STORIES ?? 10_000);
const TELLER = new URL("../../support/providers/route53-storyteller.ts", import.meta.url);

async function tellInThread(workerData: StoriesToTell): Promise<readonly BrokenStory[]> {
  const worker = new Worker(TELLER, { workerData });
  try {
    const [told] = await once(worker, "message");
    return told;
  } finally {
    await worker.terminate();
  }
}

test(`${STORIES} stories: never empty, never older, never mixed`, { timeout: 60_000 + 200 * STORIES }, async () => {
  const start = performance.now();
  const tellers = availableParallelism();
  const parts = Array.from({ length: tellers }, (_, i) => {
    const [from, to] = [i, i + 1].map((part) => Math.round((part * STORIES) / tellers)) as [number, number];
    return tellInThread({ from, to, isFenced: true });
  });
  const broken = (await Promise.all(parts)).flat();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stderr.write(`${STORIES} stories of two writers at Route 53: ${broken.length} broken; ${seconds} s by ${tellers} threads\n`);
  expect(broken).toEqual([]);
});

test("without the fence they get older and mixed", { timeout: 60_000 }, async () => {
  const rules = (await tellRoute53Stories({ from: 0, to: 150, isFenced: false })).map(({ rule }) => rule);
  expect([...new Set(rules)]).toEqual(expect.arrayContaining(["older"]));
});
