import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { type FolderLock, lockFolder } from "./folder-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const lock = (name = "server.lock"): Promise<FolderLock> =>
  lockFolder(folder, name, (reason) => {
    throw new Error(reason);
  });
function release(held: FolderLock): void {
  if (!held.taken) throw new Error("not taken");
  held.release();
}

test("one holder at a time, by name; it is told who", async () => {
  const first = await lock();
  expect(await lock()).toEqual({ taken: false, holder: `process ${process.pid}` });
  release(await lock("demo.lock"));
  release(first);
  release(await lock());
});

test("the folder is made, for its owner alone", async () => {
  release(await lockFolder(join(folder, "a", "b"), "server.lock", () => {}));
  expect(statSync(join(folder, "a", "b")).mode & 0o777).toBe(0o700);
});

test("a killed holder holds nothing, whoever has its process id now", async () => {
  const program = `const { lockFolder } = await import(${JSON.stringify(new URL("./folder-lock.ts", import.meta.url).href)});
    await lockFolder(${JSON.stringify(folder)}, "server.lock", () => {});
    console.log("locked");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  expect(await lock()).toEqual({ taken: false, holder: `process ${child.pid}` });
  child.kill("SIGKILL");
  await once(child, "exit");
  const path = join(folder, "server.lock");
  expect(readFileSync(path, "utf8")).toMatch(/^\d+ \S+\n$/);
  writeFileSync(path, `${process.pid} elsewhere\n`);
  const held = await lock();
  writeFileSync(path, "17 elsewhere\n");
  expect(await lock()).toEqual({ taken: false, holder: "process 17 of elsewhere" });
  writeFileSync(path, "");
  expect(await lock()).toEqual({ taken: false, holder: "another process" });
  release(held);
});
