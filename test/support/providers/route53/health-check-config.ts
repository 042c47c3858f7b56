/**
 * What a health check is told to do, and what Route 53 refuses of it.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
 */
import { BlockList, isIP } from "node:net";
import { invalidInput } from "./api-error.ts";
import type { Fields } from "./fields.ts";
import { CHECKER_REGIONS } from "./locations.ts";
import { normaliseName } from "./names.ts";
import { type Element, element } from "./xml.ts";

const TYPES = ["HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP", "CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"] as const;
export type HealthCheckType = (typeof TYPES)[number];

/** As the API names it; absent where it was not sent and has no default. */
export interface HealthCheckConfig {
  readonly type: HealthCheckType;
  readonly ipAddress?: string;
  readonly port?: number;
  readonly resourcePath?: string;
  readonly domainName?: string;
  readonly searchString?: string;
  /** Seconds. */
  readonly requestInterval?: number;
  readonly failureThreshold?: number;
  readonly measuresLatency?: boolean;
  readonly isInverted: boolean;
  readonly isDisabled: boolean;
  /** How many children must be healthy. */
  readonly healthThreshold?: number;
  readonly children?: readonly string[];
  readonly enablesSni?: boolean;
  readonly regions?: readonly string[];
}

/** What the config names beside itself. */
export interface ConfigContext {
  readonly typeOf: (healthCheckId: string) => HealthCheckType | undefined;
  readonly maxChildren: number;
  readonly allowsDocumentationAddresses: boolean;
}

const CREATABLE = ["Type", "RequestInterval", "MeasureLatency", "RoutingControlArn"];
const UPDATABLE = [
  ...["IPAddress", "Port", "ResourcePath", "FullyQualifiedDomainName", "SearchString", "FailureThreshold", "Inverted", "Disabled"],
  ...["HealthThreshold", "ChildHealthChecks", "EnableSNI", "Regions", "AlarmIdentifier", "InsufficientDataHealthStatus"],
];
const RESETTABLE = ["FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks"] as const;

/** @throws ApiError InvalidInput */
export function decodeConfig(fields: Fields, context: ConfigContext): HealthCheckConfig {
  fields.requiredText("Type");
  const type = fields.choice("Type", TYPES)!;
  const requestInterval = fields.integer("RequestInterval", [10, 30]);
  const measuresLatency = fields.flag("MeasureLatency") ?? false;
  const isCalculated = type === "CALCULATED";
  const defaults: HealthCheckConfig = {
    ...{ type, isInverted: false, isDisabled: false },
    ...(isCalculated
      ? {}
      : { requestInterval: requestInterval ?? 30, failureThreshold: 3, measuresLatency, enablesSni: type.startsWith("HTTPS") }),
    ...(type.startsWith("HTTP") ? { port: type.startsWith("HTTPS") ? 443 : 80 } : {}),
  };
  if (isCalculated && requestInterval !== undefined)
    throw invalidInput("Invalid parameter: RequestInterval may not be used with Type CALCULATED");
  return checkConfig({ ...defaults, ...decodeMembers(fields) }, context);
}

/** Members of a HealthCheckConfig, in a request to create one. */
export const CONFIG_MEMBERS: readonly string[] = [...CREATABLE, ...UPDATABLE];
/** Members of an UpdateHealthCheckRequest. */
export const UPDATE_MEMBERS: readonly string[] = ["HealthCheckVersion", "ResetElements", ...UPDATABLE];

/** @returns the config with what was sent replaced and what was to be reset gone */
export function updateConfig(config: HealthCheckConfig, fields: Fields, context: ConfigContext): HealthCheckConfig {
  const reset = (fields.list("ResetElements", "ResettableElementName") ?? []).map(({ text }) => {
    const found = RESETTABLE.find((one) => one === text);
    if (found === undefined) throw invalidInput(`Invalid ResettableElementName '${text}'`);
    return found;
  });
  const { domainName, regions, resourcePath, children, ...rest } = config;
  const kept = {
    ...(domainName === undefined || reset.includes("FullyQualifiedDomainName") ? {} : { domainName }),
    ...(regions === undefined || reset.includes("Regions") ? {} : { regions }),
    ...(resourcePath === undefined || reset.includes("ResourcePath") ? {} : { resourcePath }),
    ...(children === undefined || reset.includes("ChildHealthChecks") ? {} : { children }),
  };
  return checkConfig({ ...rest, ...kept, ...decodeMembers(fields) }, context);
}

function decodeMembers(fields: Fields): Partial<HealthCheckConfig> {
  const decoded = {
    ipAddress: fields.text("IPAddress", [0, 45]),
    port: fields.integer("Port", [1, 65_535]),
    resourcePath: fields.text("ResourcePath", [0, 255]),
    domainName: fields.text("FullyQualifiedDomainName", [0, 255]),
    searchString: fields.text("SearchString", [0, 255]),
    failureThreshold: fields.integer("FailureThreshold", [1, 10]),
    isInverted: fields.flag("Inverted"),
    isDisabled: fields.flag("Disabled"),
    healthThreshold: fields.integer("HealthThreshold", [0, 256]),
    children: fields.list("ChildHealthChecks", "ChildHealthCheck")?.map(({ text }) => text),
    enablesSni: fields.flag("EnableSNI"),
    regions: fields.list("Regions", "Region")?.map(({ text }) => text),
  };
  return Object.fromEntries(Object.entries(decoded).filter(([, value]) => value !== undefined));
}

