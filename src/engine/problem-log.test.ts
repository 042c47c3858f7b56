import { expect, test } from "vitest";
import type { Problem } from "../model/problem.ts";
import { createProblemLog, createSentenceLog } from "./problem-log.ts";

const problem = (message: string, severity: Problem["severity"] = "warning"): Problem => ({
  severity,
  code: "test",
  file: "a.yaml",
  line: 1,
  column: 1,
  path: "",
  message,
  remedy: "Mend it.",
});

test("a problem is told when it appears, and again when it has come back", () => {
  const lines: string[] = [];
  const tell = createProblemLog({
    error: (text: unknown) => lines.push(`error ${text}`),
    warn: (text: unknown) => lines.push(`warn ${text}`),
  });
  const told = (...problems: readonly Problem[]): number => {
    const before = lines.length;
    tell(problems);
    return lines.length - before;
  };
  expect(told(problem("one"), problem("two", "error"))).toBe(2);
  expect(told(problem("one"), problem("two", "error"))).toBe(0);
  expect(told(problem("one"), problem("three"))).toBe(1);
  expect(told(problem("one"), problem("two", "error"), problem("two", "error"))).toBe(1);
  expect(lines[1]).toBe("error a.yaml:1:1: error: two. Mend it. [test]");
});

test("what a publisher leaves out is told with the first table that it is left out of", () => {
  const lines: string[] = [];
  const tell = createSentenceLog({ warn: (text: unknown) => lines.push(String(text)) });
  for (const left of [["a", "b"], ["b", "a"], [], ["a", "a"]]) tell(left);
  expect(lines).toEqual(["a", "b", "a"]);
});
