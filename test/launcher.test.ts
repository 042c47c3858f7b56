/** bin/globalroute.js in folders that look like a package and like a checkout, under this Node and under one that says it is old. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { repository } from "./support/source-tree.ts";

/** What an old Node says of itself; only the first process sees it. */
const oldNode = `data:text/javascript,${encodeURIComponent('Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });')}`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "src", "cli"), { recursive: true });
  copyFileSync(join(repository, "bin", "globalroute.js"), join(folder, "bin", "globalroute.js"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = (text: string, extension = "js"): void => writeFileSync(join(folder, "src", "cli", `main.${extension}`), text);

function bundleNode(): void {
  const bundle = join(folder, "node_modules", `node-${process.platform}-${process.arch}`);
  mkdirSync(join(bundle, "bin"), { recursive: true });
  writeFileSync(join(bundle, "package.json"), "{}");
  symlinkSync(process.execPath, join(bundle, "bin", "node"));
}

const launch = (old: boolean, ...args: string[]): ChildProcess => launchFile("globalroute.js", old, ...args);
const launchFile = (file: string, old: boolean, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [...(old ? ["--import", oldNode] : []), join(folder, "bin", file), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });

const run = (old: boolean, ...args: string[]) => resultOf(launch(old, ...args));
async function resultOf(child: ChildProcess) {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, stdout, stderr };
}

test("a package runs main.js, and its result is the exit code", async () => {
  program("export async function main(args) { console.log(args.join('+')); return args.length; }");
  expect(await run(false, "a", "b c")).toMatchObject({ code: 2, stdout: "a+b c\n" });
});

test("as a plugin of kubectl it runs the command kubectl, under an old Node too", async () => {
  copyFileSync(join(repository, "bin", "kubectl-globalroute.js"), join(folder, "bin", "kubectl-globalroute.js"));
  program("export async function main(args) { console.log(args.join('+')); return 0; }");
  bundleNode();
  for (const old of [false, true]) {
    expect(await resultOf(launchFile("kubectl-globalroute.js", old, "status"))).toMatchObject({ code: 0, stdout: "kubectl+status\n" });
  }
});

test("a checkout runs main.ts", async () => {
  program("export async function main(): Promise<number> { return 3; }", "ts");
  program("export const main = async () => 4;");
  expect(await run(false)).toMatchObject({ code: 3 });
});

test("an old Node hands over to the one that npm brought, arguments, exit code and all", async () => {
  bundleNode();
  program("export async function main(args) { console.log(process.versions.node, ...args); return 5; }");
  expect(await run(true, "explain", "--client", "192.0.2.1")).toMatchObject({
    code: 5,
    stdout: `${process.versions.node} explain --client 192.0.2.1\n`,
    stderr: "",
  });
});

test("an old Node without another one says the remedy", async () => {
  program("export const main = async () => 0;");
  const { code, stderr } = await run(true);
  expect(code).toBe(2);
  expect(stderr).toContain("Node 20.20.2 is too old: 22.19 or newer is needed");
  expect(stderr).toContain("npm ci");
});

test.each([
  { signal: "SIGTERM", ends: { code: 7, signal: null } },
  { signal: "SIGINT", ends: { code: 8, signal: null } },
] as const)("$signal reaches the program behind an old Node", async ({ signal, ends }) => {
  bundleNode();
  program(`export async function main() {
    process.on("SIGTERM", () => process.exit(7));
    process.on("SIGINT", () => process.exit(8));
    console.log("ready");
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    return 0;
  }`);
  const child = launch(true);
  await once(child.stdout!, "data");
  child.kill(signal);
  const [code, how] = await once(child, "close");
  expect({ code, signal: how }).toEqual(ends);
});

test("a program behind an old Node that was killed counts as killed", async () => {
  bundleNode();
  program('export const main = async () => process.kill(process.pid, "SIGKILL");');
  expect(await run(true)).toMatchObject({ code: null, signal: "SIGKILL" });
});
