/** Made by `npm run generate` from selection.ts and the protos of Envoy: do not edit. */

/** google.protobuf.Any */
export interface Any {
  readonly typeUrl?: string;
  readonly value?: Uint8Array;
}

/** google.protobuf.BoolValue */
export interface BoolValue {
  readonly value?: boolean;
}

/** google.protobuf.Duration */
export interface Duration {
  readonly seconds?: number;
  readonly nanos?: number;
}

/** google.protobuf.UInt32Value */
export interface UInt32Value {
  readonly value?: number;
}

/** google.protobuf.UInt64Value */
export interface UInt64Value {
  readonly value?: number;
}

/** google.rpc.Status */
export interface Status {
  readonly code?: number;
  readonly message?: string;
}

/** envoy.type.v3.Percent */
export interface Percent {
  readonly value?: number;
}

/** envoy.type.matcher.v3.RegexMatcher */
export interface RegexMatcher {
  readonly regex?: string;
}

/** envoy.type.matcher.v3.RegexMatchAndSubstitute */
export interface RegexMatchAndSubstitute {
  readonly pattern?: RegexMatcher;
  readonly substitution?: string;
}

/** envoy.type.matcher.v3.StringMatcher */
export interface StringMatcher {
  readonly safeRegex?: RegexMatcher;
}

/** envoy.config.core.v3.Locality */
export interface Locality {
  readonly region?: string;
  readonly zone?: string;
  readonly subZone?: string;
}

/** envoy.config.core.v3.Node */
export interface Node {
  readonly id?: string;
  readonly cluster?: string;
  readonly locality?: Locality;
  readonly userAgentName?: string;
  readonly userAgentVersion?: string;
  readonly userAgentBuildVersion?: BuildVersion;
}

/** envoy.config.core.v3.BuildVersion */
export interface BuildVersion {
  readonly version?: SemanticVersion;
}

/** envoy.type.v3.SemanticVersion */
export interface SemanticVersion {
  readonly majorNumber?: number;
  readonly minorNumber?: number;
  readonly patch?: number;
}

/** envoy.config.core.v3.Address */
export interface Address {
  readonly socketAddress?: SocketAddress;
}

/** envoy.config.core.v3.SocketAddress */
export interface SocketAddress {
  readonly address?: string;
  readonly portValue?: number;
}

/** envoy.config.core.v3.ConfigSource */
export interface ConfigSource {
  readonly ads?: AggregatedConfigSource;
  readonly initialFetchTimeout?: Duration;
  readonly resourceApiVersion?: ApiVersion;
}

/** envoy.config.core.v3.ApiVersion */
export type ApiVersion = "AUTO" | "V3";

/** envoy.config.core.v3.AggregatedConfigSource */
export type AggregatedConfigSource = Readonly<Record<string, never>>;

/** envoy.config.core.v3.DataSource */
export interface DataSource {
  readonly filename?: string;
}

/** envoy.config.core.v3.TransportSocket */
export interface TransportSocket {
  readonly name?: string;
  readonly typedConfig?: Any;
}

/** envoy.config.core.v3.CidrRange */
export interface CidrRange {
  readonly addressPrefix?: string;
  readonly prefixLen?: UInt32Value;
}

/** envoy.config.core.v3.HeaderValue */
export interface HeaderValue {
  readonly key?: string;
  readonly value?: string;
}

/** envoy.config.core.v3.HeaderValueOption */
export interface HeaderValueOption {
  readonly header?: HeaderValue;
  readonly appendAction?: HeaderValueOptionHeaderAppendAction;
}

/** envoy.config.core.v3.HeaderValueOption.HeaderAppendAction */
export type HeaderValueOptionHeaderAppendAction = "APPEND_IF_EXISTS_OR_ADD" | "OVERWRITE_IF_EXISTS_OR_ADD";

/** envoy.config.core.v3.HealthStatus */
export type HealthStatus = "UNKNOWN" | "HEALTHY" | "UNHEALTHY";

/** envoy.config.core.v3.Http1ProtocolOptions */
export type Http1ProtocolOptions = Readonly<Record<string, never>>;

/** envoy.config.core.v3.UpstreamHttpProtocolOptions */
export interface UpstreamHttpProtocolOptions {
  readonly autoSni?: boolean;
  readonly autoSanValidation?: boolean;
}

/** envoy.service.discovery.v3.DiscoveryRequest */
export interface DiscoveryRequest {
  readonly versionInfo?: string;
  readonly node?: Node;
  readonly resourceNames?: readonly string[];
  readonly typeUrl?: string;
  readonly responseNonce?: string;
  readonly errorDetail?: Status;
}

