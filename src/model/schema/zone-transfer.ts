/** `spec.provider.embedded.transfer` of a `DNSZone`: who may take copies of the zone, and who is told of changes. */
import { z } from "zod";
import { celRules, host, integer, namedList, plainIp, subnet } from "./parts.ts";

const keyName = () => host().describe("Name of a key in keys.");

const key = z.strictObject({
  name: host().describe("Name of the key, as the secondary knows it: key names look like domain names."),
  algorithm: z.enum(["hmac-sha256", "hmac-sha512"]).default("hmac-sha256").describe("How requests are signed with it."),
  file: z
    .string()
    .min(1)
    .max(4096)
    .describe(
      "File with the secret, as tsig-keygen or keymgr -t print it, or in base64 alone. A path that is not absolute begins at the folder of this object's file; in Kubernetes it is absolute, in the controller's Pods.",
    ),
});

const allow = z
  .strictObject({
    networks: z
      .array(subnet())
      .min(1)
      .max(64)
      .meta({ "x-kubernetes-list-type": "set" })
      .optional()
      .meta({ whenAbsent: "everywhere" })
      .describe("Networks that the request must come from. A bare address is a network of one."),
    key: keyName()
      .optional()
      .meta({ whenAbsent: "requests need no signature" })
      .describe("Name of a key in keys, with which the request must be signed."),
  })
  .meta(celRules({ rule: "has(self.networks) || has(self.key)", message: "must name networks, a key, or both" }));

const notify = z.strictObject({
  address: plainIp().describe("IP address of the secondary."),
  port: integer(1, 65_535).default(53).describe("Its port."),
  key: keyName()
    .optional()
    .meta({ whenAbsent: "notifications are not signed" })
    .describe("Name of a key in keys that signs the notifications."),
});

export const zoneTransfer = z
  .strictObject({
    keys: namedList(key, 16).default([]).describe("Shared secrets (TSIG)."),
    allow: z
      .array(allow)
      .min(1)
      .max(32)
      .meta({ "x-kubernetes-list-type": "atomic" })
      .describe("Who may take the zone. A request is allowed when any entry matches it."),
    notify: z.array(notify).max(32).meta({ "x-kubernetes-list-type": "atomic" }).default([]).describe("Who is told of changes (NOTIFY)."),
  })
  .optional()
  .meta({ whenAbsent: "nobody may" })
  .describe(
    "Lets secondaries take copies of the zone (AXFR, IXFR). A copy holds what a client of unknown place gets: it serves everybody alike when this server is gone.",
  );
