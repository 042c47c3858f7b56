/** `spec.provider.rfc2136` of a `DNSZone`: a server elsewhere that takes dynamic updates. */
import { z } from "zod";
import { adoptFrom } from "./adopt-from.ts";
import { host, integer } from "./parts.ts";

export const rfc2136 = z
  .strictObject({
    server: z
      .strictObject({
        host: z.string().min(1).max(253).describe("IP address or host name of the zone's primary server."),
        port: integer(1, 65_535).default(53).describe("Its TCP port."),
      })
      .describe("The zone's primary server. It is written to and read from over TCP."),
    key: z
      .strictObject({
        name: host().describe("Name of the key, as the server knows it: key names look like domain names."),
        algorithm: z.enum(["hmac-sha256", "hmac-sha512"]).default("hmac-sha256").describe("How messages are signed with it."),
        file: z
          .string()
          .min(1)
          .max(4096)
          .describe(
            "File with the secret, as tsig-keygen or keymgr -t print it, or in base64 alone. A path that is not absolute begins at the folder of this object's file; in Kubernetes it is absolute, in the controller's Pods.",
          ),
      })
      .describe("The shared secret (TSIG) that may update and transfer the zone."),
    adoptFrom,
  })
  .describe("A server that takes dynamic updates (RFC 2136) and hands out the zone by AXFR, signed with TSIG.");
