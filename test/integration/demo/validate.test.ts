/** `validate` as a command, on the examples and on a folder with ten planted faults. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { globalroute } from "../../support/demo.ts";
import { repository } from "../../support/source-tree.ts";

/** What a controller alone can do. */
const ONLY_KUBERNETES = ["external-dns", "kubernetes"];

test("the examples are without fault", async () => {
  const examples = join(repository, "examples");
  const folders = readdirSync(examples, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  const paths = folders.filter((name) => !ONLY_KUBERNETES.includes(name)).map((name) => join(examples, name));
  expect(await globalroute("validate", ...paths)).toMatchObject({ code: 0, stderr: "" });
  for (const name of ONLY_KUBERNETES)
    expect(await globalroute("validate", "--kubernetes", join(examples, name))).toMatchObject({ code: 0, stderr: "" });
});

test("ten planted faults are ten errors, each with file, line and remedy", async () => {
  const { code, stdout } = await globalroute("validate", join(repository, "test", "support", "faulty"));
  expect(code).toBe(2);
  const errors = stdout.split("\n").filter((line) => line.includes(": error: "));
  expect(errors).toHaveLength(10);
  for (const line of errors) expect(line).toMatch(/\.yaml:\d+:\d+: error: .+\. .+ \[[a-z-]+\]$/);
});
