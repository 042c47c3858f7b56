import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { createSupervisor, type RunningSite, type Supervisor } from "./supervisor.ts";
import { SITES } from "./world.ts";

const first = SITES[0]!;
const second = SITES[1]!;
const sites = [first, second];
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const listen = async (address: string, port: number): Promise<Server> => {
  const server = createServer().listen(port, address);
  await once(server, "listening");
  return server;
};

/** A port that was free a moment ago on the first site's address. */
async function freePort(): Promise<number> {
  const server = await listen(first.address, 0);
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function supervise(port: number, changes: RunningSite[] = []): Supervisor {
  const supervisor = createSupervisor(sites, port, (site) => changes.push(site));
  cleanups.push(() => supervisor.close());
  return supervisor;
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const ask = async (address: string, port: number, path: string): Promise<string> =>
  (await fetch(`http://${address}:${port}${path}`)).text();

test("each site is a process of its own that says who it is, and stays down until it is asked back", async () => {
  const port = await freePort();
  const changes: RunningSite[] = [];
  const supervisor = supervise(port, changes);
  await supervisor.start();
  const pids = supervisor.sites().map((site) => site.pid ?? 0);
  expect(new Set([...pids, process.pid]).size).toBe(3);
  expect(await ask(second.address, port, "/")).toContain(`us-east (N. Virginia) at 127.0.10.2:${port}, process ${pids[1]}`);
  expect(await ask(first.address, port, "/healthz")).toBe("ok\n");

  expect(await supervisor.down("eu-west")).toBe(pids[0]);
  expect(supervisor.sites().map((site) => site.pid)).toEqual([undefined, pids[1]]);
  await expect(ask(first.address, port, "/")).rejects.toThrow();
  expect(await supervisor.down("eu-west")).toBeUndefined();

  const again = await supervisor.up("eu-west");
  expect(again).not.toBe(pids[0]);
  expect(await supervisor.up("eu-west")).toBe(again);
  expect(await ask(first.address, port, "/")).toContain(`process ${again}`);
  expect(changes.map(({ name, pid }) => [name, pid]).slice(2)).toEqual([
    ["eu-west", undefined],
    ["eu-west", again],
  ]);

  await supervisor.close();
  expect([again, pids[1] ?? 0].map(alive)).toEqual([false, false]);
});

test("a site that someone else kills is seen to be down", async () => {
  const changes: RunningSite[] = [];
  const supervisor = supervise(await freePort(), changes);
  await supervisor.start();
  const pid = supervisor.sites()[1]?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  await vi.waitFor(() => expect(supervisor.sites()[1]?.pid).toBeUndefined());
  expect(changes.at(-1)).toMatchObject({ name: "us-east", pid: undefined });
});

test("a taken port names the site and the flag, and leaves no site running", async () => {
  const port = await freePort();
  const holder = await listen(second.address, port);
  cleanups.push(() => holder.close());
  const supervisor = supervise(port);
  await expect(supervisor.start()).rejects.toMatchObject({
    code: "port-taken",
    site: "us-east",
    message: `us-east cannot start at 127.0.10.2:${port}: the port is taken. End what holds it, or choose another one with --cluster-port.`,
  });
  expect(supervisor.sites().map((site) => site.pid)).toEqual([undefined, undefined]);
});

test("an address that the machine does not have is told apart", async () => {
  const supervisor = createSupervisor([{ ...first, address: "192.0.2.1" }], 1, () => {});
  await expect(supervisor.start()).rejects.toMatchObject({ code: "no-address", site: "eu-west" });
});

test("sites end when their supervisor is killed", async () => {
  const port = await freePort();
  const program = `
    import { createSupervisor } from ${JSON.stringify(new URL("./supervisor.ts", import.meta.url).href)};
    const supervisor = createSupervisor(${JSON.stringify(sites)}, ${port}, () => {});
    await supervisor.start();
    console.log(supervisor.sites().map((site) => site.pid).join());`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", program], { cwd: fileURLToPath(new URL(".", import.meta.url)) });
  const [line] = await once(parent.stdout, "data");
  const pids = String(line).trim().split(",").map(Number);
  expect(pids.map(alive)).toEqual([true, true]);
  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(pids.map(alive)).toEqual([false, false]), { timeout: 5_000 });
});
