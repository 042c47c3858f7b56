import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import lock from "../../package-lock.json" with { type: "json" };
import { imagePackages, lockfileSchema } from "./image-packages.ts";

test("a package is the nearest one of its name, and what only development needs stays out", () => {
  const packages = {
    "": { dependencies: { a: "1", gone: "1" }, optionalDependencies: { tool: "1" }, devDependencies: { dev: "1" } },
    "node_modules/a": { dependencies: { "@s/b": "1" }, optionalDependencies: { native: "1", "not-locked": "1" } },
    "node_modules/@s/b": { dependencies: { c: "1" } },
    "node_modules/a/node_modules/@s/b": { dependencies: { c: "2" }, peerDependencies: { a: "1" } },
    "node_modules/a/node_modules/c": {},
    "node_modules/c": {},
    "node_modules/native": {},
    "node_modules/tool": {},
    "node_modules/dev": {},
  };
  expect(imagePackages(packages)).toEqual([
    "node_modules/a",
    "node_modules/a/node_modules/@s/b",
    "node_modules/a/node_modules/c",
    "node_modules/native",
  ]);
});

test("of this project: every dependency, no tool of developers", () => {
  const paths = imagePackages(lockfileSchema.parse(lock).packages);
  expect(paths).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies).map((name) => `node_modules/${name}`)));
  const tools = [...Object.keys(manifest.optionalDependencies), ...Object.keys(manifest.devDependencies)].filter(
    (name) => !name.startsWith("@types/") && name !== "ws", // which the Kubernetes client needs as well
  );
  expect(paths.filter((path) => tools.includes(path.replace("node_modules/", "")))).toEqual([]);
});
