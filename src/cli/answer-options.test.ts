import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { formatNetwork } from "../model/ip.ts";
import { type AnswerFlags, addAnswerOptions, answerOptions, DEFAULT_ANSWERING } from "./answer-options.ts";

/** Options of a command line; networks as text. @throws CommanderError when one does not parse */
function parse(...args: readonly string[]) {
  const command = addAnswerOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }));
  const { exempt, ...rest } = answerOptions(command.parse(args, { from: "user" }).opts<AnswerFlags>());
  return { ...rest, exempt: exempt.map(formatNetwork) };
}

test("without options", () => {
  const { exempt, ...rest } = DEFAULT_ANSWERING;
  expect(parse()).toEqual({ limit: 200, sourceLimit: 10_000, slip: 2, exempt: ["127.0.0.0/8", "::1/128"] });
  expect({ ...rest, exempt: exempt.map(formatNetwork) }).toEqual(parse());
});

test.each([
  { args: ["--rate-limit", "30"], is: { limit: 30, sourceLimit: 1500 } },
  { args: ["--rate-limit", "30", "--rate-limit-source", "100"], is: { limit: 30, sourceLimit: 100 } },
  { args: ["--rate-limit", "0"], is: { limit: 0, sourceLimit: 0 } },
  { args: ["--rate-limit", "0", "--rate-limit-source", "100"], is: { limit: 0, sourceLimit: 100 } },
  { args: ["--rate-limit", "1000000"], is: { limit: 1_000_000, sourceLimit: 1_000_000 } },
  { args: ["--rate-limit-slip", "0"], is: { slip: 0 } },
  {
    args: ["--rate-limit-exempt", "192.0.2.0/24", "--rate-limit-exempt", "2001:db8::/32"],
    is: { exempt: ["192.0.2.0/24", "2001:db8::/32"] },
  },
  { args: ["--rate-limit-exempt", "none"], is: { exempt: [] } },
  { args: ["--cookie-secret", "secrets/cookies"], is: { cookieSecret: "secrets/cookies" } },
  { args: ["--nsid", "edge-1"], is: { nsid: Buffer.from("edge-1") } },
  { args: ["--nsid", "0x00FFa0"], is: { nsid: Buffer.of(0, 255, 160) } },
  { args: ["--nsid", "0x0"], is: { nsid: Buffer.from("0x0") } },
  { args: ["--version-bind", "x".repeat(255)], is: { versionBind: Buffer.from("x".repeat(255)) } },
])("$args", ({ args, is }) => expect(parse(...args)).toMatchObject(is));

describe("bad usage", () => {
  test.each([
    ["--rate-limit", "-1"],
    ["--rate-limit", "1.5"],
    ["--rate-limit", "1000001"],
    ["--rate-limit", ""],
    ["--rate-limit-source", "many"],
    ["--rate-limit-slip", "101"],
    ["--rate-limit-exempt", "192.0.2.1/24"],
    ["--rate-limit-exempt", "none", "--rate-limit-exempt", "192.0.2.0/24"],
    ["--rate-limit-exempt", "192.0.2.0/24", "--rate-limit-exempt", "none"],
    ["--cookie-secret", ""],
    ["--nsid", ""],
    ["--nsid", "x".repeat(129)],
    ["--version-bind", "x".repeat(256)],
  ])("%s %s %s %s", (...args) => expect(() => parse(...args.filter((arg) => arg !== undefined))).toThrow(/Write/));
});
