/** Everything lost at once: the process, every endpoint, and the configuration. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { type Demo, startDemo } from "../../support/demo.ts";
import { dig } from "../../support/dig.ts";
import { type Server, startServer } from "../../support/serve.ts";

describe.skipIf(!requireComponent("dns-clients", "dig"))("last good", () => {
  let folder: string;
  let demo: Demo;
  let server: Server | undefined;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    demo = await startDemo();
    cpSync(demo.config, join(folder, "config"), { recursive: true });
  });
  afterEach(async () => {
    await server?.stop("SIGKILL");
    await demo?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const serve = (): Promise<Server> =>
    startServer("--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.10.0/29");
  const ask = (port: number, subnet: string, host: string) => dig(port, `+subnet=${subnet}`, `${host}.demo.example`, "A");
  const cases = [
    { subnet: "91.64.0.0/24", host: "shop", answers: ["127.0.10.1"] },
    { subnet: "126.0.0.0/24", host: "shop", answers: ["127.0.10.3"] },
    { subnet: "91.64.0.0/24", host: "eu", answers: ["127.0.10.5"] },
  ] as const;

  test("after kill -9, with every endpoint unreachable and every file broken, it answers from the last good table and says so", async () => {
    server = await serve();
    const { dnsPort } = server;
    await vi.waitFor(
      async () => {
        for (const { subnet, host, answers } of cases) expect((await ask(dnsPort, subnet, host)).answers).toEqual(answers);
        expect(readdirSync(join(folder, "state", "last-good"))).toContain("world.snap"); // whole: it is renamed into place
      },
      { timeout: 10_000, interval: 200 },
    );

    await server.stop("SIGKILL");
    await demo.stop();
    for (const name of readdirSync(join(folder, "config"))) writeFileSync(join(folder, "config", name), "spec: [broken\n");
    server = await serve();

    for (const { subnet, host, answers } of cases) {
      expect(await ask(server.dnsPort, subnet, host)).toMatchObject({ status: "NOERROR", answers });
    }
    const ready = await fetch(`${server.admin}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ degraded: expect.arrayContaining(["config-rejected", "last-good"]) });
    const metrics = await (await fetch(`${server.admin}/metrics`)).text();
    expect(metrics).toContain('globalroute_degraded{reason="last-good"} 1');
    expect(metrics).toContain('globalroute_degraded{reason="config-rejected"} 1');
    expect(server.log()).toMatch(/last good/i);
    expect(server.log()).toMatch(/route-shop\.yaml/);
  });
});
