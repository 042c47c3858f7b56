/** The certificates that are shown now: read again and again, and what cannot be used keeps what was there before. */
import { X509Certificate } from "node:crypto";
import { type Milliseconds, ms } from "../../../model/units.ts";
import type { CertificatePair } from "./certificate-folder.ts";
import {
  type Certificate,
  type CertificateIndex,
  indexCertificates,
  readAlternativeNames,
  type ShownCertificate,
} from "./certificate-index.ts";

export interface CertificateStorePorts {
  /** All pairs; rejects when the folder cannot be read. */
  readonly read: () => Promise<readonly CertificatePair[]>;
  /** @throws when they are no PEM or the key is another one's */
  readonly createContext: (certificate: string, key: string) => ShownCertificate;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** Said once, and again when it changes. */
  readonly warn: (message: string) => void;
  /** A certificate was taken over, or is there no more. */
  readonly inform: (message: string) => void;
}

export interface CertificateStore {
  /** What is shown now; swapped whole. */
  readonly current: () => CertificateIndex<ShownCertificate>;
  /** Path → when it ends, milliseconds since 1970. */
  readonly ends: () => ReadonlyMap<string, number>;
  readonly close: () => void;
}

/** Renewed Secrets reach a pod a minute late anyway. */
const LOOK = ms(10_000);
const DAY = 86_400_000;
/** ACME clients renew a month ahead; with so little left, nobody has. */
const SOON = 14 * DAY;

interface Taken {
  readonly pair: CertificatePair;
  readonly certificate: Certificate<ShownCertificate>;
}

/** Reads what there is, and from then on every ten seconds. Rejects when the folder cannot be read; one without a usable pair is warned of. */
export async function openCertificateStore(folder: string, ports: CertificateStorePorts): Promise<CertificateStore> {
  const { read, createContext, wallClock, setTimer, warn, inform } = ports;
  let taken: ReadonlyMap<string, Taken> = new Map();
  let index: CertificateIndex<ShownCertificate> = indexCertificates([]);
  /** Path → what was said of it last. */
  let said: ReadonlyMap<string, string> = new Map();
  let cancel: (() => void) | undefined;
  let isClosed = false;

  function take(pairs: readonly CertificatePair[]): void {
    const next = new Map<string, Taken>();
    const complaints = new Map<string, string>();
    for (const pair of pairs) {
      const before = taken.get(pair.path);
      const result = before !== undefined && isSame(before.pair, pair) ? before : open(pair, createContext);
      const now = typeof result === "string" ? before : result;
      if (typeof result === "string") complaints.set(pair.path, `${result}${before === undefined ? "" : " The one before stays in use."}`);
      if (now === undefined) continue;
      next.set(pair.path, now);
      const end = endOf(now.certificate, wallClock());
      if (end !== undefined && !complaints.has(pair.path)) complaints.set(pair.path, end);
      if (before !== undefined && now !== before) inform(`${pair.path}: a new certificate is in use`);
    }
    for (const path of taken.keys()) if (!next.has(path)) inform(`${path}: the certificate is gone, and no longer in use`);
    if (next.size === 0)
      complaints.set(folder, `${folder}: no certificate can be used, so no client can connect. Put NAME.crt and NAME.key there.`);
    for (const [path, complaint] of complaints) if (said.get(path) !== complaint) warn(complaint);
    said = complaints;
    taken = next;
    index = indexCertificates([...next.values()].map(({ certificate }) => certificate));
  }

  async function look(): Promise<void> {
    try {
      const pairs = await read();
      if (!isClosed) take(pairs);
    } catch (error) {
      const complaint = `${folder}: cannot be read (${error instanceof Error ? error.message : error}). The certificates of before stay in use. Make the folder readable.`;
      if (said.get(folder) !== complaint) warn(complaint);
      said = new Map([...said, [folder, complaint]]);
    }
    if (!isClosed) cancel = setTimer(LOOK, () => void look());
  }

  take(await read());
  cancel = setTimer(LOOK, () => void look());
  return {
    current: () => index,
    ends: () => new Map([...taken].map(([path, { certificate }]) => [path, certificate.notAfter])),
    close: () => {
      isClosed = true;
      cancel?.();
    },
  };
}

const isSame = (a: CertificatePair, b: CertificatePair): boolean => a.certificate === b.certificate && a.key === b.key;

/** @returns why it cannot be used, in words */
function open(pair: CertificatePair, createContext: CertificateStorePorts["createContext"]): Taken | string {
  const { path, keyPath, certificate: text, key, isDefault } = pair;
  if (text === undefined) return `${keyPath}: there is no certificate beside this key. Put it into ${path}.`;
  if (key === undefined) return `${path}: there is no key beside this certificate. Put it into ${keyPath}.`;
  try {
    const context = createContext(text, key);
    const leaf = new X509Certificate(text);
    const names = readAlternativeNames(leaf.subjectAltName);
    if (names.length === 0) return `${path}: the certificate names no host. Have one made with subject alternative names.`;
    return { pair, certificate: { path, names, notAfter: leaf.validToDate.getTime(), isDefault, context } };
  } catch (error) {
    const fact = error instanceof Error ? error.message : String(error);
    return `${path}: it and ${keyPath} are no certificate and its key (${fact}). Put a PEM certificate with its chain and the PEM key of it there.`;
  }
}

function endOf({ path, notAfter, names }: Certificate<unknown>, now: number): string | undefined {
  const days = Math.floor((notAfter - now) / DAY);
  if (notAfter < now) return `${path}: the certificate of ${names.join(", ")} has expired, and clients refuse it. Renew it.`;
  return notAfter - now < SOON ? `${path}: the certificate of ${names.join(", ")} expires in ${days} days. Renew it.` : undefined;
}
