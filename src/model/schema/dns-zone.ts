/** `DNSZone`: a domain, who answers for it, and which routes may put names into it. */
import { z } from "zod";
import { delegation } from "./delegation.ts";
import { externaldns } from "./externaldns.ts";
import { celRules, entryName, formed, host, labelSelector, namedList, setOf, wholeSeconds } from "./parts.ts";
import { powerdns } from "./powerdns.ts";
import { rfc2136 } from "./rfc2136.ts";
import { route53 } from "./route53.ts";
import { zoneTransfer } from "./zone-transfer.ts";

const ownerNamePattern = "^(@|(\\*\\.|\\*$)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\\.|$))*)$";

const record = z.strictObject({
  name: formed(
    254,
    ownerNamePattern,
    "an owner name",
    "Write @ for the apex, www for a name below it, or a whole name with a trailing dot, as in www.example.org.",
  ).describe("Owner name: @ is the apex, a name without a trailing dot is below it, one with a trailing dot is whole."),
  type: z
    .enum(["A", "AAAA", "CAA", "CNAME", "DS", "MX", "NS", "SRV", "TXT"])
    .describe("Record type. NS below the apex delegates, with DS beside it to a signed zone; the apex's own NS come from nameservers."),
  ttl: wholeSeconds("1s", "168h").prefault("1h").describe("How long resolvers may keep it."),
  values: setOf(z.string().min(1).max(2048), 64).describe(
    'One entry for each record, in zone-file form: "10 mail.example.org." for MX, "0 issue ca.example.org" for CAA. A TXT entry is one text, or several in double quotes.',
  ),
});

const soa = z
  .strictObject({
    mname: host().optional().meta({ whenAbsent: "the first nameserver" }).describe("The primary nameserver."),
    rname: formed(253, "^[A-Za-z0-9_]([A-Za-z0-9_+@.-]{0,251}[A-Za-z0-9])?$", "a mailbox", "Write it as in hostmaster@example.org.")
      .optional()
      .meta({ whenAbsent: "hostmaster@ the domain" })
      .describe("The mailbox of who is responsible, written with @ or with a dot in its place."),
    refresh: wholeSeconds("1s", "9999h").prefault("1h").describe("How often secondaries look for changes."),
    retry: wholeSeconds("1s", "9999h").prefault("10m").describe("How soon they try again after a failure."),
    expire: wholeSeconds("1s", "9999h").prefault("336h").describe("When they give the zone up."),
    minimum: wholeSeconds("1s", "24h")
      .prefault("30s")
      .describe("How long resolvers may keep the fact that a name or a type does not exist."),
    ttl: wholeSeconds("1s", "24h")
      .prefault("1h")
      .describe("How long resolvers may keep SOA and NS records themselves, and the keys of a signed zone."),
  })
  .prefault({})
  .describe("Start of authority. The serial is kept by the server.");

const dnssec = z
  .strictObject({
    keys: namedList(
      z.strictObject({
        name: entryName().describe("Tells the key apart from the others, in messages."),
        file: z
          .string()
          .min(1)
          .max(4096)
          .describe(
            "File with the private key, as globalroute dnssec keygen makes it. A path that is not absolute begins at the folder of this object's file; in Kubernetes it is absolute, in the controller's Pods.",
          ),
        state: z
          .enum(["Published", "Active", "Retired"])
          .default("Active")
          .describe(
            "Active: signs the zone; exactly one key is. Published: is made known, to sign later. Retired: is kept until no cache holds its signatures.",
          ),
      }),
      4,
      1,
    ).describe(
      "The keys of the zone, ECDSA P-256 with SHA-256. More than one only while one replaces another; docs/dnssec.md has the steps.",
    ),
    delegation: z
      .enum(["Secure", "Insecure"])
      .default("Secure")
      .describe(
        "What CDS and CDNSKEY records ask of the parent zone: Secure asks for DS records of the keys, Insecure for their removal, before signing is given up.",
      ),
  })
  .meta(
    celRules({
      rule: "self.keys.filter(key, key.state == 'Active').size() == 1",
      message: "keys needs exactly one Active key: set state: Active on one, Published or Retired on the others",
    }),
  )
  .optional()
  .meta({ whenAbsent: "the zone is not signed" })
  .describe("Signs the zone (DNSSEC).");

const embedded = z
  .strictObject({
    nameservers: setOf(host(), 13).describe("Host names of the servers that answer for the zone, as the parent zone delegates to them."),
    soa,
    records: z
      .array(record)
      .max(1000)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "type"] })
      .default([])
      .describe("Records that do not depend on the client: MX, TXT and the like."),
    dnssec,
    transfer: zoneTransfer,
  })
  .describe("Settings of the embedded server.");

