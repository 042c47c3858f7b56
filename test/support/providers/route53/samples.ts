/** Record sets and health checks as clients send them, and what is refused of them. */

export const LOAD_BALANCER = { HostedZoneId: "Z35SXDOTRQ7X7K", DNSName: "lb-1.us-east-1.elb.amazonaws.com.", EvaluateTargetHealth: true };
/** No address of a health check may be one of the documentation's. */
export const PUBLIC_ADDRESS = "8.8.8.8";

export const values = (...texts: readonly string[]) => texts.map((Value) => ({ Value }));
export const plain = (Name: string, addresses: readonly string[], TTL = 30) => ({
  Name,
  Type: "A",
  TTL,
  ResourceRecords: values(...addresses),
});
export const grouped = (SetIdentifier: string, policy: object, address = "192.0.2.1", Name = "shop.example.org.") => ({
  ...{ Name, Type: "A", SetIdentifier, ...policy, TTL: 30 },
  ResourceRecords: values(address),
});
export const endpoint = (more: object = {}) => ({ Type: "HTTP", IPAddress: PUBLIC_ADDRESS, Port: 80, ResourcePath: "/health", ...more });

const single = (Type: string, ...texts: readonly string[]) => ({
  Name: "www.example.org",
  Type,
  TTL: 30,
  ResourceRecords: values(...texts),
});
/** `SELF` stands for the zone that the set is for. */
export const REFUSED_SETS: readonly { readonly name: string; readonly set: object; readonly code?: string; readonly says: string }[] = [
  { name: "a CNAME at the apex", set: { ...single("CNAME", "a.example.net"), Name: "example.org" }, says: "is not permitted at apex" },
  { name: "an IPv4 address that is none", set: single("A", "192.0.2.256"), says: "Value is not a valid IPv4 address" },
  { name: "an IPv6 address that is none", set: single("AAAA", "192.0.2.1"), says: "Value is not a valid IPv6 address" },
  {
    name: "a text without quotation marks",
    set: single("TXT", "heritage=globalroute"),
    says: "Value should be enclosed in quotation marks",
  },
  { name: "a text of 256 characters", set: single("TXT", `"${"x".repeat(256)}"`), says: "CharacterStringTooLong" },
  { name: "an MX without a preference", set: single("MX", "mail.example.org"), says: "does not have 2 fields" },
  { name: "a value twice", set: single("AAAA", "2001:db8::1", "2001:DB8:0::1"), says: "Duplicate Resource Record" },
  { name: "two CNAMEs", set: single("CNAME", "a.example.net", "b.example.net"), says: "Only one record of type CNAME" },
  {
    name: "a TTL that is too long",
    set: { ...single("A", "192.0.2.1"), TTL: 2 ** 31 },
    code: "InvalidInput",
    says: "less than or equal to 2147483647",
  },
  { name: "a type that is none", set: single("WKS", "192.0.2.1"), code: "InvalidInput", says: "satisfy enum value set" },
  {
    name: "neither values nor an alias",
    set: { Name: "www.example.org", Type: "A" },
    code: "InvalidInput",
    says: "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=CREATE, Name=www.example.org, Type=A, SetIdentifier=null]",
  },
  {
    name: "values without a TTL",
    set: { Name: "www.example.org", Type: "A", ResourceRecords: values("192.0.2.1") },
    code: "InvalidInput",
    says: "but found none",
  },
  {
    name: "an alias with a TTL",
    set: { Name: "www.example.org", Type: "A", TTL: 30, AliasTarget: LOAD_BALANCER },
    code: "InvalidInput",
    says: "but found more than one",
  },
  {
    name: "a policy without an identifier",
    set: { ...single("A", "192.0.2.1"), Weight: 1 },
    code: "InvalidInput",
    says: "Missing field 'SetIdentifier'",
  },
  {
    name: "an identifier without a policy",
    set: { ...single("A", "192.0.2.1"), SetIdentifier: "a" },
    code: "InvalidInput",
    says: "CidrRoutingConfig], but found none",
  },
  {
    name: "two policies",
    set: grouped("a", { Weight: 1, Region: "eu-west-1" }),
    code: "InvalidInput",
    says: "CidrRoutingConfig], but found more than one",
  },
  { name: "a weight of 256", set: grouped("a", { Weight: 256 }), code: "InvalidInput", says: "less than or equal to 255" },
  {
    name: "a region that is no region of AWS",
    set: grouped("a", { Region: "fsn1" }),
    code: "InvalidInput",
    says: "satisfy enum value set",
  },
  { name: "a continent that is none", set: grouped("a", { GeoLocation: { ContinentCode: "XX" } }), code: "InvalidInput", says: "XX" },
  { name: "a country without data", set: grouped("a", { GeoLocation: { CountryCode: "BV" } }), code: "InvalidInput", says: "BV" },
  {
    name: "a continent and a country",
    set: grouped("a", { GeoLocation: { ContinentCode: "EU", CountryCode: "DE" } }),
    code: "InvalidInput",
    says: "neither CountryCode",
  },
  {
    name: "a part of a country that has none",
    set: grouped("a", { GeoLocation: { CountryCode: "DE", SubdivisionCode: "BE" } }),
    code: "InvalidInput",
    says: "SubdivisionCode",
  },
  {
    name: "coordinates with three decimals",
    set: grouped("a", { GeoProximityLocation: { Coordinates: { Latitude: "1.123", Longitude: "2.00" } } }),
    code: "InvalidInput",
    says: "regular expression",
  },
  {
    name: "a latitude beyond the pole",
    set: grouped("a", { GeoProximityLocation: { Coordinates: { Latitude: "90.5", Longitude: "2" } } }),
    code: "InvalidInput",
    says: "between -90 and 90",
  },
  {
    name: "a bias of 100",
    set: grouped("a", { GeoProximityLocation: { AWSRegion: "eu-west-1", Bias: 100 } }),
    code: "InvalidInput",
    says: "less than or equal to 99",
  },
  {
    name: "a place and a region",
    set: grouped("a", { GeoProximityLocation: { AWSRegion: "eu-west-1", LocalZoneGroup: "us-east-1-bue-1" } }),
    code: "InvalidInput",
    says: "exactly one",
  },
  {
    name: "multivalue answers that are not",
    set: grouped("a", { MultiValueAnswer: false }),
    code: "InvalidInput",
    says: "may only be true",
  },
  {
    name: "a multivalue alias",
    set: { Name: "www.example.org", Type: "A", SetIdentifier: "a", MultiValueAnswer: true, AliasTarget: LOAD_BALANCER },
    code: "InvalidInput",
    says: "exclude each other",
  },
  {
    name: "a primary without a health check",
    set: grouped("a", { Failover: "PRIMARY" }),
    says: "A non-alias primary ResourceRecordSet must have an associated health check. No changes made.",
  },
  {
    name: "a CIDR collection that is not there",
    set: grouped("a", { CidrRoutingConfig: { CollectionId: "00000000-0000-4000-8000-00000000ffff", LocationName: "*" } }),
    says: "No CIDR collection exists",
  },
  {
    name: "a health check that is not there",
    set: { ...grouped("a", { Weight: 1 }), HealthCheckId: "00000000-0000-4000-8000-00000000ffff" },
    code: "NoSuchHealthCheck",
    says: "No health check exists",
  },
  {
    name: "an alias to what is not there",
    set: {
      Name: "www.example.org",
      Type: "A",
      AliasTarget: { HostedZoneId: "SELF", DNSName: "none.example.org", EvaluateTargetHealth: false },
    },
    says: "but that target was not found",
  },
  {
    name: "an alias out of its zone",
    set: {
      Name: "www.example.org",
      Type: "A",
      AliasTarget: { HostedZoneId: "SELF", DNSName: "www.example.net", EvaluateTargetHealth: false },
    },
    says: "but the alias target name does not lie within the target zone",
  },
  {
    name: "an alias to a zone of nobody's",
    set: { Name: "www.example.org", Type: "A", AliasTarget: { ...LOAD_BALANCER, HostedZoneId: "Z0NOBODY" } },
    says: "but that target was not found",
  },
];