/** envoy.service.discovery.v3.DiscoveryResponse */
export interface DiscoveryResponse {
  readonly versionInfo?: string;
  readonly resources?: readonly Any[];
  readonly typeUrl?: string;
  readonly nonce?: string;
}

/** envoy.service.discovery.v3.DeltaDiscoveryRequest */
export interface DeltaDiscoveryRequest {
  readonly node?: Node;
  readonly typeUrl?: string;
  readonly resourceNamesSubscribe?: readonly string[];
  readonly resourceNamesUnsubscribe?: readonly string[];
  readonly initialResourceVersions?: Readonly<Record<string, string>>;
  readonly responseNonce?: string;
  readonly errorDetail?: Status;
}

/** envoy.service.discovery.v3.DeltaDiscoveryResponse */
export interface DeltaDiscoveryResponse {
  readonly systemVersionInfo?: string;
  readonly resources?: readonly Resource[];
  readonly typeUrl?: string;
  readonly nonce?: string;
  readonly removedResources?: readonly string[];
}

/** envoy.service.discovery.v3.Resource */
export interface Resource {
  readonly version?: string;
  readonly resource?: Any;
  readonly name?: string;
}

/** envoy.config.endpoint.v3.ClusterLoadAssignment */
export interface ClusterLoadAssignment {
  readonly clusterName?: string;
  readonly endpoints?: readonly LocalityLbEndpoints[];
  readonly policy?: ClusterLoadAssignmentPolicy;
}

/** envoy.config.endpoint.v3.ClusterLoadAssignment.Policy */
export interface ClusterLoadAssignmentPolicy {
  readonly overprovisioningFactor?: UInt32Value;
}

/** envoy.config.endpoint.v3.LocalityLbEndpoints */
export interface LocalityLbEndpoints {
  readonly locality?: Locality;
  readonly lbEndpoints?: readonly LbEndpoint[];
  readonly loadBalancingWeight?: UInt32Value;
  readonly priority?: number;
}

/** envoy.config.endpoint.v3.LbEndpoint */
export interface LbEndpoint {
  readonly endpoint?: Endpoint;
  readonly healthStatus?: HealthStatus;
}

/** envoy.config.endpoint.v3.Endpoint */
export interface Endpoint {
  readonly address?: Address;
}

/** envoy.config.cluster.v3.Cluster */
export interface Cluster {
  readonly name?: string;
  readonly type?: ClusterDiscoveryType;
  readonly edsClusterConfig?: ClusterEdsClusterConfig;
  readonly connectTimeout?: Duration;
  readonly lbPolicy?: ClusterLbPolicy;
  readonly circuitBreakers?: CircuitBreakers;
  readonly outlierDetection?: OutlierDetection;
  readonly transportSocket?: TransportSocket;
  readonly commonLbConfig?: ClusterCommonLbConfig;
  readonly typedExtensionProtocolOptions?: Readonly<Record<string, Any>>;
  readonly maglevLbConfig?: ClusterMaglevLbConfig;
}

/** envoy.config.cluster.v3.Cluster.DiscoveryType */
export type ClusterDiscoveryType = "STATIC" | "EDS";

/** envoy.config.cluster.v3.Cluster.LbPolicy */
export type ClusterLbPolicy = "ROUND_ROBIN" | "LEAST_REQUEST" | "MAGLEV";

/** envoy.config.cluster.v3.Cluster.MaglevLbConfig */
export interface ClusterMaglevLbConfig {
  readonly tableSize?: UInt64Value;
}

/** envoy.config.cluster.v3.Cluster.EdsClusterConfig */
export interface ClusterEdsClusterConfig {
  readonly edsConfig?: ConfigSource;
}

/** envoy.config.cluster.v3.Cluster.CommonLbConfig */
export interface ClusterCommonLbConfig {
  readonly healthyPanicThreshold?: Percent;
  readonly localityWeightedLbConfig?: ClusterCommonLbConfigLocalityWeightedLbConfig;
}

/** envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig */
export type ClusterCommonLbConfigLocalityWeightedLbConfig = Readonly<Record<string, never>>;

/** envoy.config.cluster.v3.CircuitBreakers */
export interface CircuitBreakers {
  readonly thresholds?: readonly CircuitBreakersThresholds[];
}

/** envoy.config.cluster.v3.CircuitBreakers.Thresholds */
export interface CircuitBreakersThresholds {
  readonly maxConnections?: UInt32Value;
  readonly maxPendingRequests?: UInt32Value;
  readonly maxRequests?: UInt32Value;
  readonly retryBudget?: CircuitBreakersThresholdsRetryBudget;
}

/** envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget */
export interface CircuitBreakersThresholdsRetryBudget {
  readonly budgetPercent?: Percent;
  readonly minRetryConcurrency?: UInt32Value;
}

/** envoy.config.cluster.v3.OutlierDetection */
export interface OutlierDetection {
  readonly interval?: Duration;
  readonly baseEjectionTime?: Duration;
  readonly maxEjectionPercent?: UInt32Value;
  readonly enforcingConsecutive5xx?: UInt32Value;
  readonly enforcingSuccessRate?: UInt32Value;
  readonly consecutiveGatewayFailure?: UInt32Value;
  readonly enforcingConsecutiveGatewayFailure?: UInt32Value;
}

/** envoy.config.route.v3.RouteConfiguration */
export interface RouteConfiguration {
  readonly name?: string;
  readonly virtualHosts?: readonly VirtualHost[];
  readonly requestHeadersToRemove?: readonly string[];
  readonly ignorePortInHostMatching?: boolean;
}

/** envoy.config.route.v3.VirtualHost */
export interface VirtualHost {
  readonly name?: string;
  readonly domains?: readonly string[];
  readonly routes?: readonly Route[];
  readonly requestHeadersToRemove?: readonly string[];
}

/** envoy.config.route.v3.Route */
export interface Route {
  readonly match?: RouteMatch;
  readonly route?: RouteAction;
  readonly name?: string;
}

/** envoy.config.route.v3.RouteMatch */
export interface RouteMatch {
  readonly prefix?: string;
  readonly headers?: readonly HeaderMatcher[];
}

/** envoy.config.route.v3.HeaderMatcher */
export interface HeaderMatcher {
  readonly name?: string;
  readonly stringMatch?: StringMatcher;
}

/** envoy.config.route.v3.RouteAction */
export interface RouteAction {
  readonly cluster?: string;
  readonly timeout?: Duration;
  readonly retryPolicy?: RetryPolicy;
  readonly hashPolicy?: readonly RouteActionHashPolicy[];
}

/** envoy.config.route.v3.RouteAction.HashPolicy */
export interface RouteActionHashPolicy {
  readonly header?: RouteActionHashPolicyHeader;
  readonly connectionProperties?: RouteActionHashPolicyConnectionProperties;
  readonly terminal?: boolean;
}

/** envoy.config.route.v3.RouteAction.HashPolicy.Header */
export interface RouteActionHashPolicyHeader {
  readonly headerName?: string;
  readonly regexRewrite?: RegexMatchAndSubstitute;
}

/** envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties */
export interface RouteActionHashPolicyConnectionProperties {
  readonly sourceIp?: boolean;
}

/** envoy.config.route.v3.RetryPolicy */
export interface RetryPolicy {
  readonly retryOn?: string;
  readonly numRetries?: UInt32Value;
  readonly perTryTimeout?: Duration;
  readonly retryPriority?: RetryPolicyRetryPriority;
  readonly retryHostPredicate?: readonly RetryPolicyRetryHostPredicate[];
  readonly hostSelectionRetryMaxAttempts?: number;
  readonly retriableStatusCodes?: readonly number[];
}

/** envoy.config.route.v3.RetryPolicy.RetryPriority */
export interface RetryPolicyRetryPriority {
  readonly name?: string;
  readonly typedConfig?: Any;
}

/** envoy.config.route.v3.RetryPolicy.RetryHostPredicate */
export interface RetryPolicyRetryHostPredicate {
  readonly name?: string;
  readonly typedConfig?: Any;
}

/** envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig */
export interface PreviousPrioritiesConfig {
  readonly updateFrequency?: number;
}

/** envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate */
export type PreviousHostsPredicate = Readonly<Record<string, never>>;

/** envoy.config.listener.v3.Listener */
export interface Listener {
  readonly name?: string;
  readonly address?: Address;
  readonly filterChains?: readonly FilterChain[];
}

/** envoy.config.listener.v3.FilterChain */
export interface FilterChain {
  readonly filters?: readonly Filter[];
  readonly transportSocket?: TransportSocket;
}

/** envoy.config.listener.v3.Filter */
export interface Filter {
  readonly name?: string;
  readonly typedConfig?: Any;
}

/** envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager */
export interface HttpConnectionManager {
  readonly statPrefix?: string;
  readonly rds?: Rds;
  readonly httpFilters?: readonly HttpFilter[];
  readonly useRemoteAddress?: BoolValue;
  readonly xffNumTrustedHops?: number;
  readonly upgradeConfigs?: readonly HttpConnectionManagerUpgradeConfig[];
}

/** envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig */
export interface HttpConnectionManagerUpgradeConfig {
  readonly upgradeType?: string;
}

/** envoy.extensions.filters.network.http_connection_manager.v3.Rds */
export interface Rds {
  readonly configSource?: ConfigSource;
  readonly routeConfigName?: string;
}

/** envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter */
export interface HttpFilter {
  readonly name?: string;
  readonly typedConfig?: Any;
}

/** envoy.extensions.filters.http.router.v3.Router */
export type Router = Readonly<Record<string, never>>;

/** envoy.extensions.filters.http.ip_tagging.v3.IPTagging */
export interface IPTagging {
  readonly ipTags?: readonly IPTaggingIPTag[];
}

/** envoy.extensions.filters.http.ip_tagging.v3.IPTagging.IPTag */
export interface IPTaggingIPTag {
  readonly ipTagName?: string;
  readonly ipList?: readonly CidrRange[];
}

/** envoy.extensions.filters.http.header_mutation.v3.HeaderMutation */
export interface HeaderMutation {
  readonly mutations?: Mutations;
}

/** envoy.extensions.filters.http.header_mutation.v3.Mutations */
export interface Mutations {
  readonly requestMutations?: readonly MutationRulesHeaderMutation[];
}

/** envoy.config.common.mutation_rules.v3.HeaderMutation */
export interface MutationRulesHeaderMutation {
  readonly remove?: string;
  readonly append?: HeaderValueOption;
}

/** envoy.extensions.transport_sockets.tls.v3.CommonTlsContext */
export interface CommonTlsContext {
  readonly tlsCertificates?: readonly TlsCertificate[];
  readonly validationContext?: CertificateValidationContext;
  readonly alpnProtocols?: readonly string[];
}

/** envoy.extensions.transport_sockets.tls.v3.TlsCertificate */
export interface TlsCertificate {
  readonly certificateChain?: DataSource;
  readonly privateKey?: DataSource;
}

/** envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext */
export interface CertificateValidationContext {
  readonly trustedCa?: DataSource;
}

/** envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext */
export interface UpstreamTlsContext {
  readonly commonTlsContext?: CommonTlsContext;
}

/** envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext */
export interface DownstreamTlsContext {
  readonly commonTlsContext?: CommonTlsContext;
}

/** envoy.extensions.upstreams.http.v3.HttpProtocolOptions */
export interface HttpProtocolOptions {
  readonly upstreamHttpProtocolOptions?: UpstreamHttpProtocolOptions;
  readonly explicitHttpConfig?: HttpProtocolOptionsExplicitHttpConfig;
}

/** envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig */
export interface HttpProtocolOptionsExplicitHttpConfig {
  readonly httpProtocolOptions?: Http1ProtocolOptions;
}

