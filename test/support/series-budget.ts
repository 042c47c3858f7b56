/** The budget of series in docs/metrics.md: how many a metric may have in a world of a given size. */
import { readFileSync } from "node:fs";

export interface BudgetRow {
  readonly name: string;
  /** Of letters and numbers, as R × C + 1. */
  readonly formula: string;
  /** What the page says it comes to for 2,000 routes × 10 clusters. */
  readonly example: number;
}

export const metricsPage = (): string => readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");

/** A section of the page, by its title. */
export const sectionOf = (page: string, title: string): string => page.split("\n## ").find((part) => part.startsWith(`${title}\n`)) ?? "";

export const seriesBudget = (page: string): readonly BudgetRow[] =>
  [...sectionOf(page, "Series").matchAll(/^\| `(globalroute_\w+)` \| ([^|]+) \| ([\d,]+) \|$/gm)].map(
    ([, name = "", formula = "", example = ""]) => ({ name, formula, example: Number(example.replaceAll(",", "")) }),
  );

/** @param values of the letters */
export function evaluateFormula(formula: string, values: Readonly<Record<string, number>>): number {
  const tokens = formula.match(/[A-Z]|\d+|[+×−()]/g) ?? [];
  let at = 0;
  const factor = (): number => {
    const token = tokens[at++] ?? "";
    if (token !== "(") return values[token] ?? Number(token);
    const value = sum();
    at++;
    return value;
  };
  const product = (): number => {
    let value = factor();
    while (tokens[at] === "×") {
      at++;
      value *= factor();
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "−") value += tokens[at++] === "+" ? product() : -product();
    return value;
  };
  return sum();
}
