/**
 * What we say to Envoy and read from it: messages of its API (v3), and of each the fields that we use. `npm run generate` makes envoy-api.json and
 * envoy-api.ts of it; a field that Envoy sends and that is not here is passed over.
 */
const EXTENSIONS = "envoy.extensions";
const TLS = `${EXTENSIONS}.transport_sockets.tls.v3`;
const FILTERS = `${EXTENSIONS}.filters.http`;
const MANAGER = `${EXTENSIONS}.filters.network.http_connection_manager.v3`;

/** Files that define them, below the folders that generate-api.ts names. */
export const FILES: readonly string[] = [
  "envoy/service/discovery/v3/discovery.proto",
  "envoy/config/cluster/v3/cluster.proto",
  "envoy/config/endpoint/v3/endpoint.proto",
  "envoy/config/listener/v3/listener.proto",
  "envoy/config/route/v3/route.proto",
  "envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto",
  "envoy/extensions/filters/http/ip_tagging/v3/ip_tagging.proto",
  "envoy/extensions/filters/http/router/v3/router.proto",
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
  "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto",
  "envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto",
  "envoy/extensions/transport_sockets/tls/v3/tls.proto",
  "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
  "google/rpc/status.proto",
];

/** Full name of a message or of an enumeration → its fields or values, as Envoy's documentation spells them. */
export const SELECTION: Readonly<Record<string, string>> = {
  "google.protobuf.Any": "type_url value",
  "google.protobuf.BoolValue": "value",
  "google.protobuf.Duration": "seconds nanos",
  "google.protobuf.UInt32Value": "value",
  "google.protobuf.UInt64Value": "value",
  "google.rpc.Status": "code message",
  "envoy.type.v3.Percent": "value",
  "envoy.type.matcher.v3.RegexMatcher": "regex",
  "envoy.type.matcher.v3.RegexMatchAndSubstitute": "pattern substitution",
  "envoy.type.matcher.v3.StringMatcher": "safe_regex",

  "envoy.config.core.v3.Locality": "region zone sub_zone",
  "envoy.config.core.v3.Node": "id cluster locality user_agent_name user_agent_version user_agent_build_version",
  "envoy.config.core.v3.BuildVersion": "version",
  "envoy.type.v3.SemanticVersion": "major_number minor_number patch",
  "envoy.config.core.v3.Address": "socket_address",
  "envoy.config.core.v3.SocketAddress": "address port_value",
  "envoy.config.core.v3.ConfigSource": "ads initial_fetch_timeout resource_api_version",
  "envoy.config.core.v3.ApiVersion": "AUTO V3",
  "envoy.config.core.v3.AggregatedConfigSource": "",
  "envoy.config.core.v3.DataSource": "filename",
  "envoy.config.core.v3.TransportSocket": "name typed_config",
  "envoy.config.core.v3.CidrRange": "address_prefix prefix_len",
  "envoy.config.core.v3.HeaderValue": "key value",
  "envoy.config.core.v3.HeaderValueOption": "header append_action",
  "envoy.config.core.v3.HeaderValueOption.HeaderAppendAction": "APPEND_IF_EXISTS_OR_ADD OVERWRITE_IF_EXISTS_OR_ADD",
  "envoy.config.core.v3.HealthStatus": "UNKNOWN HEALTHY UNHEALTHY",
  "envoy.config.core.v3.Http1ProtocolOptions": "",
  "envoy.config.core.v3.UpstreamHttpProtocolOptions": "auto_sni auto_san_validation",

  "envoy.service.discovery.v3.DiscoveryRequest": "version_info node resource_names type_url response_nonce error_detail",
  "envoy.service.discovery.v3.DiscoveryResponse": "version_info resources type_url nonce",
  "envoy.service.discovery.v3.DeltaDiscoveryRequest":
    "node type_url resource_names_subscribe resource_names_unsubscribe initial_resource_versions response_nonce error_detail",
  "envoy.service.discovery.v3.DeltaDiscoveryResponse": "system_version_info resources type_url removed_resources nonce",
  "envoy.service.discovery.v3.Resource": "name version resource",

  "envoy.config.endpoint.v3.ClusterLoadAssignment": "cluster_name endpoints policy",
  "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy": "overprovisioning_factor",
  "envoy.config.endpoint.v3.LocalityLbEndpoints": "locality lb_endpoints load_balancing_weight priority",
  "envoy.config.endpoint.v3.LbEndpoint": "endpoint health_status",
  "envoy.config.endpoint.v3.Endpoint": "address",

  "envoy.config.cluster.v3.Cluster":
    "name type eds_cluster_config connect_timeout lb_policy circuit_breakers outlier_detection common_lb_config maglev_lb_config transport_socket typed_extension_protocol_options",
  "envoy.config.cluster.v3.Cluster.DiscoveryType": "STATIC EDS",
  "envoy.config.cluster.v3.Cluster.LbPolicy": "ROUND_ROBIN LEAST_REQUEST MAGLEV",
  "envoy.config.cluster.v3.Cluster.MaglevLbConfig": "table_size",
  "envoy.config.cluster.v3.Cluster.EdsClusterConfig": "eds_config",
  "envoy.config.cluster.v3.Cluster.CommonLbConfig": "healthy_panic_threshold locality_weighted_lb_config",
  "envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig": "",
  "envoy.config.cluster.v3.CircuitBreakers": "thresholds",
  "envoy.config.cluster.v3.CircuitBreakers.Thresholds": "max_connections max_pending_requests max_requests retry_budget",
  "envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget": "budget_percent min_retry_concurrency",
  "envoy.config.cluster.v3.OutlierDetection":
    "interval base_ejection_time max_ejection_percent enforcing_consecutive_5xx enforcing_success_rate consecutive_gateway_failure enforcing_consecutive_gateway_failure",

  "envoy.config.route.v3.RouteConfiguration": "name virtual_hosts request_headers_to_remove ignore_port_in_host_matching",
  "envoy.config.route.v3.VirtualHost": "name domains routes request_headers_to_remove",
  "envoy.config.route.v3.Route": "name match route",
  "envoy.config.route.v3.RouteMatch": "prefix headers",
  "envoy.config.route.v3.HeaderMatcher": "name string_match",
  "envoy.config.route.v3.RouteAction": "cluster timeout retry_policy hash_policy",
  "envoy.config.route.v3.RouteAction.HashPolicy": "header connection_properties terminal",
  "envoy.config.route.v3.RouteAction.HashPolicy.Header": "header_name regex_rewrite",
  "envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties": "source_ip",
  "envoy.config.route.v3.RetryPolicy":
    "retry_on retriable_status_codes num_retries per_try_timeout retry_priority retry_host_predicate host_selection_retry_max_attempts",
  "envoy.config.route.v3.RetryPolicy.RetryPriority": "name typed_config",
  "envoy.config.route.v3.RetryPolicy.RetryHostPredicate": "name typed_config",
  [`${EXTENSIONS}.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig`]: "update_frequency",
  [`${EXTENSIONS}.retry.host.previous_hosts.v3.PreviousHostsPredicate`]: "",

  "envoy.config.listener.v3.Listener": "name address filter_chains",
  "envoy.config.listener.v3.FilterChain": "filters transport_socket",
  "envoy.config.listener.v3.Filter": "name typed_config",
  [`${MANAGER}.HttpConnectionManager`]: "stat_prefix rds http_filters use_remote_address xff_num_trusted_hops upgrade_configs",
  [`${MANAGER}.HttpConnectionManager.UpgradeConfig`]: "upgrade_type",
  [`${MANAGER}.Rds`]: "config_source route_config_name",
  [`${MANAGER}.HttpFilter`]: "name typed_config",
  [`${FILTERS}.router.v3.Router`]: "",
  [`${FILTERS}.ip_tagging.v3.IPTagging`]: "ip_tags",
  [`${FILTERS}.ip_tagging.v3.IPTagging.IPTag`]: "ip_tag_name ip_list",
  [`${FILTERS}.header_mutation.v3.HeaderMutation`]: "mutations",
  [`${FILTERS}.header_mutation.v3.Mutations`]: "request_mutations",
  "envoy.config.common.mutation_rules.v3.HeaderMutation": "remove append",

  [`${TLS}.CommonTlsContext`]: "tls_certificates validation_context alpn_protocols",
  [`${TLS}.TlsCertificate`]: "certificate_chain private_key",
  [`${TLS}.CertificateValidationContext`]: "trusted_ca",
  [`${TLS}.UpstreamTlsContext`]: "common_tls_context",
  [`${TLS}.DownstreamTlsContext`]: "common_tls_context",
  [`${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`]: "upstream_http_protocol_options explicit_http_config",
  [`${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig`]: "http_protocol_options",
};