/** By full name. */
export interface EnvoyMessages {
  readonly "google.protobuf.Any": Any;
  readonly "google.protobuf.BoolValue": BoolValue;
  readonly "google.protobuf.Duration": Duration;
  readonly "google.protobuf.UInt32Value": UInt32Value;
  readonly "google.protobuf.UInt64Value": UInt64Value;
  readonly "google.rpc.Status": Status;
  readonly "envoy.type.v3.Percent": Percent;
  readonly "envoy.type.matcher.v3.RegexMatcher": RegexMatcher;
  readonly "envoy.type.matcher.v3.RegexMatchAndSubstitute": RegexMatchAndSubstitute;
  readonly "envoy.type.matcher.v3.StringMatcher": StringMatcher;
  readonly "envoy.config.core.v3.Locality": Locality;
  readonly "envoy.config.core.v3.Node": Node;
  readonly "envoy.config.core.v3.BuildVersion": BuildVersion;
  readonly "envoy.type.v3.SemanticVersion": SemanticVersion;
  readonly "envoy.config.core.v3.Address": Address;
  readonly "envoy.config.core.v3.SocketAddress": SocketAddress;
  readonly "envoy.config.core.v3.ConfigSource": ConfigSource;
  readonly "envoy.config.core.v3.AggregatedConfigSource": AggregatedConfigSource;
  readonly "envoy.config.core.v3.DataSource": DataSource;
  readonly "envoy.config.core.v3.TransportSocket": TransportSocket;
  readonly "envoy.config.core.v3.CidrRange": CidrRange;
  readonly "envoy.config.core.v3.HeaderValue": HeaderValue;
  readonly "envoy.config.core.v3.HeaderValueOption": HeaderValueOption;
  readonly "envoy.config.core.v3.Http1ProtocolOptions": Http1ProtocolOptions;
  readonly "envoy.config.core.v3.UpstreamHttpProtocolOptions": UpstreamHttpProtocolOptions;
  readonly "envoy.service.discovery.v3.DiscoveryRequest": DiscoveryRequest;
  readonly "envoy.service.discovery.v3.DiscoveryResponse": DiscoveryResponse;
  readonly "envoy.service.discovery.v3.DeltaDiscoveryRequest": DeltaDiscoveryRequest;
  readonly "envoy.service.discovery.v3.DeltaDiscoveryResponse": DeltaDiscoveryResponse;
  readonly "envoy.service.discovery.v3.Resource": Resource;
  readonly "envoy.config.endpoint.v3.ClusterLoadAssignment": ClusterLoadAssignment;
  readonly "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy": ClusterLoadAssignmentPolicy;
  readonly "envoy.config.endpoint.v3.LocalityLbEndpoints": LocalityLbEndpoints;
  readonly "envoy.config.endpoint.v3.LbEndpoint": LbEndpoint;
  readonly "envoy.config.endpoint.v3.Endpoint": Endpoint;
  readonly "envoy.config.cluster.v3.Cluster": Cluster;
  readonly "envoy.config.cluster.v3.Cluster.MaglevLbConfig": ClusterMaglevLbConfig;
  readonly "envoy.config.cluster.v3.Cluster.EdsClusterConfig": ClusterEdsClusterConfig;
  readonly "envoy.config.cluster.v3.Cluster.CommonLbConfig": ClusterCommonLbConfig;
  readonly "envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig": ClusterCommonLbConfigLocalityWeightedLbConfig;
  readonly "envoy.config.cluster.v3.CircuitBreakers": CircuitBreakers;
  readonly "envoy.config.cluster.v3.CircuitBreakers.Thresholds": CircuitBreakersThresholds;
  readonly "envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget": CircuitBreakersThresholdsRetryBudget;
  readonly "envoy.config.cluster.v3.OutlierDetection": OutlierDetection;
  readonly "envoy.config.route.v3.RouteConfiguration": RouteConfiguration;
  readonly "envoy.config.route.v3.VirtualHost": VirtualHost;
  readonly "envoy.config.route.v3.Route": Route;
  readonly "envoy.config.route.v3.RouteMatch": RouteMatch;
  readonly "envoy.config.route.v3.HeaderMatcher": HeaderMatcher;
  readonly "envoy.config.route.v3.RouteAction": RouteAction;
  readonly "envoy.config.route.v3.RouteAction.HashPolicy": RouteActionHashPolicy;
  readonly "envoy.config.route.v3.RouteAction.HashPolicy.Header": RouteActionHashPolicyHeader;
  readonly "envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties": RouteActionHashPolicyConnectionProperties;
  readonly "envoy.config.route.v3.RetryPolicy": RetryPolicy;
  readonly "envoy.config.route.v3.RetryPolicy.RetryPriority": RetryPolicyRetryPriority;
  readonly "envoy.config.route.v3.RetryPolicy.RetryHostPredicate": RetryPolicyRetryHostPredicate;
  readonly "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig": PreviousPrioritiesConfig;
  readonly "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate": PreviousHostsPredicate;
  readonly "envoy.config.listener.v3.Listener": Listener;
  readonly "envoy.config.listener.v3.FilterChain": FilterChain;
  readonly "envoy.config.listener.v3.Filter": Filter;
  readonly "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager": HttpConnectionManager;
  readonly "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig": HttpConnectionManagerUpgradeConfig;
  readonly "envoy.extensions.filters.network.http_connection_manager.v3.Rds": Rds;
  readonly "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter": HttpFilter;
  readonly "envoy.extensions.filters.http.router.v3.Router": Router;
  readonly "envoy.extensions.filters.http.ip_tagging.v3.IPTagging": IPTagging;
  readonly "envoy.extensions.filters.http.ip_tagging.v3.IPTagging.IPTag": IPTaggingIPTag;
  readonly "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation": HeaderMutation;
  readonly "envoy.extensions.filters.http.header_mutation.v3.Mutations": Mutations;
  readonly "envoy.config.common.mutation_rules.v3.HeaderMutation": MutationRulesHeaderMutation;
  readonly "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext": CommonTlsContext;
  readonly "envoy.extensions.transport_sockets.tls.v3.TlsCertificate": TlsCertificate;
  readonly "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext": CertificateValidationContext;
  readonly "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext": UpstreamTlsContext;
  readonly "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext": DownstreamTlsContext;
  readonly "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": HttpProtocolOptions;
  readonly "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig": HttpProtocolOptionsExplicitHttpConfig;
}