function checkConfig(config: HealthCheckConfig, context: ConfigContext): HealthCheckConfig {
  const problem = config.type === "CALCULATED" ? calculatedProblem(config, context) : endpointProblem(config, context);
  if (problem !== undefined) throw invalidInput(`Invalid parameter: ${problem}`);
  return config;
}

function calculatedProblem(config: HealthCheckConfig, { typeOf, maxChildren }: ConfigContext): string | undefined {
  const { children = [], healthThreshold } = config;
  if (config.ipAddress ?? config.port ?? config.resourcePath ?? config.domainName ?? config.searchString ?? config.regions) {
    return "Type CALCULATED goes with no endpoint";
  }
  if (healthThreshold === undefined) return "Type CALCULATED needs HealthThreshold";
  if (children.length > maxChildren) return `More than ${maxChildren} ChildHealthChecks`;
  if (new Set(children).size < children.length) return "ChildHealthChecks holds one twice";
  const stranger = children.find((id) => typeOf(id) === undefined);
  if (stranger !== undefined) return `ChildHealthCheck ${stranger} does not exist`;
  return children.some((id) => typeOf(id) === "CALCULATED") ? "A calculated health check cannot monitor another" : undefined;
}

function endpointProblem(config: HealthCheckConfig, { allowsDocumentationAddresses }: ConfigContext): string | undefined {
  const { type, ipAddress, domainName, searchString, regions, requestInterval, resourcePath } = config;
  if (type === "CLOUDWATCH_METRIC" || type === "RECOVERY_CONTROL") return `Type ${type} is not part of this emulator`;
  if (config.children !== undefined || config.healthThreshold !== undefined)
    return `ChildHealthChecks and HealthThreshold do not go with Type ${type}`;
  if (ipAddress === undefined && domainName === undefined) return "IPAddress or FullyQualifiedDomainName is needed";
  if (ipAddress !== undefined) {
    if (isIP(ipAddress) === 0) return `'${ipAddress}' is no IP address`;
    if (isReserved(ipAddress, allowsDocumentationAddresses)) return `IPAddress ${ipAddress} is in a reserved IP range`;
  }
  if (domainName !== undefined && isIP(domainName) === 0 && normaliseName(domainName) === undefined)
    return `'${domainName}' is no domain name`;
  if (requestInterval !== 10 && requestInterval !== 30) return "RequestInterval is 10 or 30";
  if (type === "TCP" && config.port === undefined) return "Type TCP needs Port";
  if (type === "TCP" && resourcePath !== undefined) return "Type TCP goes with no ResourcePath";
  if (type.endsWith("STR_MATCH") !== (searchString !== undefined && searchString !== "")) {
    return `SearchString ${searchString === undefined ? "is needed with" : "does not go with"} Type ${type}`;
  }
  if (resourcePath !== undefined && /[^\x21-\x7e]/.test(resourcePath)) return "ResourcePath has a space or what is no ASCII";
  if (regions !== undefined) {
    const stranger = regions.find((region) => !CHECKER_REGIONS.some((one) => one === region));
    if (stranger !== undefined) return `There are no health checkers in '${stranger}'`;
    if (new Set(regions).size < 3) return "At least three Regions are needed";
  }
  return undefined;
}

/** Special-use addresses of RFC 5735, 6598 and 5156, which health checkers cannot reach. */
const RESERVED = new BlockList();
const DOCUMENTATION = new BlockList();
for (const [list, networks] of [
  [
    RESERVED,
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4",
  ],
  [RESERVED, "::/127 fe80::/10 fc00::/7 ff00::/8 2001::/32 2002::/16 2001:10::/28"],
  [DOCUMENTATION, "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32"],
] as const) {
  for (const network of networks.split(" ")) {
    const [address = "", length] = network.split("/");
    list.addSubnet(address, Number(length), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

function isReserved(address: string, allowsDocumentation: boolean): boolean {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  return RESERVED.check(address, family) || (!allowsDocumentation && DOCUMENTATION.check(address, family));
}

export function encodeConfig(config: HealthCheckConfig): Element {
  const optional = (tag: string, value: string | number | boolean | undefined): Element | undefined =>
    value === undefined ? undefined : element(tag, value);
  const list = (tag: string, member: string, values: readonly string[] | undefined): Element | undefined =>
    values === undefined
      ? undefined
      : element(
          tag,
          values.map((value) => element(member, value)),
        );
  return element("HealthCheckConfig", [
    optional("IPAddress", config.ipAddress),
    optional("Port", config.port),
    element("Type", config.type),
    optional("ResourcePath", config.resourcePath),
    optional("FullyQualifiedDomainName", config.domainName),
    optional("SearchString", config.searchString),
    optional("RequestInterval", config.requestInterval),
    optional("FailureThreshold", config.failureThreshold),
    optional("MeasureLatency", config.measuresLatency),
    element("Inverted", config.isInverted),
    element("Disabled", config.isDisabled),
    optional("HealthThreshold", config.healthThreshold),
    list("ChildHealthChecks", "ChildHealthCheck", config.children),
    optional("EnableSNI", config.enablesSni),
    list("Regions", "Region", config.regions),
  ]);
}

export const isSameConfig = (a: HealthCheckConfig, b: HealthCheckConfig): boolean =>
  JSON.stringify(encodeConfig(a)) === JSON.stringify(encodeConfig(b));
