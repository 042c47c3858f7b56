/**
 * What tenants might try, as data: each attack is a few objects more in a peaceful world. None may change anything that is served, and each is
 * refused where its owner looks.
 */
import type { KubeObject } from "../../../controller/kube/kube-object.ts";
import { annotated, dnsZone, globalRoute, ingress, memberCluster, override } from "./source-objects.ts";

export interface TenancyAttack {
  /** A sentence, whose subject is the attack. */
  readonly name: string;
  /** Objects on the hub. */
  readonly hub?: readonly KubeObject[];
  /** Cluster → objects in it. */
  readonly clusters?: Readonly<Record<string, readonly KubeObject[]>>;
  /** Reason of a warning on a source, or of `Accepted=False` on one of our objects. */
  readonly refusal: { readonly warning: string } | { readonly report: string };
}

/** Namespaces of the hub. `evil` is a tenant like the others, `web2` another one of team web. */
export const namespaces = {
  web: { team: "web" },
  web2: { team: "web" },
  pay: { team: "pay" },
  evil: { team: "evil" },
  "globalroute-system": {},
};

/** Team web has shop.example.org, team pay pay.example.org and only from trusted clusters, evil its own name; nobody has example.net. */
export const zones: readonly KubeObject[] = [
  dnsZone("example.org", [
    {
      namespaceSelector: { matchLabels: { team: "web" } },
      clusterSelector: { matchLabels: { stage: "prod" } },
      suffixes: ["shop.example.org"],
    },
    {
      namespaceSelector: { matchLabels: { team: "pay" } },
      clusterSelector: { matchLabels: { trust: "high" } },
      suffixes: ["pay.example.org"],
    },
    { namespaceSelector: { matchLabels: { team: "evil" } }, suffixes: ["evil.example.org"] },
  ]),
  dnsZone("example.net"),
];

/** Whoever runs `dev` may make any namespace and any object there. */
export const memberClusters: readonly KubeObject[] = [
  memberCluster("eu", { labels: { stage: "prod", trust: "high", "residency.globalroute.dev/region": "eu" } }),
  memberCluster("us", { labels: { stage: "prod", trust: "low" } }),
  memberCluster("dev", { labels: { stage: "dev", trust: "low" } }),
];

const source = (
  namespace: string,
  name: string,
  host: string,
  more: Readonly<Record<string, string>> = {},
  address = "203.0.113.66",
): KubeObject => ingress({ namespace, name, annotations: annotated(more), created: "2026-03-01T00:00:00Z" }, [host], [address]);

/** The peaceful world's sources. */
export const peace: Readonly<Record<string, readonly KubeObject[]>> = {
  eu: [
    source("web", "shop", "shop.example.org", { ttl: "20s" }, "192.0.2.1"),
    source("pay", "pay", "pay.example.org", { residency: "eu" }, "192.0.2.2"),
  ],
  us: [source("web", "shop", "shop.example.org", {}, "198.51.100.1")],
  dev: [],
};

/** Older than anything in the peaceful world. */
const old = "1999-01-01T00:00:00Z";
const backend = { name: "a", cluster: "us", addresses: ["203.0.113.66"] };

