import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { problemCodes } from "../model/problem-codes.ts";
import { generatedFiles, staleFiles } from "./generate.ts";

test("the committed CRDs and pages are those that the schemas give; `npm run generate` writes them", async () => {
  expect(await staleFiles(join(import.meta.dirname, "../.."))).toEqual([]);
});

test("in an empty folder every file is stale", async () => {
  const folder = await mkdtemp(join(tmpdir(), "generate-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(await staleFiles(folder)).toEqual([...generatedFiles().keys()]);
});

test("docs/problems.md lists every code", () => {
  const page = generatedFiles().get("docs/problems.md") ?? "";
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  expect(listed).toEqual(Object.keys(problemCodes).sort());
});
