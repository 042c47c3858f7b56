/** An explanation as lines for people. Pure. */
import type { Candidate, Explanation } from "../routing/explanation.ts";
import { type Column, table } from "./table.ts";
import { type Cell, formatPercent, hanging, type Look, type Style, stateCell } from "./text.ts";

/** @returns the lines of the table form; one screen for a route of a dozen backends */
export function renderExplanation(it: Explanation, look: Look): readonly string[] {
  const field = (name: string, value: string): readonly string[] => hanging(`${name.padEnd(7)} `, value, look, { head: "dim" });
  const rules = it.rules.length === 0 ? ["none applies"] : it.rules.map(({ name, mode, why }) => `${name} (${mode}): ${why}`);
  const passed = passedOver(it);
  const clusters = it.clusters.length > 1 ? `, clusters ${it.clusters.join(", ")}` : "";
  return [
    ...headLines(it, look),
    "",
    ...field("place", place(it)),
    ...field("route", `${it.route}${it.slot === undefined ? "" : `, sticky: the client's slot is ${it.slot}`}`),
    ...rules.flatMap((rule, i) => field(i === 0 ? "rules" : "", rule)),
    ...field("tier", tier(it)),
    ...(passed.length === 0 ? [] : field("passed", passed.join("; "))),
    ...field("answer", `TTL ${it.ttl} s, scope /${it.scopePrefixLength}${clusters}`),
    "",
    ...candidateLines(it, look),
    ...it.notes.flatMap((note, i) => [...(i === 0 ? [""] : []), ...hanging("note: ", note, look, { head: "yellow" })]),
  ];
}

/** What is answered, on one line where it fits. */
function headLines(it: Explanation, look: Look): readonly string[] {
  const { paint, width } = look;
  const asked = `${it.host} ${it.family} for ${it.client}:`;
  const { text, style } = answer(it);
  const head = `${paint("bold", it.host)} ${it.family} for ${paint("bold", it.client)}:`;
  if (asked.length + 1 + text.length <= width) return [`${head} ${paint(style, text)}`];
  return [head, ...hanging("  ", text, look, { text: style })];
}

function answer({ addresses, clusters, mode, shares }: Explanation): { readonly text: string; readonly style: Style } {
  if (addresses.length === 0) return { text: "nothing can be answered (SERVFAIL)", style: "red" };
  const sharing = Object.values(shares ?? {}).filter((share) => share > 0).length;
  const drawn = sharing > clusters.length ? ` this time (${sharing} clusters share this client's answers)` : "";
  const text = `${clusters.join(", ")} at ${addresses.join(", ")}${drawn}`;
  return mode === "Usable" ? { text, style: "green" } : { text: `${text} (${MODES[mode] ?? mode})`, style: "yellow" };
}

const SHOWN_PASSED = 4;

/** Clusters that would have served before those that do: `eu-west (464 km) is Unhealthy`. */
function passedOver({ candidates, tier: serving }: Explanation): readonly string[] {
  const better = candidates.filter((one) => one.tier !== null && serving !== null && one.tier < serving && !one.taken);
  const seen = new Map(better.map((one) => [one.cluster, one]));
  const words = [...seen.values()].map(
    ({ cluster, distanceKm, health }) => `${cluster}${distanceKm === null ? "" : ` (${Math.round(distanceKm)} km)`} is ${health}`,
  );
  return words.length > SHOWN_PASSED ? [...words.slice(0, SHOWN_PASSED), `and ${words.length - SHOWN_PASSED} more`] : words;
}

function tier({ tier: serving, mode }: Explanation): string {
  const why = MODES[mode] ?? mode;
  return serving === null ? why : `${serving} serves: ${why}`;
}

const MODES: Readonly<Record<string, string>> = {
  Usable: "the first with a usable backend",
  Pending: "none is usable, so one whose failback is pending",
  FailOpenUnknown: "fail-open: none is known to be healthy, so one of unknown health",
  FailOpenUnhealthy: "fail-open: none is healthy, so an unhealthy one",
  FailOpenDraining: "fail-open: none else is left, so a draining one",
  Held: "none may be chosen, so the last answer is held",
  Nothing: "no backend may be answered",
  NotOffered: "nobody has an address of this family",
};

const countries = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

/** `DE (Germany)`; the code alone where nobody named it. */
function countryWords(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  const name = countries.of(code);
  return name === undefined || name === code ? code : `${code} (${name})`;
}

function place({ place: it }: Explanation): string {
  const where = [
    it.country === undefined ? undefined : `country ${countryWords(it.country)}`,
    it.continent === undefined ? undefined : `continent ${it.continent}`,
    it.subdivisions === undefined || it.subdivisions.length === 0 ? undefined : `subdivision ${it.subdivisions.join(", ")}`,
    it.asn === undefined ? undefined : `AS${it.asn}`,
    it.latitude === undefined || it.longitude === undefined ? undefined : `at ${it.latitude}, ${it.longitude}`,
    it.subnets === undefined || it.subnets.length === 0 ? undefined : `in ${it.subnets.join(" and ")}`,
  ].filter((part) => part !== undefined);
  if (!it.known) return ["unknown: no loaded database holds this client", ...where].join("; ");
  return where.join("; ");
}

const CANDIDATE_COLUMNS: readonly (string | Column)[] = [
  "TIER",
  "CLUSTER",
  { title: "BACKEND", drop: 3 },
  { title: "ADDRESS", drop: 4, wrap: 15 },
  "HEALTH",
  { title: "DISTANCE", right: true },
  { title: "LATENCY", right: true, drop: 2 },
  { title: "WEIGHT", right: true, drop: 1 },
  { title: "SHARE", right: true },
  { title: "WHY", wrap: 24 },
];

/** In the order in which they would serve: by tier, those that a rule excludes last. */
function candidateLines({ candidates, shares }: Explanation, { paint, width }: Look): readonly string[] {
  const rank = ({ tier: own }: Candidate): number => own ?? Number.POSITIVE_INFINITY;
  const rows = [...candidates]
    .sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
    .map((it): readonly Cell[] => [
      `${it.taken ? "→" : " "} ${it.tier ?? "–"}`,
      { text: it.cluster, style: it.taken ? "bold" : undefined },
      it.backend === it.cluster ? "" : it.backend,
      it.address,
      stateCell(it.health),
      it.distanceKm === null ? "" : `${Math.round(it.distanceKm)} km`,
      it.latencyMs === null ? "" : `${it.latencyMs.toFixed(0)} ms${it.latencySource === null ? "" : ` ${it.latencySource}`}`,
      String(it.weight),
      shares === undefined ? "" : formatPercent(shares[it.cluster] ?? 0),
      it.reason,
    ]);
  return table(CANDIDATE_COLUMNS, rows, paint, width);
}
