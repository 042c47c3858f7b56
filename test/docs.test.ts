/** What the pages for people promise about files holds. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { listFiles, repository } from "./support/source-tree.ts";

const pages = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  ...listFiles(["docs", "examples", "test", "src", "charts"]).filter((path) => path.endsWith(".md")),
];
const textOf = (path: string): string => readFileSync(join(repository, path), "utf8");

test.each(pages)("%s links to files that are there", (page) => {
  const targets = [...textOf(page).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "");
  expect(targets.filter((target) => !existsSync(join(repository, posix.dirname(page), target)))).toEqual([]);
});

test.each(pages)("%s names npm scripts that are there", (page) => {
  const named = [...textOf(page).matchAll(/npm run ([a-z][a-z0-9:-]*)/g)].map((match) => match[1] ?? "");
  expect(named.filter((name) => !(name in manifest.scripts))).toEqual([]);
});

test("every page of docs/ is in its index", () => {
  const index = textOf("docs/README.md");
  const missing = pages.filter(
    (page) => /^docs\/[^/]+\.md$/.test(page) && page !== "docs/README.md" && !index.includes(`(${posix.basename(page)})`),
  );
  expect(missing).toEqual([]);
});
