import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeDemoFolder } from "./demo-folder.ts";

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "globalroute-test-"));
});
afterEach(() => rmSync(stateDir, { recursive: true }));

const manifests = new Map([["a.yaml", "a: 1\n"]]);

test("the objects are written, and those of the last run are gone", () => {
  const { config, state } = writeDemoFolder(stateDir, new Map([["old.yaml", "old: 1\n"]]));
  mkdirSync(join(state, "last-good"));
  expect(writeDemoFolder(stateDir, manifests)).toEqual({ config, state });
  expect(readdirSync(config)).toEqual(["a.yaml"]);
  expect(readFileSync(join(config, "a.yaml"), "utf8")).toBe("a: 1\n");
  expect(existsSync(join(state, "last-good"))).toBe(false);
});

test("a folder of somebody else's is refused and left alone", () => {
  mkdirSync(join(stateDir, "demo"));
  writeFileSync(join(stateDir, "demo", "thesis.txt"), "three years of work");
  expect(() => writeDemoFolder(stateDir, manifests)).toThrow(
    `${join(stateDir, "demo")} holds files that no demo wrote. Give the demo another folder with --state.`,
  );
  expect(readdirSync(join(stateDir, "demo"))).toEqual(["thesis.txt"]);
});
