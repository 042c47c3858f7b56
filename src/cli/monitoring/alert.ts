/** An alert as it is written here; rule-files.ts makes Prometheus rules of it. */

export type Severity = "critical" | "warning" | "info";

export interface Alert {
  /** Begins with `GlobalRoute`. */
  readonly name: string;
  /** critical: people are or may soon be without answers. warning: somebody should look today. info: for the record. */
  readonly severity: Severity;
  readonly expr: string;
  /** How long it must hold: `5m`; absent where one moment is enough. */
  readonly for?: string;
  /** What the expression reads, each with series in any world that it is made for: proof that it could fire. */
  readonly reads: readonly string[];
  /** Only on Kubernetes are there series. */
  readonly onKubernetes?: boolean;
  /** One line, with labels. */
  readonly summary: string;
  /** With values: what is, and what users feel. */
  readonly description: string;
  /** Page of docs/runbooks, without `.md`. */
  readonly runbook: string;
}

/** While an instance has given a reason of degradation for so long. */
export const degradedFor = (reason: string, duration: string, alert: Omit<Alert, "expr" | "for" | "reads">): Alert => {
  const matcher = reason.includes("|") ? `reason=~"${reason}"` : `reason="${reason}"`;
  return {
    ...alert,
    expr: `max by (namespace, job, instance, reason) (globalroute_degraded{${matcher}}) == 1`,
    for: duration,
    reads: [`globalroute_degraded{${matcher}}`],
  };
};

/** Where it is, in words of an alert's labels. */
export const AT = "{{ $labels.instance }}";
