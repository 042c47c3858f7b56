/** The certificates by which Envoys and we prove ourselves to each other: read from files, and again when those change. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { fileStamp } from "../dns/secret-file.ts";
import type { FleetTls } from "../proxy/envoy/fleet-tls.ts";
import { CommandError } from "./io.ts";

/** Absolute paths. */
export interface XdsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
}

/** How often files are looked at, ms. */
const INTERVAL = 5_000;

/** @throws CommandError (exit 2) when a file cannot be read, or does not hold what its option says */
export function readXdsCertificates(files: XdsFiles): FleetTls {
  const read = (flag: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new CommandError(2, `${flag}: ${file} cannot be read. Let the user that runs GlobalRoute read it, or name another.`, { cause });
    }
  };
  const certificate = read("--xds-cert", files.certificate);
  const key = read("--xds-key", files.key);
  const clientCa = read("--xds-client-ca", files.clientCa);
  check(
    () => createSecureContext({ cert: certificate, key }),
    (why) =>
      `--xds-cert ${files.certificate} and --xds-key ${files.key} are no certificate and its key (${why}). Name PEM files that belong together.`,
  );
  check(
    () => {
      createSecureContext({ ca: clientCa });
      // Node passes over whatever else is in it, and every Envoy would be turned away.
      if (!clientCa.includes("-----BEGIN CERTIFICATE-----")) throw new Error("it holds no certificate");
    },
    (why) => `--xds-client-ca ${files.clientCa}: ${why}. Name a PEM file with the certificates of those who sign for Envoys.`,
  );
  return { certificate, key, clientCa };
}

function check(attempt: () => void, sentence: (why: string) => string): void {
  try {
    attempt();
  } catch (cause) {
    throw new CommandError(2, sentence(cause instanceof Error ? cause.message : String(cause)), { cause });
  }
}

/**
 * When what is in use ends: path → milliseconds since 1970. Of several authorities the one that lasts longest counts, since a renewed one
 * stands beside the one before for a while. What cannot be read as a certificate is left out.
 */
export function xdsCertificateEnds(files: XdsFiles, tls: FleetTls): ReadonlyMap<string, number> {
  const [shown] = endsOf(tls.certificate); // behind it are those who signed it
  const authorities = endsOf(tls.clientCa);
  return new Map([
    ...(authorities.length === 0 ? [] : [[files.clientCa, Math.max(...authorities)] as const]),
    ...(shown === undefined ? [] : [[files.certificate, shown] as const]),
  ]);
}

const endsOf = (pem: Buffer): readonly number[] =>
  (pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).flatMap((text) => {
    try {
      return [new X509Certificate(text).validToDate.getTime()];
    } catch {
      return [];
    }
  });

export interface FollowOptions {
  readonly every: (milliseconds: number, tick: () => void) => () => void;
  /** @throws when the files do not hold a certificate with its key, or authorities: the ones before count on */
  readonly renew: (tls: FleetTls) => void;
  readonly onChange: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Files that are being replaced one after the other do not fit together for a while: that is told, and looked at again. @returns ends it */
export function followXdsCertificates(files: XdsFiles, { every, renew, onChange, onTrouble }: FollowOptions): () => void {
  const stamp = (): string => [files.certificate, files.key, files.clientCa].map(fileStamp).join("\n");
  let used = stamp();
  let refused = "";
  return every(INTERVAL, () => {
    const now = stamp();
    if (now === used || now === refused) return;
    try {
      renew(readXdsCertificates(files));
      [used, refused] = [now, ""];
      onChange();
    } catch (error) {
      refused = now;
      onTrouble(error);
    }
  });
}
