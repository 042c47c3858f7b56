/** Folders of tests, which go with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Inside a test. @returns an empty folder of its own, removed when the test has ended, well or not */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "globalroute-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
