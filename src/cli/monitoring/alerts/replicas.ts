/** Alerts on several instances that work together, and on the API servers that they read. */
import { type Alert, AT, degradedFor } from "../alert.ts";

const spread =
  "max by (namespace, job, cluster) (globalroute_cluster_population_share) - min by (namespace, job, cluster) (globalroute_cluster_population_share)";

export const replicaAlerts: readonly Alert[] = [
  degradedFor("peer-lost", "5m", {
    name: "GlobalRoutePeerLost",
    severity: "warning",
    onKubernetes: true,
    summary: `${AT} does not hear a replica or a vantage that it heard before`,
    description: "It still counts among those that could vote, so failures may need longer to be believed, or not be believed at all.",
    runbook: "peer-lost",
  }),
  {
    name: "GlobalRouteReplicasDisagree",
    severity: "warning",
    expr: `${spread} > 0.05`,
    for: "5m",
    reads: [spread],
    summary: "Instances of {{ $labels.job }} send people to {{ $labels.cluster }} differently",
    description: "By {{ $value | humanizePercentage }} of all people: which instance a resolver asks decides where its clients go.",
    runbook: "replicas-disagree",
  },
  {
    name: "GlobalRouteNoWriter",
    severity: "critical",
    onKubernetes: true,
    expr: "sum by (namespace, job) (globalroute_writer) == 0",
    for: "2m",
    reads: ["globalroute_writer"],
    summary: "No replica of {{ $labels.job }} is the writer",
    description:
      "DNS answers are right, but statuses, generated routes and zones kept elsewhere are not written: there, failovers do not reach clients.",
    runbook: "writer",
  },
  {
    name: "GlobalRouteSeveralWriters",
    severity: "critical",
    onKubernetes: true,
    expr: "sum by (namespace, job) (globalroute_writer) > 1",
    for: "1m",
    reads: ["globalroute_writer"],
    summary: "{{ $value }} replicas of {{ $labels.job }} take themselves for the writer",
    description: "The fence refuses writes of all but the last; still, only one should hold the Lease.",
    runbook: "writer",
  },
  degradedFor("hub-unreachable", "5m", {
    name: "GlobalRouteHubUnreachable",
    severity: "warning",
    onKubernetes: true,
    summary: `${AT} cannot read the API server of the hub`,
    description: "What was read of it goes on being served; changes of objects and overrides do not arrive.",
    runbook: "hub-unreachable",
  }),
  {
    name: "GlobalRouteMemberUnreachable",
    severity: "warning",
    onKubernetes: true,
    expr: "max by (namespace, job, cluster) (globalroute_cluster_connected) == 0",
    for: "10m",
    reads: ["globalroute_cluster_connected"],
    summary: "No replica can read the API server of {{ $labels.cluster }}",
    description: "Its endpoints stay as they were last seen; new ones are not found, and readiness is not followed. Probes are.",
    runbook: "member-unreachable",
  },
];
