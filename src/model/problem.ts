import { printable } from "./printable.ts";

/** Something wrong in what the user wrote. One type for files, annotations and API objects, so that every surface prints the same line. */
export interface Problem {
  readonly severity: "error" | "warning";
  /** Stable and listed in docs/problems.md. */
  readonly code: string;
  /** Path of the file as the user named the folder, or `kind namespace/name` for API objects. */
  readonly file: string;
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number;
  readonly column: number;
  /** `GlobalRoute default/shop spec.backends[1].cluster`, or empty for whole-file problems. */
  readonly path: string;
  /** The fact. */
  readonly message: string;
  /** The next step. */
  readonly remedy: string;
}

/** `file:line:column: error: path: message. Remedy.`, on one line whatever names the user chose. */
export function formatProblem(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const path = problem.path === "" ? "" : `${problem.path}: `;
  return printable(`${place}: ${problem.severity}: ${path}${problem.message}. ${problem.remedy} [${problem.code}]`);
}
