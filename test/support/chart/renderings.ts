/** Ways to install that differ in more than a number: values under which the chart is checked, in the words of `--set-json`. */
export const renderings: readonly { name: string; values: readonly string[]; namespaces?: readonly string[] }[] = [
  { name: "no values", values: [] },
  { name: "IPv6 alone", values: ['ipFamilies=["IPv6"]'] },
  { name: "both families", values: ['ipFamilies=["IPv4","IPv6"]', 'ipFamilyPolicy="PreferDualStack"', 'admin.address="::1"'] },
  {
    name: "a load balancer for each protocol",
    values: ["dns.service.mixedProtocols=false", 'dns.service.loadBalancerClass="example.org/lb"'],
  },
  { name: "node ports", values: ['dns.service.type="NodePort"', "dns.service.nodePort=30053"] },
  { name: "ports of the nodes", values: ['dns.service.type="ClusterIP"', "dns.hostPort=53", "replicas=3"] },
  {
    name: "other ports, no drain",
    values: ["terminationDrainSeconds=0", "dns.port=1053", "metrics.port=1153", "peers.port=1154", "admin.port=1155"],
  },
  {
    name: "vantages",
    values: [
      'vantages.credentialsSecret="vantages"',
      "vantages.service.enabled=true",
      'networkPolicy.vantagesFrom=[{"ipBlock":{"cidr":"198.51.100.0/24"}}]',
    ],
  },
  { name: "notifications", values: ['notifications.secret="globalroute-notify"'] },
  { name: "limited egress", values: ["networkPolicy.egress.enabled=true"] },
  { name: "own geo databases", values: ['geo.volume={"persistentVolumeClaim":{"claimName":"geo"}}', 'geo.files=["city.mmdb","asn.mmdb"]'] },
  {
    name: "zones that ExternalDNS publishes",
    values: ['externalDns.namespaces=["default","globalroute-system"]'],
    namespaces: ["default", "globalroute-system"],
  },
  { name: "an image by digest", values: [`image.digest="sha256:${"0".repeat(64)}"`, 'image.pullSecrets=[{"name":"registry"}]'] },
  {
    name: "metrics for the operator",
    values: ["metrics.serviceMonitor.enabled=true", 'metrics.serviceMonitor.labels={"release":"prometheus"}'],
  },
  {
    name: "as little as can be",
    values: [
      "crds.install=false",
      "writerFence.enabled=false",
      "uninstallHook.enabled=false",
      "podDisruptionBudget.enabled=false",
      "networkPolicy.enabled=false",
      "rbac.create=false",
      "rbac.aggregate=false",
      "serviceAccount.create=false",
      'serviceAccount.name="mine"',
      'keys.existingSecret="mine"',
    ],
  },
  {
    name: "everything of pods",
    values: [
      'podLabels={"team":"edge"}',
      'podAnnotations={"example.org/a":"b"}',
      'nodeSelector={"disk":"ssd"}',
      'tolerations=[{"operator":"Exists"}]',
      'affinity={"nodeAffinity":{}}',
      'priorityClassName="system-cluster-critical"',
      'extraArgs=["--json"]',
      'vantage.location="aws/eu-west-1"',
      'probes.allow=["198.18.0.0/15"]',
      'probes.references=["192.0.2.1:443"]',
      'clusters.allow=["198.18.0.0/15"]',
    ],
  },
  { name: "a long name", values: [`fullnameOverride="${"long-name-".repeat(6)}x"`] },
];
