import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CookieSecretError, cookieSecretPath, createCookieSecret, openCookieSecrets } from "./cookie-secret.ts";
import { newCookieSecrets } from "./cookies.ts";

const ONE = "00112233445566778899aabbccddeeff";
const TWO = "ffeeddccbbaa99887766554433221100";
const bytes = (secret: string): Uint8Array => Buffer.from(secret, "hex");
/** The words behind the sequence. */
const words = (secrets: { readonly words: Int32Array }): readonly number[] => [...secrets.words].slice(1);

let folder: string;
let path: string;
const warnings: string[] = [];
let changes = 0;
let ticks: (() => void)[] = [];
const minute = (): void => {
  for (const tick of ticks) tick();
};
const ports = {
  every: (milliseconds: number, tick: () => void) => {
    expect(milliseconds).toBe(60_000);
    ticks.push(tick);
    return () => {
      ticks = ticks.filter((one) => one !== tick);
    };
  },
  onChange: () => changes++,
  onWarning: (message: string) => warnings.push(message),
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-cookies-"));
  path = cookieSecretPath(folder);
  warnings.length = 0;
  changes = 0;
  ticks = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (text: string): void => writeFileSync(path, text, { mode: 0o600 });

test("the first start makes a secret that its owner alone may read; later ones keep it", async () => {
  await createCookieSecret(path, (size) => bytes(ONE).subarray(0, size));
  expect(readFileSync(path, "utf8")).toBe(`${ONE}\n`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await createCookieSecret(path, () => bytes(TWO));
  expect(words(openCookieSecrets(path, ports).secrets)).toEqual(words(newCookieSecrets(bytes(ONE))));
  expect(warnings).toEqual([]);
});

test("a folder that cannot be made is told with its remedy", async () => {
  write(ONE);
  await expect(createCookieSecret(join(path, "below", "secret"), () => bytes(ONE))).rejects.toThrow(/--cookie-secret/);
});

const readable: readonly { name: string; text: string; secrets: readonly [string, string?] }[] = [
  { name: "one line", text: ONE, secrets: [ONE] },
  { name: "two lines: the current one first", text: `${ONE}\n${TWO}\n`, secrets: [ONE, TWO] },
  { name: "capitals, white space and empty lines", text: ` ${ONE.toUpperCase()}\r\n\n${TWO} \n`, secrets: [ONE, TWO] },
];
test.each(readable)("$name", ({ text, secrets: [current, previous] }) => {
  write(text);
  const wanted = newCookieSecrets(bytes(current), previous === undefined ? undefined : bytes(previous));
  expect(words(openCookieSecrets(path, ports).secrets)).toEqual(words(wanted));
});

test.each(["", "\n", ONE.slice(1), `${ONE}0`, `${ONE.slice(1)}g`, `${ONE}\n${TWO}\n${ONE}`, `${ONE}\nold`, `current: ${ONE}`])(
  "%j is refused, and not repeated",
  (text) => {
    write(text);
    const open = () => openCookieSecrets(path, ports);
    expect(open).toThrow(CookieSecretError);
    expect(open).toThrow(
      /cookie\.secret: has something else than one or two lines of 32 hex digits\. Make a secret with `openssl rand -hex 16`\./,
    );
    if (text.trim() !== "") expect(open).not.toThrow(text.trim().slice(0, 16));
  },
);

test("a file that is not there is refused", () => {
  expect(() => openCookieSecrets(path, ports)).toThrow(/cookie\.secret: does not exist/);
});

test("a change is in use within a minute", () => {
  write(ONE);
  const { secrets, close } = openCookieSecrets(path, ports);
  minute();
  expect(changes).toBe(0);
  write(`${TWO}\n${ONE}\n`);
  minute();
  expect(changes).toBe(1);
  expect(words(secrets)).toEqual(words(newCookieSecrets(bytes(TWO), bytes(ONE))));
  minute();
  expect(changes).toBe(1);
  close();
  expect(ticks).toEqual([]);
});

test("a bad change is told once and keeps the secrets before it; the next good one counts", () => {
  write(ONE);
  const { secrets } = openCookieSecrets(path, ports);
  write("half a secr");
  minute();
  minute();
  expect(warnings).toEqual([expect.stringContaining("The secrets before it are still in use.")]);
  rmSync(path);
  minute();
  expect(warnings).toHaveLength(2);
  expect(words(secrets)).toEqual(words(newCookieSecrets(bytes(ONE))));
  write(TWO);
  minute();
  expect(changes).toBe(1);
  expect(words(secrets)).toEqual(words(newCookieSecrets(bytes(TWO))));
});

test("a file that every user may read is told", () => {
  write(ONE);
  chmodSync(path, 0o644);
  openCookieSecrets(path, ports);
  expect(warnings).toEqual([expect.stringContaining("may be read by every user")]);
});
