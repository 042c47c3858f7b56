import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { problemCodes } from "./problem-codes.ts";

const source = join(import.meta.dirname, "..");

test("every code is used somewhere, and causes and remedies are sentences", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith("problem-codes.ts"),
  );
  const text = files.map((name) => readFileSync(join(source, name), "utf8")).join("\n");
  expect(Object.keys(problemCodes).filter((code) => !text.includes(`"${code}"`))).toEqual([]);
  for (const { cause, remedy } of Object.values(problemCodes)) {
    expect(cause).toMatch(/^[A-Z`].*\.$/s);
    expect(remedy).toMatch(/^[A-Z`].*\.$/s);
  }
});
