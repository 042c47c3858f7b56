import { describe, expect, test } from "vitest";
import { MAX_FILE_BYTES, parseManifests } from "./manifest.ts";
import { formatProblem } from "./problem.ts";

const parse = (text: string) => parseManifests([{ path: "a.yaml", text }]);

const head = (kind: string, name = "one") => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const route = (spec: string) => `${head("GlobalRoute")}spec:\n${spec}`;
/** Lines 5 to 7; what is added starts at line 8. */
const whole = (more = "") => route(`  hosts: [a.example.org]\n  backends:\n  - {name: eu, cluster: eu, addresses: [192.0.2.1]}\n${more}`);
const cluster = (spec: string) => `${head("MemberCluster")}spec:\n${spec}`;
const zone = (records: string) =>
  `${head("DNSZone")}spec:\n  domain: example.org\n  provider:\n    type: Embedded\n    embedded:\n      nameservers: [ns.example.net]\n${records}`;
const override = (spec: string) => `${head("TrafficOverride")}spec:\n${spec}`;

test("an object is read with its defaults filled in, durations as numbers and addresses in canonical form", () => {
  const { objects, problems } = parse(
    route(
      "  hosts: [a.example.org]\n  backends:\n  - name: eu\n    cluster: eu\n    addresses: ['2001:DB8::0:1']\n  health: {interval: 1m30s}\n",
    ),
  );
  expect(problems).toEqual([]);
  expect(objects).toMatchObject([
    {
      kind: "GlobalRoute",
      namespace: "default",
      name: "one",
      labels: {},
      spec: {
        ttl: {},
        answers: 2,
        spread: 1,
        families: "Common",
        backends: [{ addresses: ["2001:db8::1"], weight: 100, priority: 0, bias: 0 }],
        routing: { order: "Nearest", rules: [], sticky: "None" },
        health: { interval: 90_000, rise: 2, fall: 3, quorum: { type: "Majority" }, probe: { type: "HTTP", insecureSkipVerify: false } },
        failover: {
          whenAllUnhealthy: "FailOpen",
          failback: { mode: "Automatic", after: 300_000, slowStart: 0 },
          tricklePercent: 0,
          maxWithdrawalPercent: 34,
        },
      },
    },
  ]);
});

