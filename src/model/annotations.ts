/**
 * What annotations of a source (an Ingress, Gateway, Service or route of the Gateway API) say. One is enough, `globalroute.dev/route: "true"`;
 * the others narrow or tune what the zone allows. A bad one is told, with its remedy; whoever reads them lets what is served go on.
 */
import { z } from "zod";
import { describeIssue } from "./describe-issue.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { type Decoded, decoded, type Fault, fault } from "./fault.ts";
import { API_GROUP } from "./kinds.ts";
import { didYouMean, nearestWord } from "./nearest-word.ts";
import { formed, objectName, text } from "./schema/parts.ts";
import { type Milliseconds, ms, type Seconds, seconds } from "./units.ts";

/** Begins every annotation of ours. */
export const ANNOTATION_PREFIX = `${API_GROUP}/`;
/** The label of clusters that `residency` speaks of. Operators set it; discovery never copies it. */
export const RESIDENCY_LABEL = `residency.${API_GROUP}/region`;

/** What holds for the whole route that sources make, and not only for one backend. */
export interface SourcePolicy {
  readonly order?: "Nearest" | "Latency" | "Weighted" | "Priority";
  readonly ttl?: { readonly min: Seconds; readonly max: Seconds };
  readonly healthPath?: string;
  readonly failback?: { readonly mode: "Approval" } | { readonly mode: "Automatic"; readonly after: Milliseconds };
  /** Only clusters whose {@link RESIDENCY_LABEL} is this may serve. */
  readonly residency?: string;
  /** The DNSZone that publishes it, and no other. */
  readonly zone?: string;
}

export interface SourceAnnotations {
  /** The source asks to be a backend. */
  readonly joins: boolean;
  readonly weight?: number;
  readonly priority?: number;
  readonly policy: SourcePolicy;
}

export interface AnnotationFault {
  /** Whole, such as `globalroute.dev/weight`. */
  readonly annotation: string;
  readonly fault: Fault;
}

/** A whole number as a text, which is all that an annotation can be. */
const wholeNumber = (most: number) =>
  text(16, "^[0-9]+$", (value): Decoded<number> => {
    if (!/^[0-9]+$/.test(value)) return fault("field-format", "is not a whole number", `Write a number from 0 to ${most}.`);
    const number = Number(value);
    return number <= most ? decoded(number) : fault("field-range", `is more than ${most}`, `Write a number from 0 to ${most}.`);
  });

const DAY = 86_400_000;

function parseTtl(value: string): Decoded<{ readonly min: Seconds; readonly max: Seconds }> {
  const bounds = value.split("-").map(parseDuration);
  const [min, max = min] = bounds.map((bound) => ("value" in bound ? bound.value : undefined));
  const form = "Write one duration of whole seconds from 1s to 24h, or two with a hyphen between them, as in 30s or 5s-60s.";
  if (bounds.length > 2 || min === undefined || max === undefined) return fault("field-format", "is not a TTL", form);
  if (min % 1000 !== 0 || max % 1000 !== 0) return fault("field-format", "is not of whole seconds, which is all that DNS can carry", form);
  if (min < 1000 || max > DAY) return fault("field-range", "is outside 1s to 24h", form);
  if (min > max)
    return fault("range-order", "is a range that ends before it starts", `Write ${formatDuration(max)}-${formatDuration(min)}.`);
  return decoded({ min: seconds(min / 1000), max: seconds(max / 1000) });
}

function parseFailback(value: string): Decoded<NonNullable<SourcePolicy["failback"]>> {
  if (value === "Approval") return decoded({ mode: "Approval" });
  const after = parseDuration(value);
  if ("fault" in after || after.value > DAY) {
    return fault("field-format", "is neither Approval nor a duration up to 24h", "Write Approval, or after how long it returns, as in 5m.");
  }
  return decoded({ mode: "Automatic", after: ms(after.value) });
}

/** Each annotation behind its prefix, with what its text must be. */
const schemas = {
  route: z.enum(["true", "false"]),
  order: z.enum(["Nearest", "Latency", "Weighted", "Priority"]),
  weight: wholeNumber(10_000),
  priority: wholeNumber(1000),
  ttl: text(64, "", parseTtl),
  "health-path": formed(1024, "^/[!-~]*$", "a path", "Write it with a slash first and without spaces, for example /healthz."),
  failback: text(64, "", parseFailback),
  residency: formed(
    63,
    "^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
    "a value of a label",
    `Write the value of the label ${RESIDENCY_LABEL} that the allowed clusters have, as in eu.`,
  ),
  zone: objectName(),
} as const;

type Name = keyof typeof schemas;

/** What each annotation does, with an example, for the reference page. */
export const annotationUse: Readonly<Record<Name, { readonly example: string; readonly use: string }>> = {
  route: { example: "true", use: "The source is a backend. It is the only one that is needed." },
  order: { example: "Latency", use: "As `routing.order` of a GlobalRoute." },
  weight: { example: "50", use: "Weight of this backend; 100 without it." },
  priority: { example: "1", use: "Priority of this backend; 0 without it." },
  ttl: { example: "5s-30s", use: "As `ttl` of a GlobalRoute: the shortest and the longest, or one for both." },
  "health-path": { example: "/healthz", use: "As `health.probe.path` of a GlobalRoute." },
  failback: { example: "10m", use: "After how long it returns (`failover.failback.after`), or `Approval`." },
  residency: {
    example: "eu",
    use: `Only clusters whose label \`${RESIDENCY_LABEL}\` has this value serve, whatever fails.`,
  },
  zone: { example: "example-org", use: "The DNSZone that publishes it, where several could." },
};
/** Behind the prefix. */
export const annotationNames: readonly string[] = Object.keys(schemas);

