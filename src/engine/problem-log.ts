/** Problems of inputs in the log: each when it appears, not again with every reading that still has it. */
import { formatProblem, type Problem } from "../model/problem.ts";
import type { Log } from "../observe/log.ts";

export function createProblemLog(log: Pick<Log, "error" | "warn">): (problems: readonly Problem[]) => void {
  let seen: readonly Problem[] = [];
  let known: ReadonlySet<string> = new Set();
  return (problems) => {
    if (problems === seen) return;
    const texts = new Set<string>();
    for (const problem of problems) {
      const text = formatProblem(problem);
      if (!known.has(text) && !texts.has(text)) log[problem.severity === "error" ? "error" : "warn"](text);
      texts.add(text);
    }
    seen = problems;
    known = texts;
  };
}

/** The same of what publishers could not make true. */
export function createSentenceLog(log: Pick<Log, "warn">): (sentences: readonly string[]) => void {
  let known: ReadonlySet<string> = new Set();
  return (sentences) => {
    const texts = new Set(sentences);
    for (const text of texts) if (!known.has(text)) log.warn(text);
    known = texts;
  };
}