const cases: readonly {
  readonly name: string;
  readonly text: string;
  readonly at: string;
  readonly code: string;
  readonly says: readonly string[];
}[] = [
  {
    name: "a misspelt field",
    text: whole("  anwsers: 3\n"),
    at: "8:3",
    code: "field-unknown",
    says: ['"anwsers"', "Did you mean answers?"],
  },
  {
    name: "a field that belongs elsewhere",
    text: whole("  order: Nearest\n"),
    at: "8:3",
    code: "field-unknown",
    says: ["spec.routing.order"],
  },
  { name: "a field of no object", text: whole("  wibble: 1\n"), at: "8:3", code: "field-unknown", says: ["hosts, ttl, answers"] },
  { name: "a merge key", text: whole("  <<: {answers: 1}\n"), at: "8:3", code: "field-unknown", says: ["merge keys"] },
  {
    name: "a missing field",
    text: route("  backends:\n  - {name: eu, cluster: eu, addresses: [192.0.2.1]}\n"),
    at: "5:3",
    code: "field-missing",
    says: ["spec.hosts", "Add hosts. Names that this route answers"],
  },
  {
    name: "a missing field in a list",
    text: route("  hosts: [a.example.org]\n  backends:\n  - name: eu\n    addresses: [192.0.2.1]\n"),
    at: "7:5",
    code: "field-missing",
    says: ["backends[0].cluster"],
  },
  { name: "no spec", text: head("GlobalRoute"), at: "1:1", code: "field-missing", says: ["spec"] },
  { name: "an empty field", text: whole("  ttl:\n"), at: "8:3", code: "field-missing", says: ["has no value"] },
  {
    name: "no name",
    text: cluster("  location: {cloud: aws, region: x}\n").replace("{name: one}", "{labels: {a: b}}"),
    at: "3:11",
    code: "field-missing",
    says: ["MemberCluster (unnamed) metadata.name"],
  },
  { name: "a name with capitals", text: whole().replace("name: one", "name: One"), at: "3:18", code: "field-format", says: ["lower-case"] },
  {
    name: "a number for a text",
    text: cluster('  location: {latitude: 48.2, longitude: "16"}\n'),
    at: "5:24",
    code: "field-type",
    says: ["48.2 is not a text", "quotes"],
  },
  {
    name: "a number for a duration",
    text: whole("  health: {interval: 5}\n"),
    at: "8:22",
    code: "field-type",
    says: ["spec.health.interval: 5 is not a duration. Write it with its unit, for example 5s."],
  },
  {
    name: "a text for a number",
    text: whole('  answers: "2"\n'),
    at: "8:12",
    code: "field-type",
    says: ['"2" is not a number', "Write 2, without quotes."],
  },
  { name: "a fraction", text: whole("  answers: 1.5\n"), at: "8:12", code: "field-type", says: ["1.5 is not a whole number"] },
  {
    name: "one value for a list",
    text: whole().replace("[a.example.org]", "a.example.org"),
    at: "5:10",
    code: "field-type",
    says: ["[a.example.org]"],
  },
  { name: "a text for an object", text: whole("  health: fast\n"), at: "8:11", code: "field-type", says: ["interval"] },
  {
    name: "a text for a boolean",
    text: whole('  health: {probe: {insecureSkipVerify: "yes"}}\n'),
    at: "8:40",
    code: "field-type",
    says: ["true or false"],
  },
  {
    name: "an unknown choice",
    text: whole("  routing: {order: Neerest}\n"),
    at: "8:20",
    code: "field-value",
    says: ["Neerest", "Did you mean Nearest?"],
  },
  {
    name: "a number out of range",
    text: whole("  answers: 99\n"),
    at: "8:12",
    code: "field-range",
    says: ["99 is out of range", "at most 32"],
  },
  {
    name: "an empty list",
    text: route("  hosts: []\n  backends:\n  - {name: eu, cluster: eu, addresses: [192.0.2.1]}\n"),
    at: "5:10",
    code: "field-range",
    says: ["has 0 entries, and at least 1 is allowed"],
  },
  {
    name: "too many entries",
    text: route(
      `  hosts: [${Array.from({ length: 65 }, (_, i) => `h${i}.example.org`).join(", ")}]\n  backends:\n  - {name: eu, cluster: eu, addresses: [192.0.2.1]}\n`,
    ),
    at: "5:10",
    code: "field-range",
    says: ["65 entries", "64"],
  },
  {
    name: "a text too long",
    text: override(`  targetRef: {kind: MemberCluster, name: a}\n  action: Drain\n  reason: ${"x".repeat(257)}\n`),
    at: "7:11",
    code: "field-range",
    says: ["257 characters", "256"],
  },
  {
    name: "a duration without unit",
    text: whole('  health: {interval: "5"}\n'),
    at: "8:22",
    code: "field-format",
    says: ["5s, 1500ms or 1h30m"],
  },
  {
    name: "a duration out of range",
    text: whole("  health: {interval: 2h}\n"),
    at: "8:22",
    code: "field-range",
    says: ['"2h" is outside 100ms to 1h'],
  },
  {
    name: "a TTL with a fraction of a second",
    text: whole("  ttl: {min: 1500ms}\n"),
    at: "8:14",
    code: "field-format",
    says: ["whole number of seconds", "Write 2s."],
  },
  {
    name: "a host with capitals",
    text: whole().replace("a.example.org", "A.example.org"),
    at: "5:11",
    code: "host-uppercase",
    says: ["a.example.org"],
  },
  {
    name: "an international host",
    text: whole().replace("a.example.org", "bücher.example.org"),
    at: "5:11",
    code: "host-idn",
    says: ["xn--bcher-kva.example.org"],
  },
  {
    name: "an address with port",
    text: whole().replace("192.0.2.1", '"192.0.2.1:80"'),
    at: "7:41",
    code: "address-syntax",
    says: ["health.probe.port"],
  },
  {
    name: "one address in two spellings",
    text: whole().replace("192.0.2.1", '"2001:db8::1", "2001:DB8:0::1"'),
    at: "7:56",
    code: "entry-duplicate",
    says: ["2001:db8::1"],
  },
  {
    name: "two backends of one name",
    text: whole("  - {name: eu, cluster: us, addresses: [192.0.2.2]}\n"),
    at: "8:12",
    code: "name-duplicate",
    says: ["name eu", "entry 0"],
  },
  {
    name: "a status range upside down",
    text: whole('  health: {probe: {expect: {status: ["399-200"]}}}\n'),
    at: "8:38",
    code: "range-order",
    says: ['"200-399"'],
  },
  {
    name: "a status as number",
    text: whole("  health: {probe: {expect: {status: [200]}}}\n"),
    at: "8:38",
    code: "field-type",
    says: ['"204"'],
  },
  {
    name: "a country that is none",
    text: whole("  routing: {rules: [{name: a, mode: Prefer, to: {clusters: [eu]}, clients: {countries: [UK]}}]}\n"),
    at: "8:89",
    code: "field-value",
    says: ["Write GB"],
  },
  {
    name: "an AS number with letters",
    text: whole("  routing: {rules: [{name: a, mode: Prefer, to: {clusters: [eu]}, clients: {asns: [AS64500]}}]}\n"),
    at: "8:84",
    code: "field-type",
    says: ["64500"],
  },
  {
    name: "a network with host bits",
    text: whole("  routing: {rules: [{name: a, mode: Prefer, to: {clusters: [eu]}, clients: {subnets: [192.0.2.1/24]}}]}\n"),
    at: "8:87",
    code: "field-format",
    says: ["192.0.2.0/24"],
  },
  {
    name: "a label that is no text",
    text: cluster("  location: {cloud: aws, region: eu-west-1}\n").replace("{name: one}", "{name: one, labels: {a: true}}"),
    at: "3:35",
    code: "field-type",
    says: ['"true"'],
  },
  {
    name: "a label key that is none",
    text: cluster("  location: {cloud: aws, region: eu-west-1}\n").replace("{name: one}", '{name: one, labels: {"a b": c}}'),
    at: "3:32",
    code: "field-format",
    says: ["not a label key"],
  },
  {
    name: "a time without zone",
    text: override("  targetRef: {kind: MemberCluster, name: a}\n  action: Drain\n  reason: work\n  until: 2026-11-21T18:00:00\n"),
    at: "8:10",
    code: "field-format",
    says: ["2026-11-21T18:00:00Z"],
  },
  {
    name: "a day that does not exist",
    text: override("  targetRef: {kind: MemberCluster, name: a}\n  action: Drain\n  reason: work\n  until: 2026-02-30T18:00:00Z\n"),
    at: "8:10",
    code: "field-format",
    says: ["exists"],
  },
  {
    name: "no reason",
    text: override("  targetRef: {kind: MemberCluster, name: a}\n  action: Freeze\n"),
    at: "5:3",
    code: "field-missing",
    says: ["reason"],
  },
  {
    name: "a record type that is none",
    text: zone("      records: [{name: a, type: PTR, values: [b]}]\n"),
    at: "10:33",
    code: "field-value",
    says: ["PTR"],
  },
  {
    name: "an owner name that is none",
    text: zone('      records: [{name: "a b", type: A, values: [192.0.2.1]}]\n'),
    at: "10:24",
    code: "field-format",
    says: ["apex"],
  },
  { name: "no API version", text: "kind: GlobalRoute\n", at: "1:1", code: "api-version", says: ["globalroute.dev/v1alpha1"] },
  { name: "another system's object", text: "apiVersion: v1\nkind: Service\n", at: "1:13", code: "api-version", says: ["another folder"] },
  {
    name: "another version of ours",
    text: "apiVersion: globalroute.dev/v2\nkind: GlobalRoute\n",
    at: "1:13",
    code: "api-version",
    says: ["v1alpha1"],
  },
  {
    name: "a misspelt kind",
    text: "apiVersion: globalroute.dev/v1alpha1\nkind: Globalroutes\n",
    at: "2:7",
    code: "kind-unknown",
    says: ["Did you mean GlobalRoute?"],
  },
  { name: "a document that is a list", text: "- 1\n", at: "1:1", code: "yaml-object", says: ["mapping"] },
];

