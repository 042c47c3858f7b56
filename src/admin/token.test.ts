import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAuthorized, loadToken, readToken, TokenError } from "./token.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-token-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const state = () => join(folder, "a", "state");
let made = 0;
const create = () => `token-number-${made++}-of-these`;

test("the first start makes a token that only its owner may read, the next one finds it", async () => {
  const token = await loadToken(state(), create);
  expect(await loadToken(state(), create)).toBe(token);
  expect(await readToken(state())).toBe(token);
  expect(statSync(join(state(), "admin.token")).mode & 0o777).toBe(0o600);
  expect(statSync(state()).mode & 0o777).toBe(0o700);
  expect(readdirSync(state())).toEqual(["admin.token"]);
});

test("two starts at once agree on one token", async () => {
  const [one, other] = await Promise.all([loadToken(state(), create), loadToken(state(), create)]);
  expect(one).toBe(other);
});

test("a token that others could read is closed to them", async () => {
  await loadToken(state(), create);
  chmodSync(join(state(), "admin.token"), 0o644);
  await loadToken(state(), create);
  expect(statSync(join(state(), "admin.token")).mode & 0o777).toBe(0o600);
});

test.each(["", "\n", "short\n"])("a file that holds %j is no secret, and is said so", async (text) => {
  writeFileSync(join(folder, "admin.token"), text);
  await expect(loadToken(folder, create)).rejects.toThrow(/admin\.token: shorter than 16.*Delete it/);
  expect(readFileSync(join(folder, "admin.token"), "utf8")).toBe(text);
});

test("reading never makes one", async () => {
  await expect(readToken(folder)).rejects.toThrow(TokenError);
  expect(readdirSync(folder)).toEqual([]);
});

test("a state folder that cannot be made is told with the flag that moves it", async () => {
  writeFileSync(join(folder, "file"), "");
  await expect(loadToken(join(folder, "file", "state"), create)).rejects.toThrow(/--state/);
});

test.each([
  { header: "Bearer right-token-here-1", ok: true },
  { header: "bearer  right-token-here-1 ", ok: true },
  { header: "Bearer right-token-here-2", ok: false },
  { header: "Bearer right-token-here-", ok: false },
  { header: "Bearer", ok: false },
  { header: "", ok: false },
  { header: undefined, ok: false },
])("$header → $ok", ({ header, ok }) => expect(isAuthorized(header, "right-token-here-1")).toBe(ok));
