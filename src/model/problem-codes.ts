/**
 * Every kind of problem that can be reported about what the user wrote. The keys are stable: they stand in output, and docs/problems.md
 * is written from this table.
 */
export const problemCodes = {
  "dnssec-active": {
    cause: "Not exactly one of a zone's DNSSEC keys is Active. That one signs; without it, or with two, nobody could tell what to serve.",
    remedy: "Set `state: Active` on one key, Published or Retired on the others; docs/dnssec.md has the order of a rollover.",
  },
  "dnssec-key": {
    cause: "A DNSSEC key file does not hold a private key of ECDSA P-256 in PEM, or two keys of a zone cannot be told apart.",
    remedy: "Make a key with `globalroute dnssec keygen`, or copy the right file.",
  },
  "policy-not-expressible": {
    cause:
      "A route has a host in a zone that is kept elsewhere, and a part of its policy cannot be followed there. The message says what is published instead.",
    remedy: "Keep the zone Embedded, or write a policy that the provider can follow.",
  },
  "provider-member": {
    cause: "`provider.type` of a DNSZone names one provider, and the settings of another are there, or its own are missing.",
    remedy:
      "Keep exactly the member that `type` names: `embedded` for Embedded, `rfc2136` for RFC2136, `route53` for Route53, `powerdns` for PowerDNS, `externalDns` for ExternalDNS.",
  },
  "proxy-member": {
    cause: "`type` of a ProxyFleet names one kind of proxies, and the settings of another are there, or its own are missing.",
    remedy: "Keep exactly the member that `type` names: `envoy` for Envoy, `haproxy` for HAProxy.",
  },
  "proxy-place": {
    cause: "A HAProxy of a ProxyFleet stands at a place that the fleet does not have.",
    remedy: "Correct `place`, or add the place to `places`.",
  },
  "proxy-unknown": {
    cause: "`publish.proxies` names a ProxyFleet that does not exist or that has errors of its own.",
    remedy: "Correct the name, or add the ProxyFleet.",
  },
  "provider-owner": {
    cause: "A DNSZone that is kept elsewhere has no `owner`, by which our records there are told from those of others.",
    remedy: "Add `owner`, a name that no other installation uses for this zone.",
  },
  "entry-duplicate": {
    cause: "A list has one entry twice, perhaps in two spellings (of an IPv6 address, of a network).",
    remedy: "Remove one of them.",
  },
  "address-syntax": {
    cause: "An entry of `addresses` is neither an IP address nor a host name. Ports, prefixes and URLs do not belong there.",
    remedy: "Write the bare address; the port that is probed is `health.probe.port`.",
  },
  "address-unusable": {
    cause: "The address is well formed, but no client can connect to it: unspecified, broadcast, multicast or IPv4-mapped.",
    remedy: "Write the address that clients of the site connect to.",
  },
  "alias-limit": {
    cause: "Aliases (`*name`) of a file expand to far more than was written, as in an alias bomb.",
    remedy: "Write the values out.",
  },
  "api-version": {
    cause: "`apiVersion` is missing or is not one that this version of GlobalRoute reads.",
    remedy: "Write `apiVersion: globalroute.dev/v1alpha1`; keep objects of other systems in another folder.",
  },
  "backend-missing": {
    cause: "A route has no backend with an address: none is listed and no annotated source has joined, or none has published one yet.",
    remedy: "List a backend, or look at `status.backends`: it says for each where its addresses come from and what is missing.",
  },
  "clients-empty": {
    cause: "A rule's `clients` names nobody, so the rule would never apply.",
    remedy: "Name clients, or remove the rule. `subnets: [0.0.0.0/0, ::/0]` is everybody.",
  },
  "cluster-unknown": {
    cause: "A backend or a rule names a MemberCluster that does not exist or that has errors of its own.",
    remedy: "Mend the name, or add the MemberCluster.",
  },
  "file-exposed": {
    cause: "A file with a secret may be read by users other than its owner and group.",
    remedy:
      "Take the permission away: `chmod o-rwx FILE`, or `defaultMode: 0400` for a mounted Secret. If others could read it, make a new secret.",
  },
  "field-format": {
    cause: "The text does not have the form that its field needs.",
    remedy: "The message shows the form with an example.",
  },
  "field-missing": { cause: "A required field is absent or empty.", remedy: "Add it; docs/reference.md describes each field." },
  "field-range": {
    cause: "A number or duration lies outside its bounds, or a text or list is longer or shorter than allowed.",
    remedy: "The message names the bound.",
  },
  "field-type": {
    cause: "The value has another type than the field: a number where a text is needed, one value where a list is needed.",
    remedy: "The message names the type. Quote texts that look like numbers; put single values in `[ ]` where a list is needed.",
  },
  "field-unknown": {
    cause: "The object has a field that this version does not know: a misspelling, a wrong indentation, or a field of a later version.",
    remedy: "Correct its name or place, or remove it. Unknown fields are refused, because a policy that is silently ignored is worse.",
  },
  "field-unused": {
    cause: "The field is valid but does nothing beside the other fields of this object.",
    remedy: "Remove it, or change the field that makes it idle.",
  },
  "field-value": {
    cause: "The field takes one of a few values, and this is none of them.",
    remedy: "Choose one of those that the message lists.",
  },
  "file-encoding": { cause: "The file is not UTF-8 text.", remedy: "Save it as UTF-8, or remove it from the folder." },
  "file-empty": {
    cause: "A file that should hold a secret or a certificate holds nothing.",
    remedy: "Write it into the file, or name another file.",
  },
  "file-size": { cause: "The file is larger than 4 MiB.", remedy: "Split it: any number of files and folders is read." },
  "file-unreadable": {
    cause: "The file or folder exists, but cannot be read.",
    remedy: "Let the user that runs GlobalRoute read it, or remove it.",
  },
  "folder-empty": {
    cause: "The folder holds no YAML file, or only files that hold comments and no object.",
    remedy: "Write objects into it; examples/ has some to start from.",
  },
  "folder-limit": {
    cause: "The folder holds more files or bytes than are read.",
    remedy: "Name the folder that holds GlobalRoute's objects alone.",
  },
  "geo-field": {
    cause: "A rule asks for subdivisions or ASNs, and no loaded geo database carries them: every client is of unknown place to that rule.",
    remedy: "Load a city or ASN database with `--mmdb`, or use countries or subnets.",
  },
  "geo-one-place": {
    cause:
      "Two clusters that a route tells apart by distance are in one country, and the loaded geo database knows no places within a country.",
    remedy: "Load a city database with `--mmdb`, or set `routing.tolerance` so that they share by weight.",
  },
  "host-idn": {
    cause: "A host name has letters outside ASCII. Objects hold names as DNS carries them.",
    remedy: "Write the A-label (`xn--…`) that the message gives.",
  },
  "host-not-allowed": {
    cause: "The zone that holds the host does not allow routes to use this name (`allowedRoutes`).",
    remedy: "Add the suffix to `allowedRoutes` of the DNSZone, or choose another host.",
  },
  "host-overlap": {
    cause: "Two routes have the same host. The one read first keeps it, and the other is left out.",
    remedy: "Remove the host from one of them.",
  },
  "host-syntax": { cause: "The host name is not one that DNS and browsers accept.", remedy: "The message says which part is wrong." },
  "host-uppercase": { cause: "A host name has capital letters.", remedy: "Write it in lower case." },
  "host-without-zone": {
    cause: "No DNSZone holds the host, so nobody can be answered for it.",
    remedy: "Add a DNSZone for its domain, or name the right zone in `publish.dns`.",
  },
  "kind-unknown": {
    cause: "`kind` is missing or is not one of GlobalRoute's.",
    remedy: "Correct the kind; keep other objects in another folder.",
  },
  "link-loop": { cause: "A symbolic link leads to a folder that it lies in.", remedy: "Remove the link." },
  "kubernetes-only": {
    cause: "The field works only where a Kubernetes controller reads the objects; in a folder of files it would silently do nothing.",
    remedy: "The message names what takes its place in files.",
  },
  "location-incomplete": {
    cause: "A location is neither `cloud` with `region` nor `latitude` with `longitude`, or it is both.",
    remedy: "Give exactly one of the two pairs.",
  },
  "name-duplicate": {
    cause: "Two entries of one list, of the same kind, have the same name.",
    remedy: "Rename one of them: its name identifies an entry in overrides, metrics and reports.",
  },
  "namespace-unused": { cause: "A cluster-scoped object has a namespace.", remedy: "Remove `metadata.namespace`." },
  "nameserver-address": {
    cause: "A nameserver lies inside its own zone but has no address there, so resolvers cannot find it.",
    remedy: "Add A or AAAA records for it, or name a server outside the zone.",
  },
  "object-duplicate": {
    cause: "Two objects have the same kind, namespace and name. The one read first counts.",
    remedy: "Remove or rename one of them.",
  },
  "override-namespace": {
    cause:
      "A TrafficOverride that aims at a MemberCluster is not in the controller's namespace, so that a tenant could move everybody's clients.",
    remedy: "Make it in the controller's namespace, or aim at a GlobalRoute of its own namespace.",
  },
  "override-target": {
    cause: "A TrafficOverride names a target that does not exist; it does nothing until the target appears.",
    remedy: "Correct the name, or delete the override.",
  },
  "override-time": {
    cause:
      "Drain, Cordon, Freeze, ForceUp and Drill need an end (`until`), Drill a beginning (`start`) too, and an end must lie after the start.",
    remedy: "Set `until` to the time by which the work will be done; it can be moved later.",
  },
  "path-missing": { cause: "The path does not exist, or is a link to nothing.", remedy: "Correct the path, or remove the link." },
  "probe-host": {
    cause: "The probe needs one host name for Host header and SNI, and all of the route's hosts are wildcards.",
    remedy: "Set `health.probe.host` to a name below the wildcard that every cluster serves.",
  },
  "range-order": { cause: "The lower bound of a range lies above its upper bound.", remedy: "Swap or correct the two values." },
  "record-conflict": {
    cause: "Two records of a zone cannot stand together: a CNAME beside anything else, an RRset listed twice, a CNAME at the apex.",
    remedy: "Keep one of them. At an apex use A and AAAA, or a GlobalRoute.",
  },
  "record-hidden": {
    cause: "A record is never answered: it lies in another zone, or a route answers for its name.",
    remedy: "Move it to the zone that holds it, or remove it.",
  },
  "record-name": {
    cause: "A record's name is malformed or lies outside its zone.",
    remedy: "Write `@` for the apex, `www` for a name below it, or a whole name with a trailing dot.",
  },
  "record-value": { cause: "A record's value does not fit its type.", remedy: "The message shows the form with an example." },
  "region-unknown": {
    cause: "The region table does not know this region of this cloud.",
    remedy: "Correct the spelling, or give `latitude` and `longitude` instead.",
  },
  "require-disjoint": {
    cause: "Two Require rules can meet in one client and have no cluster in common, so that client could not be served.",
    remedy: "Give them a common cluster, or make their clients disjoint.",
  },
  "rollout-step": {
    cause: "A step of a rollout names no backend of the route, or has both or neither of `pause` and `approval`.",
    remedy: "Correct the name, and keep exactly one of the two.",
  },
  "rule-without-backend": {
    cause: "None of the clusters that a rule selects has a backend in the route.",
    remedy: "Add a backend in one of the clusters, or correct `to`.",
  },
  "rule-selects-nothing": {
    cause: "A rule's `to` selects no MemberCluster: the labels match none, or `clusters` and `selector` have none in common.",
    remedy: "Correct the names or the labels; when both are given, both must hold.",
  },
  "shares-equal": {
    cause: "With `spread` above 1 every answer holds several clusters, so their shares become about equal whatever their weights.",
    remedy: "Set `spread: 1` where weights matter.",
  },
  "tolerance-order": {
    cause:
      "`tolerance` does not fit the order: `distanceKm` goes with Nearest and `latency` with Latency, and it takes exactly one of them.",
    remedy: "Keep the member that fits `routing.order`.",
  },
  "transfer-key": {
    cause:
      "A TSIG key of `transfer` cannot be used: its file holds no secret, or one of another key, or `allow` or `notify` names no key of the list.",
    remedy: "Make one with `tsig-keygen -a hmac-sha256 NAME`; the message says what is wrong.",
  },
  "transfer-open": {
    cause: "An entry of `transfer.allow` lets everybody take the whole zone.",
    remedy: "Name the networks of the secondaries, a key, or both.",
  },
  "unknown-place": {
    cause: "A Require rule does not say what a client of unknown place gets.",
    remedy: "`unknownPlace: Apply` keeps such clients inside the rule (safe for residency); `Skip` leaves them out of it.",
  },
  "yaml-duplicate-key": { cause: "A mapping has one key twice.", remedy: "Remove one of them." },
  "yaml-object": {
    cause: "A document is not an object with `apiVersion`, `kind`, `metadata` and `spec`.",
    remedy: "Write it as a mapping.",
  },
  "yaml-syntax": { cause: "The file is not valid YAML 1.2.", remedy: "Correct it at the place named; often it is the indentation." },
  "zone-delegation": {
    cause: "`delegation.parent` of a DNSZone names no DNSZone in which its delegation can be kept.",
    remedy: "Name the DNSZone right above it that is kept elsewhere, or remove `delegation` and keep the delegation by hand.",
  },
  "zone-duplicate": { cause: "Two DNSZones have the same domain. The one read first counts.", remedy: "Merge them." },
  "zone-nested": {
    cause:
      "A zone lies inside another and the outer one has no NS record for it, so resolvers that start at the outer zone see no zone cut.",
    remedy: "Add an NS record for the inner domain to the outer zone.",
  },
  "zone-unknown": {
    cause: "`publish.dns` names a DNSZone that does not exist or that has errors of its own.",
    remedy: "Correct the name, or add the DNSZone.",
  },
} as const satisfies Record<string, { readonly cause: string; readonly remedy: string }>;

export type ProblemCode = keyof typeof problemCodes;