test.each(cases)("$name: place, code and remedy", ({ text, at, code, says }) => {
  const { objects, problems } = parse(text);
  expect(objects).toEqual([]);
  expect(problems).toHaveLength(1);
  const line = formatProblem(problems[0]!);
  expect(line).toContain(`a.yaml:${at}: error: `);
  expect(line).toContain(`[${code}]`);
  for (const part of says) expect(line).toContain(part);
  expect(problems[0]!.remedy).toMatch(/^[A-Z].*[.?]$/s);
});

test("all problems of an object are reported, not only the first", () => {
  const { problems, rejected } = parse(
    route("  hosts: [A.example.org, b.example.org.]\n  ttl: {min: 5, maxx: 1s}\n  answers: many\n  publish: {dns: []}\n"),
  );
  expect(problems.map(({ line, column, code }) => `${line}:${column} ${code}`).sort()).toEqual([
    "5:11 host-uppercase",
    "5:26 host-syntax",
    "6:14 field-type",
    "6:17 field-unknown",
    "7:12 field-type",
    "8:18 field-range",
  ]);
  expect(rejected).toEqual([{ kind: "GlobalRoute", namespace: "default", name: "one" }]);
});

test("a broken document hides nothing of the others, and a broken file nothing of other files", () => {
  const good = cluster("  location: {cloud: aws, region: eu-west-1}\n");
  const { objects, problems } = parseManifests([
    { path: "a.yaml", text: `${good}---\nx: [1,\n---\n${whole("  answers: 0\n")}---\n${good.replace("one", "two")}` },
    { path: "b.yaml", text: "a: [" },
    { path: "c.yaml", text: good.replace("one", "three") },
  ]);
  expect(objects.map((object) => object.name)).toEqual(["one", "two", "three"]);
  expect(problems.map(({ file, code }) => `${file} ${code}`)).toEqual(["a.yaml yaml-syntax", "a.yaml field-range", "b.yaml yaml-syntax"]);
});

