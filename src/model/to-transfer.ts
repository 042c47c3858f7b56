/** From `transfer` of a `DNSZone` object to who may take copies. The secrets are in files that others read. */
import type { Findings } from "./findings.ts";
import type { ZoneTransfer } from "./inventory.ts";
import { parseNetwork } from "./ip.ts";
import type { FieldPath, ObjectOf } from "./manifest-object.ts";

type TransferSpec = NonNullable<NonNullable<ObjectOf<"DNSZone">["spec"]["provider"]["embedded"]>["transfer"]>;

export const TRANSFER_PATH: FieldPath = ["spec", "provider", "embedded", "transfer"];

/** Paths of keys are left as the object names them. */
export function toTransfer({ keys, allow, notify }: TransferSpec, findings: Findings): ZoneTransfer {
  const names = keys.map(({ name }) => name);
  const checkKey = (key: string | undefined, path: FieldPath): void => {
    if (key === undefined || names.includes(key)) return;
    const known = names.length === 0 ? "keys has none" : `keys has ${names.join(", ")}`;
    findings.error(
      [...TRANSFER_PATH, ...path],
      "transfer-key",
      `${key} is no key of this zone: ${known}`,
      "Add the key to keys, or correct the name.",
    );
  };
  allow.forEach(({ networks, key }, i) => {
    checkKey(key, ["allow", i, "key"]);
    const everywhere = networks === undefined || networks.some((text) => parseNetwork(text)?.length === 0);
    if (key === undefined && everywhere) {
      const remedy = "Name the networks of the secondaries, a key, or both.";
      const path = [...TRANSFER_PATH, "allow", i];
      if (networks === undefined) findings.error(path, "transfer-open", "names nobody in particular", remedy);
      else findings.warn(path, "transfer-open", "lets everybody take the whole zone", remedy);
    }
  });
  notify.forEach(({ key }, i) => {
    checkKey(key, ["notify", i, "key"]);
  });
  return {
    keys: keys.map(({ name, algorithm, file }) => ({ name, algorithm, path: file })),
    allow: allow.map(({ networks = [], key }) => ({ networks, ...(key === undefined ? {} : { key }) })),
    notify: notify.map(({ address, port, key }) => ({ address, port, ...(key === undefined ? {} : { key }) })),
  };
}
