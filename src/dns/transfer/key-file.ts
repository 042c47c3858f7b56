/**
 * Files with TSIG secrets: what BIND's `tsig-keygen` and Knot's `keymgr -t` print, or the secret alone in base64.
 *
 * ```
 * key "secondary.example.org" { algorithm hmac-sha256; secret "…"; };         BIND
 * # hmac-sha256:secondary.example.org:…                                       Knot, first line
 * ```
 */
import { type Decoded, decoded, type Fault, fault } from "../../model/fault.ts";
import type { TransferKey, Zone } from "../../model/inventory.ts";
import { readSecretFile } from "../secret-file.ts";
import type { TsigKey } from "./tsig.ts";

/** A shorter one can be guessed (RFC 8945 §8 asks for the length of the hash; this is what people have at least). */
const LEAST_SECRET = 16;

/** Reads the text of a key file. A name and an algorithm in it must be those of the object. */
export function parseTsigKey(text: string, { name, algorithm }: Pick<TransferKey, "name" | "algorithm">): Decoded<TsigKey> {
  const wrong = (message: string, remedy: string) => fault("transfer-key", message, remedy);
  const found = splitKey(text);
  if (found === undefined) {
    const remedy = `Make one with tsig-keygen -a ${algorithm} ${name}, or write the secret alone.`;
    return wrong("holds no TSIG secret", remedy);
  }
  const foundName = found.name?.toLowerCase().replace(/\.$/, "");
  if (foundName !== undefined && foundName !== name)
    return wrong(`is of the key ${foundName}`, `Name the file of ${name}, or correct the name.`);
  const foundAlgorithm = found.algorithm?.toLowerCase();
  if (foundAlgorithm !== undefined && foundAlgorithm !== algorithm)
    return wrong(`is for ${foundAlgorithm}`, `Set algorithm: ${foundAlgorithm} if that is meant, or make a key for ${algorithm}.`);
  const secret = new Uint8Array(Buffer.from(found.secret, "base64"));
  if (secret.length < LEAST_SECRET) {
    return wrong(`has a secret of ${secret.length} bytes, which can be guessed`, `Make one with tsig-keygen -a ${algorithm} ${name}.`);
  }
  return decoded({ name, algorithm, secret });
}

interface KeyText {
  readonly name?: string;
  readonly algorithm?: string;
  readonly secret: string;
}

const BASE64 = "[A-Za-z0-9+/]+={0,2}";

function splitKey(text: string): KeyText | undefined {
  const clause = /\bkey\s+"?([^"\s{]+)"?\s*\{([^}]*)\}/.exec(text);
  if (clause !== null) {
    const secret = new RegExp(`\\bsecret\\s+"?(${BASE64})"?\\s*;`).exec(clause[2]!)?.[1];
    const algorithm = /\balgorithm\s+"?([A-Za-z0-9-]+)"?\s*;/.exec(clause[2]!)?.[1];
    return secret === undefined ? undefined : { name: clause[1]!, ...(algorithm === undefined ? {} : { algorithm }), secret };
  }
  const triple = new RegExp(`(?:^|\\s)(hmac-[a-z0-9]+):([^:\\s]+):(${BASE64})(?:\\s|$)`).exec(text);
  if (triple !== null) return { algorithm: triple[1]!, name: triple[2]!, secret: triple[3]! };
  const bare = new RegExp(`^\\s*(${BASE64})\\s*$`).exec(text)?.[1];
  return bare === undefined ? undefined : { secret: bare };
}

export type TsigKeyFile = { readonly key: TsigKey; readonly warnings: readonly Fault[] } | { readonly fault: Fault };

/** Reads a key file; what is wrong with it is told of the file, never with its content. */
export function readTsigKey(entry: TransferKey): TsigKeyFile {
  const file = readSecretFile(entry.path);
  if ("fault" in file) return file;
  const key = parseTsigKey(file.text, entry);
  return "fault" in key ? key : { key: key.value, warnings: file.warnings };
}

/** The keys of all zones, each once; with a fault, in words, for each that cannot be read: its requests are refused then. */
export function loadTsigKeys(zones: readonly Zone[]): { readonly keys: readonly TsigKey[]; readonly faults: readonly string[] } {
  const keys = new Map<string, TsigKey>();
  const faults: string[] = [];
  for (const entry of zones.flatMap(({ transfer }) => transfer?.keys ?? [])) {
    if (keys.has(entry.name)) continue;
    const read = readTsigKey(entry);
    if ("key" in read) keys.set(entry.name, read.key);
    else faults.push(`${entry.path} ${read.fault.message}. ${read.fault.remedy}`);
  }
  return { keys: [...keys.values()], faults };
}
