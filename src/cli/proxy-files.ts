/** Files that the embedded proxy is given: its certificates, and who signs those of endpoints. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { systemCode } from "../model/listen-address.ts";
import { readCertificateFolder } from "../proxy/embedded/front/certificate-folder.ts";
import { type CertificateStore, type CertificateStorePorts, openCertificateStore } from "../proxy/embedded/front/certificate-store.ts";
import { showCertificate } from "../proxy/embedded/front/tls-terminator.ts";
import { CommandError } from "./io.ts";

/** @throws CommandError */
export async function openCertificates(
  folder: string,
  ports: Omit<CertificateStorePorts, "read" | "createContext">,
): Promise<CertificateStore> {
  try {
    return await openCertificateStore(folder, { ...ports, read: () => readCertificateFolder(folder), createContext: showCertificate });
  } catch (cause) {
    const remedy = "Name a folder that can be read with --proxy-certificates.";
    throw new CommandError(1, `the folder of certificates ${folder} cannot be read (${systemCode(cause)}). ${remedy}`, { cause });
  }
}

/** @throws CommandError */
export async function readAuthorities(path: string): Promise<string> {
  try {
    const pem = await readFile(path, "utf8");
    createSecureContext({ ca: pem });
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
    throw new Error("it holds no certificate");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(1, `--proxy-upstream-ca ${path}: ${why}. Name a PEM file with the certificates of the authorities.`, { cause });
  }
}
