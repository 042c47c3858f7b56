/** Folders of tests, which go with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Registers what is to be done in the end. */
export type AtEnd = (end: () => Promise<void>) => void;

/** Inside a test, or with an end of its own. @returns an empty folder of its own, removed when the test has ended, well or not */
export async function tempFolder(atEnd: AtEnd = onTestFinished): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "globalroute-"));
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
