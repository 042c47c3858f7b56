/** What only the controller measures: for a single server such panels say so, and test/e2e/observability.test.ts proves them on real clusters. */
import { metricNames } from "../../../src/cli/monitoring/promql.ts";

const METRICS = ["globalroute_writer", "globalroute_cluster_connected", "globalroute_peer_connected", "globalroute_peer_age_seconds"];

export const onKubernetesAlone = (expression: string): boolean => metricNames(expression).some((name) => METRICS.includes(name));
