/** The demo as a command: one frame, taken ports, a second demo, break and mend, and what stays behind. */
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { freeClusterPort, globalroute, startDemo } from "../../support/demo.ts";

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "globalroute-test-"));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const controls = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("globalroute-demo-"));
const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Any that are free. */
const FREE_PORTS = ["--port", "0", "--admin-port", "0", "--proxy-port", "0"];

describe("demo --once", () => {
  const once_ = async (clusterPort: number) =>
    globalroute("demo", "--once", ...FREE_PORTS, "--cluster-port", String(clusterPort), "--state", stateDir);

  test("prints one frame with five healthy clusters and leaves nothing behind", async () => {
    const before = controls();
    const { code, stdout } = await once_(await freeClusterPort());
    expect(code).toBe(0);
    for (const name of ["eu-west", "us-east", "ap-northeast", "sa-east", "eu-central"]) {
      const row = stdout.split("\n").find((line) => line.startsWith(`${name} `));
      expect(row).toMatch(/ 127\.0\.10\.\d:\d+ +\d+ +Healthy +\d+\.\d ms /);
      expect(alive(Number(/:\d+ +(\d+) +Healthy/.exec(row ?? "")?.[1]))).toBe(false);
    }
    expect(stdout).toMatch(/shop\.demo\.example +Nearest +\S+ +\d+ %/);
    expect(existsSync(join(stateDir, "demo.json"))).toBe(false);
    expect(controls()).toEqual(before);
  });

  test("with one cluster's port occupied it ends with 1 and names the cluster and the flag", async () => {
    const port = await freeClusterPort();
    const holder = createServer().listen(port, "127.0.10.3");
    await once(holder, "listening");
    const { code, stderr } = await once_(port);
    holder.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`ap-northeast cannot start at 127.0.10.3:${port}`);
    expect(stderr).toContain("--cluster-port");
  });
});

test.each([
  { flag: "--port", what: "DNS" },
  { flag: "--admin-port", what: "admin" },
  { flag: "--proxy-port", what: "HTTP" },
])("a taken $what port is named with its flag, and no site is left running", async ({ flag }) => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const address = holder.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const free = ["--port", "--admin-port", "--proxy-port"].filter((other) => other !== flag).flatMap((other) => [other, "0"]);
  const options = [flag, String(port), ...free, "--cluster-port", String(await freeClusterPort()), "--state", stateDir];
  const { code, stderr } = await globalroute("demo", "--no-tty", ...options);
  holder.close();
  expect(code).toBe(1);
  expect(stderr).toContain(`127.0.0.1:${port}`);
  expect(stderr).toContain(flag);
  expect(existsSync(join(stateDir, "demo.json"))).toBe(false);
});

test("without a demo, up and down say so", async () => {
  const { code, stderr } = await globalroute("demo", "down", "eu-west", "--state", stateDir);
  expect(code).toBe(1);
  expect(stderr).toContain("no demo is running");
});

test("down and up break and mend a cluster, once each; a killed one is not restarted; a stop ends everything", async () => {
  const demo = await startDemo();
  const pid = demo.pids.get("us-east") ?? 0;
  try {
    expect(await demo.act("down", "us-east")).toMatchObject({ code: 0, stdout: `us-east is down: process ${pid} was killed\n` });
    expect(alive(pid)).toBe(false);
    expect(await demo.act("down", "us-east")).toMatchObject({ code: 0, stdout: "us-east was down already\n" });
    await vi.waitFor(() => expect(demo.lines.some((line) => line.includes("EndpointUnhealthy"))).toBe(true), 5_000);
    expect(demo.lines.filter((line) => /us-east .*pid/.test(line))).toHaveLength(1);
    expect((await demo.act("up", "us-east")).stdout).toMatch(/^us-east is up: process \d+\n$/);

    const unknown = await demo.act("down", "us-west");
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("no cluster is called us-west. There are eu-west, us-east, ap-northeast, sa-east, eu-central");

    const second = await globalroute("demo", "--once", "--port", "0", "--admin-port", "0", "--proxy-port", "0", "--state", demo.stateDir);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`a demo is running already, as process ${demo.process.pid}`);
  } finally {
    expect(await demo.stop("SIGINT")).toBe(0);
  }
  expect([...demo.pids.values()].filter(alive)).toEqual([]);
});

test("a demo that was killed takes its sites along, and its stale demo.json does not matter", async () => {
  const before = controls();
  const demo = await startDemo();
  demo.process.kill("SIGKILL");
  await vi.waitFor(() => expect([...demo.pids.values()].filter(alive)).toEqual([]), 5_000);
  const gone = await globalroute("demo", "up", "eu-west", "--state", demo.stateDir);
  expect(gone).toMatchObject({ code: 1 });
  expect(gone.stderr).toContain("no demo is running");
  const options = [...FREE_PORTS, "--cluster-port", String(demo.clusterPort), "--state", demo.stateDir];
  expect(await globalroute("demo", "--once", ...options)).toMatchObject({ code: 0 });
  expect(controls()).toEqual(before);
  await demo.stop();
});
