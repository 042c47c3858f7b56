/** Rules that every rendering of the chart obeys. Each returns one line for each fault. */
import { z } from "zod";
import { PEER_PORT_NAME } from "../../../controller/peers/replica-addresses.ts";
import type { Manifest } from "./render-chart.ts";

const labels = z.record(z.string(), z.string());
const containerSchema = z.looseObject({
  name: z.string(),
  args: z.array(z.string()),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z
    .array(z.looseObject({ name: z.string(), containerPort: z.int(), protocol: z.string(), hostPort: z.int().optional() }))
    .default([]),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
  startupProbe: z.looseObject({ httpGet: z.object({ path: z.string(), port: z.string() }) }).optional(),
  livenessProbe: z.looseObject({ httpGet: z.object({ path: z.string(), port: z.string() }) }).optional(),
  readinessProbe: z.looseObject({ httpGet: z.object({ path: z.string(), port: z.string() }) }).optional(),
  resources: z.looseObject({ limits: z.looseObject({ memory: z.string() }) }),
  securityContext: z.looseObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]) }),
    privileged: z.never().optional(),
    procMount: z.never().optional(),
  }),
});
/** Pod Security "restricted" as a shape, and a read-only root besides. */
const podSchema = z.looseObject({
  hostNetwork: z.never().optional(),
  hostPID: z.never().optional(),
  hostIPC: z.never().optional(),
  initContainers: z.never().optional(),
  securityContext: z.looseObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().min(1),
    fsGroup: z.int().min(1),
    seccompProfile: z.object({ type: z.literal("RuntimeDefault") }),
    sysctls: z.never().optional(),
  }),
  containers: z.tuple([containerSchema]).rest(containerSchema),
  volumes: z
    .array(
      z.looseObject({
        name: z.string(),
        hostPath: z.never().optional(), // the others that restricted Pod Security forbids are those that nobody would write by accident
      }),
    )
    .default([]),
  serviceAccountName: z.string(),
  topologySpreadConstraints: z.array(z.looseObject({ labelSelector: z.object({ matchLabels: labels }) })).default([]),
});
const templateSchema = z.object({ metadata: z.looseObject({ labels }), spec: podSchema });
const deploymentSchema = z.looseObject({ replicas: z.int(), selector: z.object({ matchLabels: labels }), template: templateSchema });
const portsSchema = z.array(z.looseObject({ targetPort: z.union([z.string(), z.int()]), protocol: z.string() }));
const serviceSchema = z.looseObject({ selector: labels, ports: portsSchema });
const policySchema = z.looseObject({
  podSelector: z.object({ matchLabels: labels }),
  ingress: z.array(z.looseObject({ ports: z.array(z.object({ port: z.union([z.string(), z.int()]), protocol: z.string() })) })),
});

/** The pod template of the controller. */
export const controllerOf = (manifests: readonly Manifest[]): z.infer<typeof deploymentSchema> =>
  deploymentSchema.parse(manifests.find(({ kind }) => kind === "Deployment")?.spec);

/** Pods of every kind are as restricted as Pod Security's "restricted" asks. */
export function podFaults(manifests: readonly Manifest[]): readonly string[] {
  return manifests.flatMap((manifest) => {
    const template = z.looseObject({ template: z.unknown().optional() }).safeParse(manifest.spec);
    if (!template.success || template.data.template === undefined) return [];
    const checked = templateSchema.safeParse(template.data.template);
    return (checked.error?.issues ?? []).map(
      (issue) => `${manifest.kind} ${manifest.metadata.name}: ${issue.path.join(".")}: ${issue.message}`,
    );
  });
}

const includes = (whole: Readonly<Record<string, string>>, part: Readonly<Record<string, string>>): boolean =>
  Object.keys(part).length > 0 && Object.entries(part).every(([key, value]) => whole[key] === value);

