/** Completion in real shells: each loads the script that the program prints, and completes lines against a running server. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AdminServer } from "../../../src/admin/server.ts";
import { requireComponent } from "../../support/component.ts";
import { launcher } from "../../support/demo.ts";
import { startFakeServer } from "../../support/fake-server.ts";

const run = promisify(execFile);

let folder: string;
let admin: AdminServer;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
  const program = join(folder, "globalroute");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${launcher}' "$@"\n`);
  chmodSync(program, 0o755);
  mkdirSync(join(folder, "plans"));
  writeFileSync(join(folder, "plan.json"), "{}");
  const server = await startFakeServer();
  admin = server.admin;
  env = {
    ...process.env,
    HOME: folder,
    PATH: `${folder}${delimiter}${process.env.PATH}`,
    GLOBALROUTE_SERVER: server.url,
  };
});
afterAll(async () => {
  await admin.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What each shell offers for a line; the last word is the one that is typed. */
type Complete = (line: string, more?: NodeJS.ProcessEnv) => Promise<readonly string[]>;

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

const bash: Complete = async (line, more = {}) => {
  const words = line.split(/ |(=)/).filter((word) => word !== undefined);
  const script = `
    source <(globalroute completion bash)
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
    compopt() { :; }
    _globalroute globalroute
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run("bash", ["--norc", "-c", script], { env: { ...env, ...more }, cwd: folder });
  return lines(stdout);
};

const fish: Complete = async (line, more = {}) => {
  const script = `globalroute completion fish | source; complete --do-complete '${line}'`;
  const { stdout } = await run("fish", ["--no-config", "-c", script], { env: { ...env, ...more }, cwd: folder });
  return lines(stdout).map((one) => one.split("\t")[0] ?? "");
};

/** The function that zsh's engine calls, with the words that it sets; what would be shown in a menu is printed. */
const zsh: Complete = async (line, more = {}) => {
  const words = line.split(" ");
  const script = `
    autoload -Uz compinit && compinit -u -d ${folder}/zcompdump
    source <(globalroute completion zsh)
    _describe() { print -rl -- "\${(@P)2}" }
    _files() { print -r -- files $@ }
    words=(${words.map((word) => `'${word}'`).join(" ")}); CURRENT=${words.length}
    _globalroute || true`;
  const { stdout } = await run("zsh", ["--no-rcs", "-c", script], { env: { ...env, ...more }, cwd: folder });
  return lines(stdout).map((one) => one.split(":")[0] ?? "");
};

const shells: readonly { readonly shell: string; readonly complete: Complete }[] = [
  { shell: "bash", complete: bash },
  { shell: "zsh", complete: zsh },
  { shell: "fish", complete: fish },
];

describe.each(shells.filter(({ shell }) => requireComponent("shells", shell)))("$shell", ({ shell, complete }) => {
  test("offers commands, options and their values", async () => {
    expect(await complete("globalroute dra")).toEqual(["drain"]);
    expect(await complete("globalroute status --wat")).toEqual(["--watch"]);
    expect(await complete("globalroute status --output ")).toEqual(expect.arrayContaining(["table", "json", "yaml"]));
  });

  test("offers names of the running server", async () => {
    expect(await complete("globalroute explain ")).toEqual(["shop.example.org"]);
    expect(await complete("globalroute drain default/shop/u")).toEqual(["default/shop/us-east"]);
  });

  test("offers files where files are meant", async () => {
    const offered = await complete("globalroute apply pl");
    expect(offered[0]).toMatch(shell === "zsh" ? /^files/ : /^plan(s\/?|\.json)$/);
  });

  test("is silent when no server is there", async () => {
    expect(await complete("globalroute explain ", { GLOBALROUTE_SERVER: "http://127.0.0.1:9" })).toEqual([]);
  });
});

test.skipIf(!requireComponent("shells", "bash"))("bash completes a value behind an equals sign", async () => {
  expect(await bash("globalroute status --output=y")).toEqual(["yaml"]);
});
