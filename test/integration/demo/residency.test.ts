/** Residency under outage: `eu.demo.example` never leaves the EU, and nobody else notices. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { requireComponent } from "../../support/component.ts";
import { type Demo, startDemo } from "../../support/demo.ts";
import { dig } from "../../support/dig.ts";

const EU = ["127.0.10.1", "127.0.10.5"];
const GERMANY = "91.64.0.0/24";
const NORWAY = "193.212.1.0/24";
const JAPAN = "126.0.0.0/24";
const BRAZIL = "200.147.0.0/24";

describe.skipIf(!requireComponent("dns-clients", "dig"))("residency", () => {
  let demo: Demo;
  beforeEach(async () => {
    demo = await startDemo();
  });
  afterEach(() => demo?.stop());

  const ask = async (subnet: string, host = "eu"): Promise<readonly string[]> =>
    (await dig(demo.dnsPort, `+subnet=${subnet}`, `${host}.demo.example`, "A")).answers;
  const breakDown = async (...clusters: string[]): Promise<void> => {
    for (const cluster of clusters) expect(await demo.act("down", cluster)).toMatchObject({ code: 0 });
  };
  const statusAnswer = z.object({ clusters: z.array(z.object({ endpoints: z.object({ healthy: z.number() }) })) });
  const soon = { timeout: 8_000, interval: 100 };

  test("with every EU cluster down, EU clients still get EU addresses, never another region's, and the rest of the world is unaffected", async () => {
    expect(EU).toContain((await ask(GERMANY))[0]);
    await breakDown("eu-west", "eu-central");
    await vi.waitFor(async () => expect(await ask(GERMANY, "shop")).toEqual(["127.0.10.2"]), soon); // the outage is known
    for (let round = 0; round < 20; round++) {
      for (const subnet of [GERMANY, NORWAY]) {
        const answers = await ask(subnet);
        expect(answers).not.toEqual([]);
        for (const address of answers) expect(EU).toContain(address);
      }
      expect(await ask(JAPAN)).toEqual(["127.0.10.3"]);
      expect(await ask(BRAZIL)).toEqual(["127.0.10.4"]);
    }
  });

  test("two of five clusters down act at once", async () => {
    await breakDown("us-east", "eu-west");
    await vi.waitFor(async () => expect(await ask("12.1.0.0/24", "shop")).not.toEqual(["127.0.10.2"]), soon);
    await vi.waitFor(async () => expect(await ask(GERMANY)).toEqual(["127.0.10.5"]), soon);
  });

  test("all five down still answer, by failing open, and say so", async () => {
    await breakDown("eu-west", "us-east", "ap-northeast", "sa-east", "eu-central");
    const healthy = async (): Promise<number> =>
      statusAnswer
        .parse(await (await fetch(`${demo.admin}/v1/status`)).json())
        .clusters.reduce((sum, cluster) => sum + cluster.endpoints.healthy, 0);
    await vi.waitFor(async () => expect(await healthy()).toBe(0), { timeout: 20_000, interval: 200 });
    expect(await (await fetch(`${demo.admin}/readyz`)).json()).toMatchObject({ degraded: expect.arrayContaining(["fail-open"]) });
    expect((await fetch(`${demo.admin}/readyz`)).status).toBe(200);
    expect(await ask(JAPAN, "shop")).toEqual(["127.0.10.3"]);
    expect(EU).toContain((await ask(GERMANY))[0]);
  });
});