export const dnsZoneSpec = z
  .strictObject({
    domain: host()
      .meta({ "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "is immutable: make another DNSZone for another domain" }] })
      .describe("The zone's apex, without a trailing dot. Immutable."),
    provider: z
      .strictObject({
        type: z
          .enum(["Embedded", "RFC2136", "Route53", "PowerDNS", "ExternalDNS"])
          .meta(celRules({ rule: "self == oldSelf", message: "is immutable: make another DNSZone for another provider" }))
          .describe(
            "Who answers for the zone. Embedded: this program's own authoritative server. RFC2136: a server elsewhere that takes dynamic updates. Route53: a hosted zone of Amazon Route 53. PowerDNS: a server of PowerDNS, by its HTTP API. ExternalDNS: whatever provider ExternalDNS is started for, by DNSEndpoints. Immutable.",
          ),
        embedded: embedded.optional().meta({ whenAbsent: "type is another" }),
        rfc2136: rfc2136.optional().meta({ whenAbsent: "type is another" }),
        route53: route53.optional().meta({ whenAbsent: "type is another" }),
        powerdns: powerdns.optional().meta({ whenAbsent: "type is another" }),
        externalDns: externaldns.optional().meta({ whenAbsent: "type is another" }),
      })
      .meta(
        celRules(
          { rule: "has(self.embedded) == (self.type == 'Embedded')", message: "embedded goes with type Embedded, and with no other" },
          { rule: "has(self.rfc2136) == (self.type == 'RFC2136')", message: "rfc2136 goes with type RFC2136, and with no other" },
          { rule: "has(self.route53) == (self.type == 'Route53')", message: "route53 goes with type Route53, and with no other" },
          { rule: "has(self.powerdns) == (self.type == 'PowerDNS')", message: "powerdns goes with type PowerDNS, and with no other" },
          {
            rule: "has(self.externalDns) == (self.type == 'ExternalDNS')",
            message: "externalDns goes with type ExternalDNS, and with no other",
          },
        ),
      )
      .describe("Who answers for the zone: type, and the member that is named by it."),
    owner: entryName()
      .optional()
      .describe(
        "Ownership id of this installation, which marks its records in a zone that is kept elsewhere: needed there, and no other installation may use the same for the zone. The embedded server is the only owner of what it serves and needs none. Immutable.",
      ),
    policy: z
      .enum(["UpsertOnly", "Sync", "DryRun"])
      .default("UpsertOnly")
      .describe(
        "In a zone that is kept elsewhere: UpsertOnly makes and changes records and removes none, Sync removes those of ours that nobody wants any more, DryRun only tells what it would do.",
      ),
    delegation,
    deletionPolicy: z
      .enum(["Orphan", "Delete"])
      .default("Orphan")
      .describe(
        "What becomes of our records in a zone that is kept elsewhere when this object is deleted from a Kubernetes API server. Orphan: they stay where they are. Delete: the object goes when they are gone; nothing is removed while policy is DryRun.",
      ),
    allowedRoutes: z
      .array(
        z.strictObject({
          namespaceSelector: labelSelector("Labels that the route's namespace must have, all of them.")
            .optional()
            .meta({ whenAbsent: "routes of every namespace" })
            .describe("Namespaces whose routes are allowed, by the labels that they have in the cluster of this object."),
          clusterSelector: labelSelector("Labels that the MemberCluster must have, all of them.")
            .optional()
            .meta({ whenAbsent: "sources of every cluster" })
            .describe(
              "Clusters whose annotated sources are allowed. Labels beginning with residency.globalroute.dev/ are set by operators only.",
            ),
          suffixes: setOf(host(), 64)
            .optional()
            .meta({ whenAbsent: "every name of the zone" })
            .describe("Names that routes may use: these and everything below them, by whole labels."),
        }),
      )
      .min(1)
      .max(16)
      .meta({ "x-kubernetes-list-type": "atomic" })
      .optional()
      .meta({ whenAbsent: "in files every route, with any name of the zone; in Kubernetes none" })
      .describe(
        "Which routes may publish names in the zone: a name is allowed when any entry allows it. An entry without members, {}, allows everything.",
      ),
  })
  .meta(
    celRules(
      {
        rule: "self.provider.type == 'Embedded' || has(self.owner)",
        message: "owner is needed in a zone that is kept elsewhere: it marks which records are ours",
      },
      {
        rule: "!has(oldSelf.owner) || (has(self.owner) && self.owner == oldSelf.owner)",
        message: "owner is immutable once it is set: make another DNSZone for another owner",
      },
    ),
  )
  .describe("The domain, and who answers for it.");
