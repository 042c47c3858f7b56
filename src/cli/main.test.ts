import { expect, test } from "vitest";
import { runCli } from "../../test/support/run-cli.ts";
import { version } from "./version.ts";

const COMMANDS = ["demo", "serve", "validate", "explain", "status", "plan", "apply", "drain", "undrain", "approve", "confirm", "check"];

test("--version prints the version alone", async () => {
  expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${version()}\n`, stderr: "" });
});

test("--help lists every command and shows examples", async () => {
  const { code, stdout } = await runCli(["--help"]);
  expect(code).toBe(0);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
  expect(stdout).toContain("Examples:");
});

test.each(COMMANDS.filter((command) => command !== "check"))(
  "%s --help shows an example that begins with the program's name",
  async (command) => {
    const { code, stdout } = await runCli([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n {2}globalroute ${command === "confirm" ? "status" : command}`));
  },
);

test.each([
  { name: "no command", args: [], says: /globalroute demo {2,}try it[\s\S]*All commands: globalroute --help/ },
  { name: "an unknown command", args: ["sttus"], says: /unknown command 'sttus'.*\n.*Did you mean status/ },
  { name: "an unknown option", args: ["status", "--ouput", "json"], says: /unknown option '--ouput'[\s\S]*--output/ },
  { name: "a missing argument", args: ["explain", "--client", "192.0.2.1"], says: /missing required argument 'host'/ },
  { name: "a missing option", args: ["serve"], says: /required option '--config <dir>' not specified/ },
  { name: "a form of output that there is not", args: ["status", "--output", "xml"], says: /Allowed choices are table, json, yaml/ },
  { name: "too many arguments", args: ["confirm", "now"], says: /too many arguments/ },
  {
    name: "a server that is no URL",
    args: ["status", "--server", "localhost:8053"],
    says: /Write a URL such as http:\/\/127\.0\.0\.1:8053/,
  },
  { name: "a listener without a port", args: ["serve", "--config", "x", "--listen", "127.0.0.1"], says: /Write ADDRESS:PORT/ },
  { name: "a listener with a name", args: ["serve", "--config", "x", "--admin", "localhost:8053"], says: /Write ADDRESS:PORT/ },
  { name: "a port out of range", args: ["serve", "--config", "x", "--admin", "127.0.0.1:70000"], says: /Write ADDRESS:PORT/ },
  { name: "an IPv6 listener without brackets", args: ["serve", "--config", "x", "--admin", "::1:8053"], says: /Write ADDRESS:PORT/ },
  {
    name: "a network with bits behind its length",
    args: ["serve", "--config", "x", "--probe-allow", "127.0.0.1/8"],
    says: /192\.0\.2\.0\/24/,
  },
  { name: "a folder without a name", args: ["serve", "--config", ""], says: /Write a path/ },
  { name: "a state folder without a name", args: ["confirm", "--state", ""], says: /Write a path/ },
  {
    name: "an unknown region",
    args: ["serve", "--config", "x", "--vantage-location", "aws/eu-west1"],
    says: /Did you mean aws\/eu-west-1/,
  },
  { name: "a place off the globe", args: ["serve", "--config", "x", "--vantage-location", "91,0"], says: /-90 to 90/ },
])("$name is bad usage: exit 2, a message on standard error, nothing on standard output", async ({ args, says }) => {
  const { code, stdout, stderr } = await runCli(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(says);
});

test("GLOBALROUTE_SERVER that is no URL is bad usage, and said to be", async () => {
  const { code, stderr } = await runCli(["status"], { env: { GLOBALROUTE_SERVER: "localhost:8053" } });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^globalroute: GLOBALROUTE_SERVER is "localhost:8053"\. Write a URL such as http/);
});
