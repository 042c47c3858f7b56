import { expect, test } from "vitest";
import { createFakeView } from "../../test/support/fake-view.ts";
import { captureIo, runCli } from "../../test/support/run-cli.ts";
import { complete } from "./complete.ts";
import { createProgram } from "./main.ts";

const program = createProgram(captureIo().io, () => {});
const values = (...words: readonly string[]): readonly string[] => complete(program, words).choices.map(({ value }) => value);

test.each([
  { words: ["sta"], shown: ["status"] },
  { words: ["demo", ""], shown: ["up", "down"] },
  { words: ["demo", "--port", "1", "d"], shown: ["down"] },
  { words: ["check", ""], shown: ["zone", "help"] },
  { words: ["status", "--output", ""], shown: ["table", "json", "yaml"] },
  { words: ["status", "--output", "=", "y"], shown: ["yaml"] },
  { words: ["status", "--output=j"], shown: ["json"] },
  { words: ["status", "-o", "t"], shown: ["table"] },
  { words: ["status", "--wa"], shown: ["--watch"] },
  { words: ["status", "--no"], shown: ["--no-color"] },
  { words: ["abandon", ""], shown: ["zone", "route"] },
  { words: ["timeline", "--kind", "Failo"], shown: ["Failover", "FailoverPublished", "FailoverPropagated", "FailoverUnseen"] },
  { words: ["status", "--", "--"], shown: [] },
  { words: ["completion", "w"], shown: [] },
])("$words → $shown", ({ words, shown }) => expect(values(...words)).toEqual(shown));

test.each([
  { words: ["explain", ""], asks: { names: "hosts" } },
  { words: ["status", ""], asks: { names: "routes" } },
  { words: ["drain", "eu"], asks: { names: "targets" } },
  { words: ["demo", "up", ""], asks: { names: "clusters" } },
  { words: ["plan", "example-org", ""], asks: { names: "zones" } },
  { words: ["check", "zone", ""], asks: { names: "zones" } },
  { words: ["serve", "--config", ""], asks: { paths: "folders" } },
  { words: ["validate", "a.yaml", ""], asks: { paths: "files" } },
  { words: ["apply", ""], asks: { paths: "files" } },
])("$words asks for $asks", ({ words, asks }) => expect(complete(program, words)).toMatchObject(asks));

test("every command and every option with a value has a line for each shell", () => {
  for (const command of program.commands) expect(values(command.name().slice(0, -1))).toContain(command.name());
});

/** A server that has one hostile host name. */
const fetch = async (): Promise<Response> => {
  const status = createFakeView().status();
  const [shop] = status.routes;
  return Response.json({ ...status, routes: [shop, { ...shop, name: "evil", hosts: ["$(reboot).example.org", "*.example.org"] }] });
};

test("names of the running server are offered, and none that a shell might obey", async () => {
  const { stdout } = await runCli(["completion", "words", "--", "explain", "--server", "http://127.0.0.1:9", ""], { fetch });
  expect(stdout).toBe("shop.example.org\tdefault/shop\n");
  const drain = await runCli(["completion", "words", "--", "drain", "default/shop/"], { fetch });
  expect(drain.stdout).toBe("default/shop/eu-west\tbackend in eu-west\ndefault/shop/us-east\tbackend in us-east\n");
});

test("without a server nothing is offered and nothing is said", async () => {
  const gone = { fetch: () => Promise.reject(new TypeError("fetch failed")) };
  expect(await runCli(["completion", "words", "--", "explain", ""], gone)).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("a shell that there is not is bad usage", async () => {
  const { code, stderr } = await runCli(["completion", "bahs"]);
  expect(code).toBe(2);
  expect(stderr).toContain("Did you mean bash?");
});
