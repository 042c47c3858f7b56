/** `spec.provider.powerdns` of a `DNSZone`: a PowerDNS Authoritative Server with its HTTP API. */
import { z } from "zod";
import { adoptFrom } from "./adopt-from.ts";
import { formed } from "./parts.ts";

const file = (what: string) =>
  z
    .string()
    .min(1)
    .max(4096)
    .describe(
      `${what} A path that is not absolute begins at the folder of this object's file; in Kubernetes it is absolute, in the controller's Pods.`,
    );

export const powerdns = z
  .strictObject({
    server: formed(
      2048,
      "^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$|^https?://\\[[0-9A-Fa-f:.]+\\](:[0-9]{1,5})?$",
      "the address of a webserver",
      "Write it as in http://192.0.2.53:8081, without a path.",
    ).describe("Where its webserver listens, with the API switched on."),
    serverId: formed(253, "^[A-Za-z0-9_.-]+$", "the id of a server", "Write localhost, unless a proxy before it names servers otherwise.")
      .default("localhost")
      .describe("What the server calls itself."),
    key: z.strictObject({ file: file("File with the API key, the value of its setting api-key.") }).describe("The secret that lets us in."),
    ca: z
      .strictObject({ file: file("File with certificates in PEM.") })
      .optional()
      .meta({ whenAbsent: "the authorities that are known everywhere" })
      .describe("Who signed the server's certificate, for https."),
    answers: z
      .enum(["Plain", "Lua"])
      .default("Plain")
      .describe(
        "Plain: everybody gets the same. Lua: LUA records choose by client, with the same mmdb file that GlobalRoute is started with; docs/providers.md has what the server needs.",
      ),
    luaEnabledBy: z
      .enum(["Server", "Zone"])
      .default("Server")
      .describe(
        "Server: by its setting enable-lua-records, which is looked at. Zone: by the zone's metadata ENABLE-LUA-RECORDS, which the API does not show.",
      ),
    adoptFrom,
  })
  .describe("A PowerDNS Authoritative Server, written to by its HTTP API.");