export const tenancyAttacks: readonly TenancyAttack[] = [
  {
    name: "an annotation in a namespace that the zone does not select",
    clusters: { us: [source("evil", "x", "shop.example.org")] },
    refusal: { warning: "HostNotAllowed" },
  },
  {
    name: "an annotation in a namespace that the hub does not have",
    clusters: { dev: [source("ghost", "x", "shop.example.org")] },
    refusal: { warning: "NamespaceMissing" },
  },
  {
    name: "a namespace of the victim's name in a cluster that the zone does not take",
    clusters: { dev: [source("web", "shop", "shop.example.org", { weight: "10000" })] },
    refusal: { warning: "HostNotAllowed" },
  },
  {
    name: "the same in a cluster that is good for others only",
    clusters: { us: [source("pay", "pay", "pay.example.org", { priority: "0" })] },
    refusal: { warning: "HostNotAllowed" },
  },
  {
    name: "a name that only looks like the suffix",
    clusters: { us: [source("web", "x", "evilshop.example.org")] },
    refusal: { warning: "HostNotAllowed" },
  },
  {
    name: "the victim's name with labels behind it",
    clusters: { us: [source("web", "x", "shop.example.org.evil.example.com")] },
    refusal: { warning: "HostWithoutZone" },
  },
  {
    name: "the victim's name in front of the attacker's own",
    clusters: { us: [source("web", "x", "shop.example.org.evil.example.org")] },
    refusal: { warning: "HostNotAllowed" },
  },
  { name: "the zone's apex", clusters: { us: [source("web", "x", "example.org")] }, refusal: { warning: "HostNotAllowed" } },
  {
    name: "a wildcard over the whole zone",
    clusters: { us: [source("web", "x", "*.example.org")] },
    refusal: { warning: "HostNotAllowed" },
  },
  {
    name: "a wildcard below the victim's name",
    clusters: { us: [source("evil", "x", "*.pay.example.org")] },
    refusal: { warning: "HostNotAllowed" },
  },
  { name: "a zone that allows nobody", clusters: { us: [source("web", "x", "shop.example.net")] }, refusal: { warning: "HostNotAllowed" } },
  {
    name: "the victim's name in capital letters",
    clusters: { us: [source("evil", "x", "SHOP.Example.ORG")] },
    refusal: { warning: "HostNotAllowed" },
  },
  {
    name: "the victim's name with a dot behind it",
    clusters: { us: [source("evil", "x", "shop.example.org.")] },
    refusal: { warning: "HostRefused" },
  },
  {
    name: "the victim's name with a line feed behind it",
    clusters: { us: [source("evil", "x", "shop.example.org\n")] },
    refusal: { warning: "HostRefused" },
  },
  {
    name: "a residency that the source's cluster does not have",
    clusters: { us: [source("web", "x", "x.shop.example.org", { residency: "eu" })] },
    refusal: { warning: "ResidencyRefused" },
  },
  {
    name: "a residency label on the source in place of its cluster",
    clusters: {
      us: [
        ingress(
          {
            namespace: "web",
            name: "x",
            labels: { "residency.globalroute.dev/region": "eu" },
            annotations: annotated({ residency: "eu" }),
          },
          ["x.shop.example.org"],
          ["203.0.113.66"],
        ),
      ],
    },
    refusal: { warning: "ResidencyRefused" },
  },
  {
    name: "a residency that cannot be read, so that it would not narrow",
    clusters: { us: [source("web", "x", "x.shop.example.org", { residency: "e u" })] },
    refusal: { warning: "AnnotationInvalid" },
  },
  {
    name: "a residency that is misspelt, so that it would not narrow",
    clusters: { us: [source("web", "x", "x.shop.example.org", { residncy: "eu" })] },
    refusal: { warning: "AnnotationInvalid" },
  },
  {
    name: "another policy by an older source of the victim's namespace",
    clusters: {
      us: [
        ingress(
          { namespace: "web", name: "older", annotations: annotated({ ttl: "24h", order: "Weighted" }), created: old },
          ["shop.example.org"],
          ["198.51.100.1"],
        ),
      ],
    },
    refusal: { warning: "PolicyConflict" },
  },
  {
    name: "an older source of another namespace that may have the name",
    clusters: {
      us: [ingress({ namespace: "web2", name: "shop", annotations: annotated(), created: old }, ["shop.example.org"], ["203.0.113.66"])],
    },
    refusal: { warning: "HostTaken" },
  },
  {
    name: "an older GlobalRoute of another namespace that may have the name",
    hub: [globalRoute({ namespace: "web2", name: "grab", created: old }, { hosts: ["shop.example.org"], backends: [backend] })],
    refusal: { report: "HostTaken" },
  },
  {
    name: "a GlobalRoute with the victim's host",
    hub: [globalRoute({ namespace: "evil", name: "grab" }, { hosts: ["pay.example.org"], backends: [backend] })],
    refusal: { report: "HostNotAllowed" },
  },
  {
    name: "a sourceRef with a namespace in its name",
    hub: [
      globalRoute(
        { namespace: "evil", name: "steal" },
        { hosts: ["evil.example.org"], backends: [{ name: "a", cluster: "eu", sourceRef: { kind: "Ingress", name: "pay/pay" } }] },
      ),
    ],
    refusal: { report: "Invalid" },
  },
  {
    name: "a sourceRef with a member for the namespace",
    hub: [
      globalRoute(
        { namespace: "evil", name: "steal" },
        {
          hosts: ["evil.example.org"],
          backends: [{ name: "a", cluster: "eu", sourceRef: { kind: "Ingress", namespace: "pay", name: "pay" } }],
        },
      ),
    ],
    refusal: { report: "NoBackends" },
  },
  {
    name: "a sourceRef into a cluster that the zone does not take",
    hub: [
      globalRoute(
        { namespace: "pay", name: "dev" },
        { hosts: ["dev.pay.example.org"], backends: [{ name: "a", cluster: "dev", sourceRef: { kind: "Ingress", name: "pay" } }] },
      ),
    ],
    clusters: { dev: [ingress({ namespace: "pay", name: "pay" }, [], ["203.0.113.66"])] },
    refusal: { report: "NoBackends" },
  },
  {
    name: "the label of generated routes on an object that nobody has generated",
    hub: [
      globalRoute(
        { namespace: "evil", name: "forged", labels: { "globalroute.dev/generated": "true" }, created: old },
        { hosts: ["shop.example.org", "evil.example.org"], backends: [backend] },
      ),
    ],
    refusal: { report: "NotGenerated" },
  },
  {
    name: "that label, and a status that names the victim's source",
    hub: [
      globalRoute(
        {
          namespace: "evil",
          name: "forged",
          labels: { "globalroute.dev/generated": "true" },
          created: old,
          status: { policySource: "eu/pay/Ingress/pay" },
        },
        { hosts: ["pay.example.org"] },
      ),
    ],
    refusal: { report: "NotGenerated" },
  },
  {
    name: "an override of a MemberCluster from a tenant's namespace",
    hub: [override({ namespace: "evil", name: "drain" }, { targetRef: { kind: "MemberCluster", name: "eu" }, action: "Cordon" })],
    refusal: { report: "NamespaceNotAllowed" },
  },
  {
    name: "an override that names a route of another namespace",
    hub: [override({ namespace: "evil", name: "drain" }, { targetRef: { kind: "GlobalRoute", name: "web/shop" }, action: "Cordon" })],
    refusal: { report: "Invalid" },
  },
  {
    name: "a probe of the metadata service by a status",
    clusters: { us: [source("web", "x", "x.shop.example.org", {}, "169.254.169.254")] },
    refusal: { warning: "AddressRefused" },
  },
  {
    name: "a probe of the machine itself by a mapped address",
    clusters: { us: [source("web", "x", "x.shop.example.org", {}, "::ffff:127.0.0.1")] },
    refusal: { warning: "AddressRefused" },
  },
  {
    name: "a probe of a Service inside by its name",
    clusters: { us: [source("web", "x", "x.shop.example.org", {}, "kubernetes.default.svc")] },
    refusal: { warning: "AddressRefused" },
  },
  {
    name: "a probe's header written into its path",
    clusters: { us: [source("web", "x", "x.shop.example.org", { "health-path": "/ HTTP/1.1\r\nHost: internal.example.net" })] },
    refusal: { warning: "AnnotationInvalid" },
  },
  {
    name: "a probe of another server by a URL for its path",
    clusters: { us: [source("web", "x", "x.shop.example.org", { "health-path": "http://169.254.169.254/latest" })] },
    refusal: { warning: "AnnotationInvalid" },
  },
];
