import { afterEach, expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { WriteOptions } from "../kube/kube-api.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { createMemoryKube } from "../kube/support/memory-kube.ts";
import { createCredentialWriter } from "./credential-writer.ts";
import { createWriteLane } from "./write-lane.ts";

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

/** @param renew what renewing meets */
function world(renew: (options: WriteOptions, due: Set<string>) => Promise<void>) {
  const clock = createSimulatedClock();
  const ports: KubePorts = { ...clock, random: () => 0.5, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) };
  const due = new Set(["eu"]);
  const refused: string[] = [];
  const writer = createCredentialWriter({
    api: createMemoryKube().open(),
    clusters: { credentialsDue: () => [...due], renew: (_cluster, _hub, options = {}) => renew(options, due) },
    ports,
    onRefused: (key, error) => refused.push(`${key}: ${error.message}`),
  });
  const term = new AbortController();
  ended.push(() => term.abort());
  const lane = createWriteLane({
    writings: [writer],
    ports,
    onError: (_, error) => {
      throw error;
    },
  });
  const over = lane.lead({ epoch: 1, deadline: () => Number.POSITIVE_INFINITY, signal: term.signal });
  return { clock, refused, term, over };
}

test("a credential that is due is renewed, once", async () => {
  let renewals = 0;
  const { clock } = world(async (_, due) => {
    renewals++;
    due.clear();
  });
  await clock.advance(120_000);
  expect(renewals).toBe(1);
});

test("that there is nobody to renew it for is told, with what to do", async () => {
  const { clock, refused } = world(() => Promise.reject(new KubeError("serviceaccounts not found", { status: 404, reason: "NotFound" })));
  await clock.advance(120_000);
  expect(refused).toEqual([expect.stringMatching(/^credential of eu: .* is gone\. Run `globalroute join` again\.$/)]);
});

test("a member that hangs does not keep the term from ending", async () => {
  const { clock, term, over } = world(
    ({ signal }) =>
      new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(new KubeError("given up", { status: 0, reason: "Aborted" }))),
      ),
  );
  await clock.advance(1000);
  let isOver = false;
  void over.then(() => {
    isOver = true;
  });
  term.abort();
  await clock.advance(100);
  expect(isOver).toBe(true);
});