test("what an API server prints is read as well: status and server-written metadata are passed over", () => {
  const text = whole("status: {conditions: []}\n").replace(
    "{name: one}",
    "{name: one, uid: a, generation: 2, managedFields: [], creationTimestamp: null}",
  );
  expect(parse(text)).toMatchObject({ objects: [{ name: "one" }], problems: [] });
});

test("a namespace on a cluster-scoped object is only a warning", () => {
  const { objects, problems } = parse(
    cluster("  location: {cloud: aws, region: eu-west-1}\n").replace("{name: one}", "{name: one, namespace: shop}"),
  );
  expect(objects).toMatchObject([{ namespace: "" }]);
  expect(problems).toMatchObject([{ severity: "warning", code: "namespace-unused", line: 3, column: 34 }]);
});

test("a file over 4 MiB is refused before it is parsed", () => {
  const { problems } = parse("#".repeat(MAX_FILE_BYTES + 1));
  expect(problems).toMatchObject([{ code: "file-size", line: 0, message: expect.stringContaining("4 MiB") }]);
  expect(parse("#".repeat(MAX_FILE_BYTES)).problems).toEqual([]);
  expect(parse(`#${"ü".repeat(MAX_FILE_BYTES / 2)}`).problems).toMatchObject([{ code: "file-size" }]);
});

describe("YAML", () => {
  test("Norway is a country, not a boolean, even in a file that calls itself YAML 1.1", () => {
    const rules = "  routing: {rules: [{name: a, mode: Prefer, to: {clusters: [eu]}, clients: {countries: [NO, FI]}}]}\n";
    for (const text of [whole(rules), `%YAML 1.1\n---\n${whole(rules)}`]) {
      expect(parse(text)).toMatchObject({
        problems: [],
        objects: [{ spec: { routing: { rules: [{ clients: { countries: ["NO", "FI"] } }] } } }],
      });
    }
  });

  test("anchors and aliases work, and a problem inside one is reported where the alias stands", () => {
    const text = whole("  ttl: {min: &t 7s, max: *t}\n");
    expect(parse(text)).toMatchObject({ problems: [], objects: [{ spec: { ttl: { min: 7, max: 7 } } }] });
    expect(parse(text.replace("7s", "0s")).problems).toMatchObject([
      { line: 8, column: 17 },
      { line: 8, column: 26 },
    ]);
  });

  test.each([
    ["a key that occurs twice", whole("  answers: 1\n  answers: 2\n"), "9:3", "yaml-duplicate-key"],
    ["a template", cluster("  location: {{ .Values.location }}\n"), "5:14", "yaml-syntax"],
    ["an alias without anchor", whole("  answers: *no\n"), "8:12", "yaml-syntax"],
    ["an alias inside its own anchor", "a: &a [*a]", "1:8", "yaml-syntax"],
    ["a list as key", "? [a, b]\n: 1\n", "1:3", "yaml-syntax"],
    ["an unknown tag", whole("  answers: !x 1\n"), "8:12", "yaml-syntax"],
    ["tabs", "a:\n\tb: 1\n", "2:1", "yaml-syntax"],
    ["deep nesting", `a: ${"[".repeat(200)}${"]".repeat(200)}`, "1:68", "yaml-syntax"],
    ["nesting that exhausts the parser's stack", "[".repeat(50_000), "", "yaml-syntax"],
    ["complex keys that exhaust the parser's stack", "? ".repeat(50_000), "", "yaml-syntax"],
  ])("%s is a syntax error with its place", (_, text, at, code) => {
    const [problem, ...more] = parse(text).problems;
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code, file: "a.yaml" });
    if (at !== "") expect(`${problem!.line}:${problem!.column}`).toBe(at);
  });

  test("an alias bomb is refused, told once, and costs no time", () => {
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`).join("\n");
    expect(parse(`l0: &l0 [x]\n${levels}\n`).problems).toMatchObject([
      { code: "alias-limit", remedy: expect.stringContaining("Write the values out") },
    ]);
  });

  test("a key called __proto__ is a field like any other", () => {
    expect(parse(whole("  __proto__: {answers: 1}\n")).problems).toMatchObject([{ code: "field-unknown", line: 8 }]);
  });

  test("empty documents and comments are nothing", () => {
    expect(parse(`# hello\n---\n---\n${whole()}---\n`)).toMatchObject({ objects: [{}], problems: [] });
  });
});
