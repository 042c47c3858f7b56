/** Files with the private key of a zone: PKCS#8 in PEM, as OpenSSL and others write and read it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type Decoded, decoded, type Fault, fault } from "../../model/fault.ts";
import type { ZoneDnssec, ZoneKeyFile } from "../../model/inventory.ts";
import { readSecretFile } from "../secret-file.ts";
import { type SigningKey, type ZoneKey, zoneKey } from "./zone-key.ts";

/** A new key as the text of its file. */
export function makeKeyText(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Reads the text of a key file. SEC1 ("EC PRIVATE KEY") is understood too; an encrypted key is not, since nobody could type its passphrase. */
export function parseKey(text: string): Decoded<KeyObject> {
  const remedy = "Make one with globalroute dnssec keygen, or copy the right file.";
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    const what = text.includes("ENCRYPTED")
      ? "is an encrypted key, which cannot be used without its passphrase"
      : "holds no private key in PEM";
    return fault("dnssec-key", what, remedy);
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === "prime256v1") return decoded(key);
  return fault(
    "dnssec-key",
    `is a key of ${curve ?? key.asymmetricKeyType ?? "another kind"}, and zones are signed with ECDSA P-256`,
    remedy,
  );
}

/** The public half as a DNSKEY record has it: x and y, 32 bytes each (RFC 6605 §4). */
export function publicKeyOf(key: KeyObject): Uint8Array {
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  return new Uint8Array(spki.subarray(-64)); // the key is the end of the structure, behind 0x04 (RFC 5480 §2.2)
}

export type KeyFile = { readonly key: KeyObject; readonly warnings: readonly Fault[] } | { readonly fault: Fault };

/** Reads a key file; what is wrong with it is told of the file. */
export function readKeyFile(path: string): KeyFile {
  const file = readSecretFile(path);
  if ("fault" in file) return file;
  const key = parseKey(file.text);
  return "fault" in key ? key : { key: key.value, warnings: file.warnings };
}

/** The public half of a key in the inventory. */
export const publicHalf = ({ publicKey, state }: ZoneKeyFile): ZoneKey => zoneKey(new Uint8Array(Buffer.from(publicKey, "base64")), state);

/**
 * The key that signs a zone, with its private half read from its file.
 *
 * @returns a fault when the file cannot be used, or holds another key than the inventory knows
 */
export function readActiveKey({ keys }: ZoneDnssec): Decoded<SigningKey> {
  const active = keys.find(({ state }) => state === "Active");
  if (active === undefined) return fault("dnssec-active", "no key is Active", "Set one key's state to Active.");
  const file = readKeyFile(active.path);
  const told = (fact: Fault): { readonly fault: Fault } => ({ fault: { ...fact, message: `${active.path} ${fact.message}` } });
  if ("fault" in file) return told(file.fault);
  if (Buffer.from(publicKeyOf(file.key)).toString("base64") !== active.publicKey) {
    return told(
      fault("dnssec-key", "holds another key than when the objects were read", "Put the key back, or give a new one a new file.").fault,
    );
  }
  return decoded({ ...publicHalf(active), privateKey: file.key });
}
