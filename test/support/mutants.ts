/** Tests must be able to fail: one fault at a time is planted in a copy of the project, and the tests that guard it must notice. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "./source-tree.ts";

export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly becomes: string;
  /** Test files that must notice. */
  readonly tests: readonly string[];
}

/** Milliseconds; a fault may make an endless loop, which must not be left running. */
const RUN_TIMEOUT = 150_000;

/**
 * Registers a test for each fault.
 *
 * @param folders what these tests need of the project, besides `test/support`
 */
export function testMutants(mutants: readonly Mutant[], folders: readonly string[]): void {
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "globalroute-mutants-"));
    for (const path of [...folders, "test/support", "package.json", "tsconfig.json"]) {
      cpSync(join(repository, path), join(copy, path), { recursive: true });
    }
    symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
    writeFileSync(
      join(copy, "vitest.config.ts"),
      'export default { test: { setupFiles: ["./first-failure.ts"], testTimeout: 60_000 } };\n',
    );
    // The smallest counterexample is for people; here the first one will do.
    writeFileSync(join(copy, "first-failure.ts"), 'import fc from "fast-check";\nfc.configureGlobal({ endOnFailure: true });\n');
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  /** Runs test files in the copy. @returns whether all passed, and what was printed */
  function runTests(files: readonly string[]): Promise<{ readonly passed: boolean; readonly output: string }> {
    const args = [join(repository, "node_modules/vitest/vitest.mjs"), "run", "--root", copy, "--bail", "1", "--reporter", "dot", ...files];
    const { promise, resolve } = Promise.withResolvers<{ passed: boolean; output: string }>();
    execFile(
      process.execPath,
      args,
      { cwd: copy, env: { ...process.env, NO_COLOR: "1" }, maxBuffer: 1 << 26, timeout: RUN_TIMEOUT },
      (error, stdout, stderr) => {
        resolve({ passed: error === null, output: stdout + stderr });
      },
    );
    return promise;
  }

  test("without a fault all of these tests pass in the copy", async () => {
    const { passed, output } = await runTests([...new Set(mutants.flatMap((mutant) => mutant.tests))]);
    expect(passed, output).toBe(true);
  });

  describe("a fault is noticed", () => {
    test.each(mutants)("$name", async ({ file, text, becomes, tests }) => {
      const path = join(copy, file);
      const original = readFileSync(path, "utf8");
      const parts = original.split(text);
      expect(parts, `${file} must hold this text once, so that it can be mutated: ${text}`).toHaveLength(2);
      try {
        writeFileSync(path, parts.join(becomes));
        const { passed, output } = await runTests(tests);
        expect(passed, `${tests.join(", ")} did not notice`).toBe(false);
        // Noticed by an assertion, not by a file that no longer loads.
        expect(output).toMatch(/AssertionError|Property failed/);
      } finally {
        writeFileSync(path, original);
      }
    });
  });
}