/** Ours, but written by us and not by people. */
const written: ReadonlySet<string> = new Set(["writer-epoch", "generated"]);

export interface ParsedAnnotations {
  readonly values: SourceAnnotations;
  readonly faults: readonly AnnotationFault[];
  /** One that narrows (`residency`, `zone`) cannot be read: to pass over it would serve where it was not to be. A source must not join so. */
  readonly isBlocked: boolean;
}

const narrowing: ReadonlySet<string> = new Set(["residency", "zone"]);

/** @returns what could be read, and what could not; annotations of others are passed over */
export function parseAnnotations(annotations: Readonly<Record<string, string>> = {}): ParsedAnnotations {
  const faults: AnnotationFault[] = [];
  const ours = Object.keys(annotations).filter((key) => key.startsWith(ANNOTATION_PREFIX));
  for (const key of ours) {
    const name = key.slice(ANNOTATION_PREFIX.length);
    if (!Object.hasOwn(schemas, name) && !written.has(name)) faults.push({ annotation: key, fault: unknownAnnotation(name) });
  }

  function read<N extends Name>(name: N): z.output<(typeof schemas)[N]> | undefined;
  function read(name: Name): unknown {
    const key = `${ANNOTATION_PREFIX}${name}`;
    if (!Object.hasOwn(annotations, key)) return undefined;
    const value = annotations[key];
    const parsed = schemas[name].safeParse(value);
    if (parsed.success) return parsed.data;
    const found = parsed.error.issues.flatMap((issue) => describeIssue(issue, schemas[name], value))[0];
    if (found !== undefined) faults.push({ annotation: key, fault: found.fault });
    return undefined;
  }

  const route = read("route");
  const [order, ttl, healthPath, failback, residency, zone] = [
    read("order"),
    read("ttl"),
    read("health-path"),
    read("failback"),
    read("residency"),
    read("zone"),
  ];
  const [weight, priority] = [read("weight"), read("priority")];
  const idle = ours.find((key) => Object.hasOwn(schemas, key.slice(ANNOTATION_PREFIX.length)));
  if (idle !== undefined && !Object.hasOwn(annotations, `${ANNOTATION_PREFIX}route`)) {
    const remedy = `Add ${ANNOTATION_PREFIX}route: "true", or remove it.`;
    faults.push({ annotation: idle, fault: { code: "field-unused", message: `does nothing without ${ANNOTATION_PREFIX}route`, remedy } });
  }
  return {
    values: {
      joins: route === "true",
      ...(weight === undefined ? {} : { weight }),
      ...(priority === undefined ? {} : { priority }),
      policy: {
        ...(order === undefined ? {} : { order }),
        ...(ttl === undefined ? {} : { ttl }),
        ...(healthPath === undefined ? {} : { healthPath }),
        ...(failback === undefined ? {} : { failback }),
        ...(residency === undefined ? {} : { residency }),
        ...(zone === undefined ? {} : { zone }),
      },
    },
    faults,
    isBlocked: faults.some(({ annotation, fault: { code } }) => {
      const name = annotation.slice(ANNOTATION_PREFIX.length);
      return narrowing.has(code === "field-unknown" ? (nearestWord(name, annotationNames) ?? "") : name) && code !== "field-unused";
    }),
  };
}

function unknownAnnotation(name: string): Fault {
  const near = didYouMean(name, annotationNames);
  return {
    code: "field-unknown",
    message: `${JSON.stringify(name)} is not an annotation of GlobalRoute`,
    remedy: near === "" ? `Remove it; known are ${annotationNames.join(", ")}.` : near.trim(),
  };
}

/**
 * The policy as a fragment of a GlobalRoute's spec, in the form of the API (durations as texts): what a generated route holds besides hosts
 * and backends. Residency is a Require rule for everybody, so it can only narrow.
 */
export function policySpec({ order, ttl, healthPath, failback, residency, zone }: SourcePolicy): Readonly<Record<string, unknown>> {
  const rule = {
    name: "residency",
    clients: { subnets: ["0.0.0.0/0", "::/0"] },
    to: { selector: { matchLabels: { [RESIDENCY_LABEL]: residency } } },
    mode: "Require",
    unknownPlace: "Apply",
  };
  const routing = { ...(order === undefined ? {} : { order }), ...(residency === undefined ? {} : { rules: [rule] }) };
  return {
    ...(ttl === undefined ? {} : { ttl: { min: `${ttl.min}s`, max: `${ttl.max}s` } }),
    ...(Object.keys(routing).length === 0 ? {} : { routing }),
    ...(healthPath === undefined ? {} : { health: { probe: { path: healthPath } } }),
    ...(failback === undefined
      ? {}
      : { failover: { failback: failback.mode === "Approval" ? failback : { ...failback, after: formatDuration(failback.after) } } }),
    ...(zone === undefined ? {} : { publish: { dns: [{ zone }] } }),
  };
}