/** What selects replicas selects them all, and no other pod of the release; what it names of their ports is there. */
export function selectorFaults(manifests: readonly Manifest[]): readonly string[] {
  const { template, selector } = controllerOf(manifests);
  const jobs = manifests
    .filter(({ kind }) => kind === "Job")
    .map(({ spec }) => z.looseObject({ template: templateSchema }).parse(spec).template.metadata.labels);
  const ports = template.spec.containers.flatMap((container) => container.ports);
  const isThere = (port: string | number, protocol: string): boolean =>
    ports.some((one) => (one.name === port || one.containerPort === port) && one.protocol === protocol);

  const faults: string[] = [];
  const check = (who: string, selected: Readonly<Record<string, string>>): void => {
    if (!includes(template.metadata.labels, selected)) faults.push(`${who} does not select the replicas`);
    if (jobs.some((job) => includes(job, selected))) faults.push(`${who} selects the pod of a Job`);
  };
  check("Deployment", selector.matchLabels);
  for (const { labelSelector } of template.spec.topologySpreadConstraints) check("topologySpreadConstraints", labelSelector.matchLabels);
  for (const { kind, metadata, spec } of manifests) {
    const who = `${kind} ${metadata.name}`;
    if (kind === "Service") {
      const service = serviceSchema.parse(spec);
      check(who, service.selector);
      for (const { targetPort, protocol } of service.ports)
        if (!isThere(targetPort, protocol)) faults.push(`${who}: no port ${targetPort} ${protocol}`);
    } else if (kind === "PodDisruptionBudget") {
      check(who, z.looseObject({ selector: z.object({ matchLabels: labels }) }).parse(spec).selector.matchLabels);
    } else if (kind === "NetworkPolicy") {
      const policy = policySchema.parse(spec);
      check(who, policy.podSelector.matchLabels);
      const open = policy.ingress.flatMap((rule) => rule.ports);
      for (const { port, protocol } of open) if (!isThere(port, protocol)) faults.push(`${who}: no port ${port} ${protocol}`);
      for (const { name } of ports) if (!open.some(({ port }) => port === name)) faults.push(`${who} lets nobody reach ${name}`);
    }
  }
  return faults;
}

const FLAGS_OF_FILES = [
  ...["state", "peer-secret", "cookie-secret", "mmdb", "notify"],
  ...["proxy-certificates", "xds-cert", "xds-key", "xds-client-ca", "haproxy-dir"],
];

/** The arguments of the program, the container's ports, probes and mounts, and the Services say the same. */
export function argumentFaults(manifests: readonly Manifest[]): readonly string[] {
  const { spec } = controllerOf(manifests).template;
  const [container, ...sidecars] = spec.containers;
  const faults: string[] = [];
  const values = (flag: string): readonly string[] =>
    container.args.filter((arg) => arg.startsWith(`--${flag}=`)).map((arg) => arg.slice(flag.length + 3));
  const expectPort = (flag: string, name: string): void => {
    const port = container.ports.find((one) => one.name === name)?.containerPort;
    const said = values(flag).map((address) => Number(address.slice(address.lastIndexOf(":") + 1)));
    if (said.length === 0 || said.some((one) => one !== port))
      faults.push(`--${flag} has port ${said}, the container's ${name} has ${port}`);
  };
  expectPort("listen", "dns-udp");
  expectPort("listen", "dns-tcp");
  expectPort("metrics", "metrics");
  expectPort("peer-listen", "peers");
  for (const [flag, name] of [
    ["proxy", "proxy-http"],
    ["proxy-tls", "proxy-https"],
    ["xds", "xds"],
  ] as const)
    if (values(flag).length > 0 || container.ports.some((one) => one.name === name)) expectPort(flag, name);
  const numbers = spec.containers.flatMap(({ ports }) => ports.map(({ containerPort, protocol }) => `${containerPort} ${protocol}`));
  for (const number of new Set(numbers))
    if (numbers.filter((one) => one === number).length > 1) faults.push(`port ${number} is there twice`);

  for (const [name, path] of [
    ["startupProbe", "/healthz"],
    ["livenessProbe", "/healthz"],
    ["readinessProbe", "/readyz"],
  ] as const) {
    const probe = container[name]?.httpGet;
    if (probe?.path !== path || probe.port !== "metrics") faults.push(`${name} does not ask ${path} of port metrics`);
  }
  for (const flag of FLAGS_OF_FILES) {
    for (const path of values(flag)) {
      if (!container.volumeMounts.some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`)))
        faults.push(`--${flag}=${path} is on no volume`);
    }
  }
  // Read by Node itself, which only warns when the file is not there.
  const authorities = container.env.find(({ name }) => name === "NODE_EXTRA_CA_CERTS")?.value;
  const authoritiesAt = container.volumeMounts.find(({ name }) => name === "upstream-ca")?.mountPath;
  if ((authorities ?? "").slice(0, (authorities ?? "").lastIndexOf("/")) !== (authoritiesAt ?? ""))
    faults.push(`NODE_EXTRA_CA_CERTS is ${authorities}, the authorities are at ${authoritiesAt}`);
  const volumes = spec.volumes.map(({ name }) => name).sort();
  const mounts = [...new Set(spec.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)))].sort();
  if (volumes.join() !== mounts.join()) faults.push(`volumes ${volumes}, mounts ${mounts}`);

  // A HAProxy has to see the sockets and files that are written for it under their own paths.
  for (const { name, args, volumeMounts } of sidecars) {
    for (const path of args.slice(2))
      if (!volumeMounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`))) faults.push(`${name}: ${path} is on no volume`);
    const shared = volumeMounts.find((one) => one.name === "haproxy")?.mountPath;
    if (values("haproxy-dir").join() !== shared) faults.push(`${name} has the configurations at ${shared}, not at --haproxy-dir`);
  }

  const [peers = ""] = values("peer-service");
  const headless = manifests.find(({ kind, metadata }) => kind === "Service" && metadata.name === peers)?.spec;
  if (
    !z
      .looseObject({
        clusterIP: z.literal("None"),
        publishNotReadyAddresses: z.literal(true),
        ports: z.tuple([z.looseObject({ name: z.literal(PEER_PORT_NAME) })]),
      })
      .safeParse(headless).success
  ) {
    faults.push(`--peer-service=${peers} is no headless Service with port ${PEER_PORT_NAME} that publishes addresses that are not ready`);
  }
  return faults;
}

