import { expect, test } from "vitest";
import { checkZone } from "./check-zone.ts";
import type { StepResult } from "./step.ts";

const NOBODY = () => Promise.reject(new Error("nobody is there"));
const ports = {
  exchange: { udp: NOBODY, tcp: NOBODY },
  ...{ randomId: () => 1, deadline: () => new AbortController().signal, now: () => 0, sleep: async () => {} },
};
const request = { zone: "example.org", resolvers: [], port: 53, settle: 0 };

test("in a world without anybody the parent is what fails, and the rest is skipped", async () => {
  const { ok, steps } = await checkZone(request, ports);
  expect(ok).toBe(false);
  expect(steps.filter(({ status }) => status !== "skipped").map(({ name }) => name)).toEqual(["parent"]);
});

test("whoever knows the provider adds a last step", async () => {
  const drift: StepResult = { status: "failed", facts: ["two records are missing"], remedy: "Start the controller." };
  const { steps } = await checkZone(request, ports, async () => drift);
  expect(steps.at(-1)).toEqual({ name: "drift", ...drift });
});
