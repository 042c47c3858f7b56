import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type DemoState, readDemoState, removeDemoState, writeDemoState } from "./state-file.ts";

const state: DemoState = {
  supervisor: 4711,
  socket: "/tmp/x/control.sock",
  dns: "127.0.0.1:5300",
  admin: "http://127.0.0.1:8053",
  config: "/tmp/x/config",
  clusters: [
    { name: "eu-west", address: "127.0.10.1:8080", pid: 4712 },
    { name: "us-east", address: "127.0.10.2:8080", pid: null },
  ],
};

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "globalroute-test-")), "state");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

test("what was written is read, by its owner only, and nothing is left beside it", () => {
  writeDemoState(folder, state);
  expect(readDemoState(folder)).toEqual(state);
  expect(statSync(join(folder, "demo.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["demo.json"]);
});

test.each([
  { name: "no file", text: undefined },
  { name: "half a file", text: '{"supervisor": 4711' },
  { name: "another program's file", text: '{"supervisor": "me"}' },
])("$name means that no demo can be reached", ({ text }) => {
  writeDemoState(folder, state);
  removeDemoState(folder);
  if (text !== undefined) writeFileSync(join(folder, "demo.json"), text);
  expect(readDemoState(folder)).toBeUndefined();
});