export const REFUSED_CHECKS: readonly { readonly name: string; readonly config: object }[] = [
  { name: "an address of the documentation", config: endpoint({ IPAddress: "192.0.2.1" }) },
  { name: "a private address", config: endpoint({ IPAddress: "10.0.0.1" }) },
  { name: "a local address", config: endpoint({ IPAddress: "127.0.0.1" }) },
  { name: "a link-local IPv6 address", config: endpoint({ IPAddress: "fe80::1" }) },
  { name: "an interval of 20 s", config: endpoint({ RequestInterval: 20 }) },
  { name: "a threshold of 11", config: endpoint({ FailureThreshold: 11 }) },
  { name: "a port of 65,536", config: endpoint({ Port: 65_536 }) },
  { name: "no endpoint", config: { Type: "HTTP" } },
  { name: "TCP without a port", config: { Type: "TCP", IPAddress: PUBLIC_ADDRESS } },
  { name: "a match without a string", config: endpoint({ Type: "HTTP_STR_MATCH" }) },
  { name: "a string of 256 characters", config: endpoint({ Type: "HTTP_STR_MATCH", SearchString: "x".repeat(256) }) },
  { name: "two regions", config: endpoint({ Regions: ["us-east-1", "us-east-1", "eu-west-1"] }) },
  { name: "a region without checkers", config: endpoint({ Regions: ["us-east-1", "eu-central-1", "eu-west-1"] }) },
  {
    name: "a calculation with an endpoint",
    config: { Type: "CALCULATED", HealthThreshold: 1, ChildHealthChecks: [], IPAddress: PUBLIC_ADDRESS },
  },
  { name: "a child that is not there", config: { Type: "CALCULATED", HealthThreshold: 1, ChildHealthChecks: ["none"] } },
];
