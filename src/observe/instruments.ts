/** Counters and histograms that are added to as things happen. They know no clock and no registry. */
import { EXEMPLAR_CHARACTERS, type Exemplar, type MetricFamily, type Sample } from "./exposition.ts";

export type Labels<Name extends string> = Readonly<Record<Name, string>>;

export interface CounterFamily<Name extends string> extends MetricFamily {
  readonly add: (labels: Labels<Name>, by?: number) => void;
}

/** @param head `name` ends in `_total` */
export function newCounter<Name extends string = never>(head: {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Name[];
}): CounterFamily<Name> {
  const names = head.labels ?? [];
  const counts = new Map<string, { readonly labels: Labels<Name>; value: number }>();
  return {
    ...head,
    labels: names,
    kind: "counter",
    add(labels, by = 1) {
      const known = counts.get(seriesOf(names, labels));
      if (known === undefined) counts.set(seriesOf(names, labels), { labels, value: by });
      else known.value += by;
    },
    *samples() {
      for (const { labels, value } of counts.values()) yield { name: head.name, labels, value };
    },
  };
}

export interface HistogramFamily<Name extends string> extends MetricFamily {
  readonly buckets: readonly number[];
  /** @param exemplar where to look further; the newest of a bucket is kept */
  readonly observe: (labels: Labels<Name>, value: number, exemplar?: Omit<Exemplar, "value">) => void;
}

interface Distribution {
  readonly labels: Readonly<Record<string, string>>;
  /** One more than there are bounds: the last is +Inf's. */
  readonly counts: number[];
  readonly exemplars: (Exemplar | undefined)[];
  sum: number;
}

/** A histogram without labels has its series from the start: an alert can tell none from nothing observed. */
export function newHistogram<Name extends string = never>(head: {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Name[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}): HistogramFamily<Name> {
  const { name, buckets } = head;
  const names = head.labels ?? [];
  const all = new Map<string, Distribution>();
  const empty = (labels: Distribution["labels"]): Distribution => ({
    labels,
    counts: new Array<number>(buckets.length + 1).fill(0),
    exemplars: new Array<Exemplar | undefined>(buckets.length + 1).fill(undefined),
    sum: 0,
  });

  function* samplesOf({ labels, counts, exemplars, sum }: Distribution): Iterable<Sample> {
    let below = 0;
    for (let i = 0; i <= buckets.length; i++) {
      below += counts[i]!;
      const exemplar = exemplars[i];
      const le = buckets[i] ?? "+Inf";
      yield { name: `${name}_bucket`, labels: { le, ...labels }, value: below, ...(exemplar === undefined ? {} : { exemplar }) };
    }
    yield { name: `${name}_sum`, labels, value: sum };
    yield { name: `${name}_count`, labels, value: below };
  }

  return {
    ...head,
    labels: names,
    kind: "histogram",
    observe(labels, value, exemplar) {
      const series = seriesOf(names, labels);
      let known = all.get(series);
      if (known === undefined) {
        known = empty(labels);
        all.set(series, known);
      }
      const first = buckets.findIndex((bound) => value <= bound);
      const bucket = first < 0 ? buckets.length : first;
      known.counts[bucket]! += 1;
      known.sum += value;
      if (exemplar !== undefined) known.exemplars[bucket] = { ...exemplar, labels: clipped(exemplar.labels), value };
    },
    *samples() {
      if (names.length === 0 && all.size === 0) yield* samplesOf(empty({}));
      for (const one of all.values()) yield* samplesOf(one);
    },
  };
}

const seriesOf = <Name extends string>(names: readonly Name[], labels: Labels<Name>): string =>
  names.length === 0 ? "" : names.length === 1 ? labels[names[0]!] : JSON.stringify(names.map((name) => labels[name]));

/** The longest value gives way until all fit: a long name is no reason to lose an observation. */
function clipped(labels: Exemplar["labels"]): Exemplar["labels"] {
  const pairs = Object.entries(labels).map(([name, value]): [string, string] => [name, String(value)]);
  const over = pairs.reduce((sum, [name, value]) => sum + [...name].length + [...value].length, 0) - EXEMPLAR_CHARACTERS;
  if (over <= 0) return labels;
  const longest = pairs.reduce((most, pair) => (pair[1].length > most[1].length ? pair : most));
  return { ...labels, [longest[0]]: `${[...longest[1]].slice(0, -over - 1).join("")}…` };
}
