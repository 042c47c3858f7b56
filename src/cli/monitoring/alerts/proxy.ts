/** Alerts on what users of the embedded proxy get, and on the certificates of the L7 tier. */
import type { Alert } from "../alert.ts";

const perSecond = (more: string): string => `sum by (namespace, job) (rate(globalroute_proxy_requests_total${more}[5m]))`;

export const proxyAlerts: readonly Alert[] = [
  {
    name: "GlobalRouteRequestsFail",
    severity: "critical",
    expr: `${perSecond('{code="5xx"}')} / clamp_min(${perSecond("")}, 1e-9) > 0.05`,
    for: "5m",
    reads: ["globalroute_proxy_requests_total"],
    summary: "{{ $labels.job }} answers many HTTP requests with an error of a server",
    description:
      "{{ $value | humanizePercentage }} of the requests that pass through the embedded proxy got a 5xx status, from a cluster or from the proxy.",
    runbook: "requests-fail",
  },
  {
    name: "GlobalRouteProxyCertificateExpires",
    severity: "warning",
    expr: "min by (namespace, job, listener, certificate) (globalroute_proxy_certificate_expiry_seconds) < 14 * 86400",
    for: "10m",
    reads: ["globalroute_proxy_certificate_expiry_seconds"],
    summary: "The certificate {{ $labels.certificate }} of {{ $labels.job }} is not renewed",
    description:
      "It ends in {{ $value | humanizeDuration }}; then those who connect there ({{ $labels.listener }}: proxy = users, xds = Envoys) refuse it.",
    runbook: "certificate-expires",
  },
];
