/** Every example of every help text is a line that the program takes. */
import type { Command } from "commander";
import { beforeAll, describe, expect, test } from "vitest";
import { startFakeServer } from "../../test/support/fake-server.ts";
import { captureIo, runCli } from "../../test/support/run-cli.ts";
import { createProgram, main } from "./main.ts";

const parsed: string[] = [];

/** The program with actions that only note that they were reached. */
function dryProgram(): Command {
  const program = createProgram(captureIo().io, () => {});
  const visit = (command: Command): void => {
    if (command.commands.length === 0 || ["demo", "completion"].includes(command.name()))
      command.action(() => void parsed.push(command.name()));
    command.commands.forEach(visit);
  };
  program.commands.forEach(visit);
  return program;
}

interface Example {
  readonly of: string;
  readonly line: string;
}

const leaves = (command: Command, path: readonly string[] = []): readonly (readonly string[])[] => [
  path,
  ...command.commands.filter((one) => one.name() !== "help" && one.name() !== "words").flatMap((one) => leaves(one, [...path, one.name()])),
];
const paths = leaves(createProgram(captureIo().io, () => {}));
const examples: Example[] = [];
const helps = new Map<string, string>();

beforeAll(async () => {
  for (const path of paths) {
    const { code, stdout } = await runCli([...path, "--help"]);
    expect(code).toBe(0);
    helps.set(path.join(" "), stdout);
    const [, block = ""] = stdout.split("\nExamples:\n");
    examples.push(
      ...block
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map((line) => ({ of: path.join(" "), line: line.trim() })),
    );
  }
});

/** Words as a shell takes them, without what two blanks or a `#` set apart, pipes and redirections. */
function shellWords(line: string): readonly string[] {
  const [command = ""] = line.split(/ {2,}| \| | > | && /);
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? "");
}

const ownLines = (): readonly Example[] => examples.filter(({ line }) => /^(kubectl )?globalroute /.test(line));

test("every command has a purpose on one line, and all that do something have examples", () => {
  for (const [path, help] of helps) {
    if (path === "") continue;
    if (help.includes("\nCommands:\n") && !help.includes("Examples:")) continue; // a family, whose members have them
    if (path === "demo up" || path === "demo down") continue; // told by those of demo
    expect(help, path).toContain("\nExamples:\n  ");
  }
  const top = helps.get("") ?? "";
  for (const line of top.slice(top.indexOf("Start here:"), top.indexOf("Examples:")).split("\n"))
    expect(line.length, line).toBeLessThanOrEqual(100);
});

test("the program takes every example", async () => {
  expect(ownLines().length).toBeGreaterThan(50);
  for (const { of, line } of ownLines()) {
    const words = shellWords(line);
    const args = words.slice(words[0] === "kubectl" ? 2 : 1);
    const before = parsed.length;
    if (words[0] === "kubectl" && !args.includes("kubectl"))
      args.length > 0 && (await dryProgram().parseAsync(["kubectl", ...args], { from: "user" }));
    else
      await dryProgram()
        .parseAsync([...args], { from: "user" })
        .catch((error: unknown) => expect.unreachable(`${of}: ${line}: ${error}`));
    expect(parsed.length, `${of}: ${line}`).toBe(before + 1);
  }
});

describe("with a server", () => {
  const reading = ["status", "top", "timeline", "explain"];

  test.each(reading)("the examples of %s do what they say", async (name) => {
    const { admin, url } = await startFakeServer();
    const env = { GLOBALROUTE_SERVER: url };
    try {
      const lines = examples.filter(({ of, line }) => of === name && !/--watch|--follow|--config/.test(line));
      expect(lines.length).toBeGreaterThan(1);
      for (const { line } of lines) {
        const { io, stdout, stderr } = captureIo({ env });
        expect([await main(shellWords(line).slice(1), io), stderr.join("")], line).toEqual([0, ""]);
        expect(stdout.join("").length, line).toBeGreaterThan(10);
        const filter = / \| jq '(.*)'$/.exec(line)?.[1];
        if (filter !== undefined) JSON.parse(stdout.join(""));
      }
    } finally {
      await admin.stop();
    }
  });
});
