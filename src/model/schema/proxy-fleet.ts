/** `ProxyFleet`: proxies that are told which clusters serve a route: Envoys over xDS, or HAProxies by files and their runtime API. */
import { z } from "zod";
import { location } from "./location.ts";
import { celRules, entryName, formed, integer, namedList, plainIp } from "./parts.ts";

/** Of a file on the proxy's machine, which the proxy reads and we do not. It is written into configurations, so it has no room for more than a path. */
const proxyFile = (what: string) =>
  formed(
    1024,
    "^/[A-Za-z0-9@%+=:,._/-]+$",
    "the absolute path of a file",
    "Write it as in /etc/tls/tls.crt: letters, digits and @%+=:,._/- only.",
  ).describe(`${what} A path on the proxy's machine.`);

const listenAddress = () => plainIp().describe("An address of the proxy's machine; 0.0.0.0 and :: mean all of a family.");

const endpointCa = () =>
  proxyFile("Certificates in PEM of those who may sign what endpoints show, for routes that are probed over TLS.")
    .default("/etc/ssl/certs/ca-certificates.crt")
    .meta({ whenAbsent: "/etc/ssl/certs/ca-certificates.crt" });

const place = z.strictObject({
  name: entryName().describe(
    "Identifies the place within the fleet. An Envoy names it as the region of its locality, a HAProxy by `place`.",
  ),
  location: location("the proxies there are, and so the clients whom they serve"),
});

const envoy = z
  .strictObject({
    listener: z
      .strictObject({
        address: listenAddress(),
        port: integer(0, 65_535).describe("TCP port; 0 = any free one, which only Envoy's own admin interface tells."),
        tls: z
          .strictObject({
            certificateFile: proxyFile("Certificate chain in PEM."),
            keyFile: proxyFile("Its private key in PEM."),
          })
          .optional()
          .meta({ whenAbsent: "plain HTTP" })
          .describe("Clients speak TLS."),
        trustedHops: integer(0, 16).default(0).describe("Proxies in front of Envoy whose X-Forwarded-For counts."),
      })
      .optional()
      .meta({ whenAbsent: "Envoys have listeners of their own, which take the route configuration globalroute from here" })
      .describe("Where Envoys of this fleet accept requests."),
    endpointCaFile: endpointCa(),
  })
  .describe(
    "Envoys. They ask for their configuration (ADS, xDS v3) where `--xds` listens, with the fleet's name as cluster of their node.",
  );

const member = z.strictObject({
  name: entryName().describe("Identifies the HAProxy within the fleet, and names its folder: DIR/FLEET/NAME below --haproxy-dir."),
  place: entryName().describe("The place where it stands."),
  listen: z
    .array(
      z.strictObject({
        address: listenAddress(),
        port: integer(1, 65_535).describe("TCP port."),
        certificateFile: proxyFile("Certificate and private key in PEM, in one file.").optional().meta({ whenAbsent: "plain HTTP" }),
      }),
    )
    .min(1)
    .max(16)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .describe("Where it accepts requests."),
  admin: z
    .strictObject({
      address: plainIp().describe("Checked by the same rules as addresses that are probed."),
      port: integer(1, 65_535).describe("A TCP port that leads to its admin socket."),
    })
    .optional()
    .meta({ whenAbsent: "the Unix socket admin.sock in its folder" })
    .describe("Where its runtime API is reached from here."),
  reload: z
    .enum(["Master", "Manual"])
    .default("Master")
    .describe(
      "When a route comes or goes, HAProxy has to read its configuration again. Master: its master process is told to, by the socket master.sock in its folder (haproxy -W -S). Manual: somebody else does it, when the status asks for it.",
    ),
  runAs: z
    .strictObject({ user: entryName().describe("User."), group: entryName().describe("Group; its members may command it.") })
    .optional()
    .meta({ whenAbsent: "it stays who started it" })
    .describe("Whom HAProxy becomes once it has its ports."),
});

const haproxy = z
  .strictObject({
    members: namedList(member, 64, 1).describe("The HAProxies."),
    trustedHops: integer(0, 16)
      .default(0)
      .describe("Proxies in front of the HAProxies whose X-Forwarded-For counts. Nobody else may reach them then."),
    endpointCaFile: endpointCa(),
  })
  .describe("HAProxies. Each is started with the configuration in its folder below --haproxy-dir.");

export const proxyFleetSpec = z
  .strictObject({
    type: z
      .enum(["Envoy", "HAProxy"])
      .meta(celRules({ rule: "self == oldSelf", message: "is immutable: make another ProxyFleet for another type" }))
      .describe("What the proxies are. Immutable."),
    places: namedList(place, 128, 1).describe("Where the proxies stand: how far clusters are is measured from there."),
    envoy: envoy.optional().meta({ whenAbsent: "type is another" }),
    haproxy: haproxy.optional().meta({ whenAbsent: "type is another" }),
  })
  .meta(
    celRules(
      { rule: "has(self.envoy) == (self.type == 'Envoy')", message: "envoy goes with type Envoy, and with no other" },
      { rule: "has(self.haproxy) == (self.type == 'HAProxy')", message: "haproxy goes with type HAProxy, and with no other" },
      {
        rule: "!has(self.haproxy) || self.haproxy.members.all(member, self.places.exists(place, place.name == member.place))",
        message: "members must name a place of this fleet: correct place, or add it to places",
      },
    ),
  )
  .describe("What the proxies are, and where they stand.");