const CLUSTER_SCOPED = [
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
];

/**
 * Names fit, every object is in the release's namespace or belongs to none, and no two have one name.
 *
 * @param dnsEndpoints the namespaces whose DNSEndpoints are written, each with a Role of its own
 */
export function nameFaults(manifests: readonly Manifest[], namespace: string, dnsEndpoints: readonly string[] = []): readonly string[] {
  const seen = new Set<string>();
  return manifests.flatMap(({ kind, metadata }) => {
    const who = `${kind} ${metadata.name}`;
    const isElsewhere = metadata.name.endsWith("-dnsendpoints");
    const place = isElsewhere ? `${who} ${metadata.namespace}` : who;
    const faults = seen.has(place) ? [`${who} is there twice`] : [];
    seen.add(place);
    if (metadata.name.length > 63) faults.push(`${who} is longer than 63 characters`);
    const wanted: readonly (string | undefined)[] = CLUSTER_SCOPED.includes(kind) ? [undefined] : isElsewhere ? dnsEndpoints : [namespace];
    if (!wanted.includes(metadata.namespace)) faults.push(`${who} is in namespace ${metadata.namespace}`);
    if (metadata.labels?.["app.kubernetes.io/instance"] === undefined) faults.push(`${who} has no label app.kubernetes.io/instance`);
    return faults;
  });
}

const rulesSchema = z.array(
  z.looseObject({
    apiGroups: z.array(z.string()),
    resources: z.array(z.string()),
    resourceNames: z.array(z.string()).default([]),
    verbs: z.array(z.string()),
  }),
);

/** All rights that the roles of a rendering give, one line for each resource: `ClusterRole globalroute: get list watch namespaces`. */
export function rights(manifests: readonly Manifest[]): readonly string[] {
  return manifests
    .filter(({ kind }) => kind === "ClusterRole" || kind === "Role")
    .flatMap(({ kind, metadata, rules }) =>
      rulesSchema.parse(rules).flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.map((resource) => {
            const name = resourceNames.length === 0 ? "" : ` (${resourceNames.join()})`;
            return `${kind} ${metadata.name}: ${verbs.join(" ")} ${group === "" ? resource : `${resource}.${group}`}${name}`;
          }),
        ),
      ),
    );
}
