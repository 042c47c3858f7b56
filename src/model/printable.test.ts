import { expect, test } from "vitest";
import { printable } from "./printable.ts";
import { formatProblem } from "./problem.ts";

test.each([
  { name: "an escape sequence", text: "\u001b[31mred", shown: "\ufffd[31mred" },
  { name: "a forged line", text: "shop\nINFO all is well", shown: "shop\ufffdINFO all is well" },
  { name: "a change of writing direction", text: "a\u202eb", shown: "a\ufffdb" },
  { name: "names of the world", text: "São Paulo 東京 🌍", shown: "São Paulo 東京 🌍" },
])("$name", ({ text, shown }) => expect(printable(text)).toBe(shown));

test("a problem is one line, whatever the object is called", () => {
  const problem = {
    severity: "error",
    code: "x",
    file: "a\n.yaml",
    line: 1,
    column: 1,
    path: "\u001b[0m",
    message: "m",
    remedy: "r",
  } as const;
  expect(formatProblem(problem)).toBe("a\ufffd.yaml:1:1: error: \ufffd[0m: m. r [x]");
});
