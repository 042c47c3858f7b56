import type { Fault } from "./fault.ts";
import { type FieldPath, type Locate, problemAt, type RejectedObject } from "./manifest-object.ts";
import type { Problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";

/** Collects what is wrong with one object. */
export interface Findings {
  readonly problems: readonly Problem[];
  /** True when an error was found, so that the object must be left out. */
  failed(): boolean;
  error(path: FieldPath, code: ProblemCode, message: string, remedy: string): void;
  warn(path: FieldPath, code: ProblemCode, message: string, remedy: string): void;
  /** A fault of a decoder, with the value put in front of its message. */
  fault(path: FieldPath, value: string, fault: Fault): void;
}

export function findingsOn(object: RejectedObject & { readonly locate: Locate }): Findings {
  const problems: Problem[] = [];
  const add = (severity: Problem["severity"]) => (path: FieldPath, code: ProblemCode, message: string, remedy: string) => {
    problems.push(problemAt(object, path, { code, message, remedy }, { severity }));
  };
  const error = add("error");
  return {
    problems,
    failed: () => problems.some((problem) => problem.severity === "error"),
    error,
    warn: add("warning"),
    fault: (path, value, { code, message, remedy }) => error(path, code, `${JSON.stringify(value)} ${message}`, remedy),
  };
}
