import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../../test/support/run-cli.ts";
import { formatProblem } from "../model/problem.ts";
import { openNotifications, readNotifications } from "./open-notifications.ts";

const SECRET = "https://hooks.example.org/services/secret";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-notify-"));
  file("url", `${SECRET}\n`);
  file("key", "k3y\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string, mode = 0o600): void => {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), mode);
};
const receivers = (...lines: readonly string[]): void => file("notify.yaml", `receivers:\n${lines.map((line) => `- ${line}\n`).join("")}`);
const problems = (): readonly string[] => readNotifications("notify.yaml", folder).problems.map(formatProblem);

test("files are sought beside the one that names them, and blanks around a secret are none of it", () => {
  receivers("{name: hook, type: Webhook, urlFile: url, signingKeyFile: key}");
  expect(readNotifications("notify.yaml", folder)).toMatchObject({
    problems: [],
    opened: { receivers: [{ target: { type: "Webhook", url: SECRET, signingKey: "k3y" } }] },
  });
});

test.each([
  {
    name: "a file that is not there",
    line: "{name: hook, type: Slack, urlFile: none}",
    says: /receivers hook urlFile: \S+none does not exist/,
  },
  { name: "a URL file with two lines", line: "{name: hook, type: Slack, urlFile: two}", says: /\S+two holds no single word/ },
  { name: "a URL file without a URL", line: "{name: hook, type: Slack, urlFile: key}", says: /urlFile: holds no URL of HTTP/ },
  {
    name: "a token file with nothing in it",
    line: "{name: hook, type: Slack, urlFile: url, tokenFile: empty}",
    says: /\S+empty holds no single word/,
  },
])("$name is an error with a remedy, and no secret is shown", ({ line, says }) => {
  file("two", `${SECRET}\nmore\n`);
  file("empty", "\n");
  receivers(line);
  const told = problems();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(says);
  expect(told.join()).not.toMatch(/services\/secret|k3y/);
  expect(() => openNotifications("notify.yaml", folder, () => {})).toThrow(/--notify: nobody would be told of anything:\n/);
});

test("a secret that everybody may read is a warning, and does its work", () => {
  file("url", SECRET, 0o644);
  receivers("{name: hook, type: Slack, urlFile: url}");
  const warned: string[] = [];
  openNotifications("notify.yaml", folder, (line) => warned.push(line));
  expect(warned).toEqual([expect.stringMatching(/warning: receivers hook urlFile: \S+url may be read by every user\. Run chmod o-rwx/)]);
});

test("validate checks the file, alone or beside objects, and serve refuses one with errors", async () => {
  receivers("{name: hook, type: Slakc, urlFile: url}");
  const validated = await runCli(["validate", "--notify", "notify.yaml"], { cwd: folder });
  expect(validated.code).toBe(2);
  expect(validated.stdout).toMatch(
    /^notify\.yaml:2:22: error: receivers\[0\]\.type: "Slakc" is not one of .*\n1 file, 0 valid objects: 1 error, 0 warnings\n$/,
  );
  const served = await runCli(["serve", "--config", folder, "--notify", "notify.yaml"], { cwd: folder });
  expect([served.code, served.stderr]).toEqual([2, expect.stringContaining("Did you mean Slack?")]);
  receivers("{name: hook, type: Slack, urlFile: url}");
  expect((await runCli(["validate", "--notify", "notify.yaml"], { cwd: folder })).code).toBe(0);
});

test("validate without anything to check is bad usage", async () => {
  const { code, stderr } = await runCli(["validate"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("missing required argument 'path'")]);
});
