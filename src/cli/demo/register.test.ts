import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../../../test/support/run-cli.ts";
import { lockFolder } from "../folder-lock.ts";
import { type ControlRequest, type ControlServer, openControl } from "./control.ts";
import { writeDemoState } from "./state-file.ts";

let stateDir: string;
let control: ControlServer | undefined;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "globalroute-test-"));
});
afterEach(async () => {
  await control?.close();
  control = undefined;
  rmSync(stateDir, { recursive: true, force: true });
});

/** A demo as another shell sees it: its socket and its file. */
async function pretendDemo(): Promise<readonly ControlRequest[]> {
  const asked: ControlRequest[] = [];
  control = await openControl(async (request) => {
    asked.push(request);
    return request.act === "down" ? { ok: true, message: `${request.cluster} is down` } : { ok: false, message: "it cannot start" };
  });
  writeDemoState(stateDir, { supervisor: 1, socket: control.path, dns: "", admin: "", config: "", clusters: [] });
  return asked;
}

test("up and down reach the demo whose state folder is named, before or after the act", async () => {
  const asked = await pretendDemo();
  expect(await runCli(["demo", "down", "eu-west", "--state", stateDir])).toEqual({ code: 0, stdout: "eu-west is down\n", stderr: "" });
  expect(await runCli(["demo", "--state", stateDir, "down", "us-east"])).toMatchObject({ code: 0 });
  expect(asked).toEqual([
    { act: "down", cluster: "eu-west" },
    { act: "down", cluster: "us-east" },
  ]);
  expect(await runCli(["demo", "up", "eu-west", "--state", stateDir])).toEqual({
    code: 1,
    stdout: "",
    stderr: "globalroute: it cannot start\n",
  });
});

test("an unknown cluster is bad usage, with the list", async () => {
  await pretendDemo();
  expect(await runCli(["demo", "down", "us-west", "--state", stateDir])).toMatchObject({
    code: 2,
    stderr: "globalroute: no cluster is called us-west. There are eu-west, us-east, ap-northeast, sa-east, eu-central.\n",
  });
});

test("without a demo, and after one that died, up and down say that none is running", async () => {
  const says = `globalroute: no demo is running with its state in ${stateDir}. Start one with \`globalroute demo\`, or name its folder with --state.\n`;
  expect(await runCli(["demo", "up", "eu-west", "--state", stateDir])).toMatchObject({ code: 1, stderr: says });
  await pretendDemo();
  await control?.close();
  expect(existsSync(join(stateDir, "demo.json"))).toBe(true);
  expect(await runCli(["demo", "up", "eu-west", "--state", stateDir])).toMatchObject({ code: 1, stderr: says });
  expect(existsSync(join(stateDir, "demo.json"))).toBe(false);
});

test("a second demo on one state folder is refused before it starts anything", async () => {
  await pretendDemo();
  expect(await runCli(["demo", "--once", "--state", stateDir])).toMatchObject({
    code: 1,
    stderr: "globalroute: a demo is running already, as process 1. End it, or give this one another folder with --state.\n",
  });
});

test("nor can two start at once, nor one where it cannot write", async () => {
  const lock = await lockFolder(stateDir, "demo.lock", () => {});
  const says = `globalroute: a demo is running already, as process ${process.pid}. End it, or give this one another folder with --state.\n`;
  expect(await runCli(["demo", "--once", "--state", stateDir])).toEqual({ code: 1, stdout: "", stderr: says });
  if (lock.taken) lock.release();
  const { code, stderr } = await runCli(["demo", "--once", "--state", "/proc/globalroute"]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/the state folder \/proc\/globalroute cannot be used: .*--state\.\n$/)]);
});

test.each([
  { args: ["demo", "explode"], says: "too many arguments for 'demo'" },
  { args: ["demo", "down"], says: "missing required argument 'cluster'" },
  { args: ["demo", "--port", "http"], says: "Write a port from 1 to 65535" },
  { args: ["demo", "--cluster-port", "70000"], says: "Write a port from 1 to 65535" },
])("$args is bad usage", async ({ args, says }) => {
  const { code, stderr } = await runCli(args);
  expect(code).toBe(2);
  expect(stderr).toContain(says);
});

test("the help shows what to try", async () => {
  const { code, stdout } = await runCli(["demo", "--help"]);
  expect(code).toBe(0);
  for (const word of [
    "--once",
    "--no-tty",
    "--port",
    "--admin-port",
    "--proxy-port",
    "--cluster-port",
    "--state",
    "up",
    "down",
    "dig @127.0.0.1",
  ]) {
    expect(stdout).toContain(word);
  }
});
