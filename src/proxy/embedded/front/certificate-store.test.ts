import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSimulatedClock } from "../../../../test/support/simulated-clock.ts";
import { readCertificates } from "../../../../test/support/tls/certificates.ts";
import { readCertificateFolder } from "./certificate-folder.ts";
import { certificateFor } from "./certificate-index.ts";
import { type CertificateStore, openCertificateStore } from "./certificate-store.ts";
import { showCertificate } from "./tls-terminator.ts";

const { key, cert, expired } = readCertificates();
const TEN_SECONDS = 10_000;

describe("a folder of certificates", () => {
  let folder: string;
  let store: CertificateStore | undefined;
  let warned: string[];
  let told: string[];
  let clock: ReturnType<typeof createSimulatedClock>;
  /** How often the folder has been read. */
  let looks: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    [warned, told, clock, looks] = [[], [], createSimulatedClock(), 0];
  });
  afterEach(() => {
    store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const start = async (): Promise<void> => {
    store = await openCertificateStore(folder, {
      read: () => readCertificateFolder(folder).finally(() => looks++),
      createContext: showCertificate,
      wallClock: clock.wallClock,
      setTimer: clock.setTimer,
      warn: (message) => warned.push(message),
      inform: (message) => told.push(message),
    });
  };
  const shown = (host: string | undefined): string | undefined => certificateFor(store!.current(), host)?.path.slice(folder.length + 1);
  /** Until the folder has been looked at once more. */
  const later = async (): Promise<void> => {
    const before = looks;
    await clock.advance(TEN_SECONDS);
    await expect.poll(() => looks).toBe(before + 1);
    await clock.advance(0);
  };

  test("pairs, and Secrets as Kubernetes mounts them", async () => {
    put("default.crt", cert);
    put("default.key", key);
    mkdirSync(join(folder, "shop", "..2026_11_22"), { recursive: true });
    writeFileSync(join(folder, "shop", "..2026_11_22", "tls.crt"), cert);
    writeFileSync(join(folder, "shop", "..2026_11_22", "tls.key"), key);
    symlinkSync("..2026_11_22", join(folder, "shop", "..data"));
    for (const name of ["tls.crt", "tls.key"]) symlinkSync(join("..data", name), join(folder, "shop", name));
    await start();
    expect([...store!.ends().keys()]).toEqual([join(folder, "default.crt"), join(folder, "shop", "tls.crt")]);
    expect([shown(undefined), shown("a.shop.example.org"), shown("example.org")]).toEqual(["default.crt", "default.crt", undefined]);
    expect(warned).toEqual([]);
  });

  test("a new file is taken over, a bad one keeps the one before, one that is gone is gone", async () => {
    put("shop.crt", cert);
    put("shop.key", key);
    await start();
    const first = store!.current();
    put("shop.crt", "-----BEGIN CERTIFICATE-----\nrubbish");
    await later();
    expect(shown("shop.example.org")).toBe("shop.crt");
    expect(certificateFor(store!.current(), "shop.example.org")).toBe(certificateFor(first, "shop.example.org"));
    expect(warned).toEqual([
      expect.stringMatching(/shop\.crt: it and .*shop\.key are no certificate and its key .*The one before stays in use/),
    ]);
    await later();
    expect(warned).toHaveLength(1); // it was said
    put("shop.crt", `${cert}\n`);
    await later();
    expect(told).toEqual([expect.stringContaining("a new certificate is in use")]);
    rmSync(join(folder, "shop.crt"));
    rmSync(join(folder, "shop.key"));
    await later();
    expect(shown("shop.example.org")).toBeUndefined();
    expect(warned.at(-1)).toContain("no certificate can be used");
  });

  test.each([
    { name: "a certificate without its key", files: { "a.crt": cert }, says: "there is no key beside this certificate" },
    { name: "a key without its certificate", files: { "a.key": key }, says: "there is no certificate beside this key" },
    { name: "an expired one is still shown, with a warning", files: { "a.crt": expired, "a.key": key }, says: "has expired" },
  ])("$name", async ({ files, says }) => {
    for (const [name, text] of Object.entries(files)) put(name, text);
    await start();
    expect(warned[0]).toContain(says);
    expect(shown("shop.example.org")).toBe("a.key" in files && "a.crt" in files ? "a.crt" : undefined);
  });

  test("a folder that cannot be read any more changes nothing", async () => {
    put("shop.crt", cert);
    put("shop.key", key);
    await start();
    rmSync(folder, { recursive: true });
    await later();
    expect(shown("shop.example.org")).toBe("shop.crt");
    expect(warned).toEqual([expect.stringContaining("cannot be read")]);
  });

  test("one that is not there cannot be opened", async () => {
    rmSync(folder, { recursive: true });
    await expect(start()).rejects.toThrow("ENOENT");
  });
});
