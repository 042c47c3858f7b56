/** Load by country and time, put on the clients of a simulation. Pure. */

export interface LoadRow {
  /** ISO 3166-1 alpha-2; `*` = all countries that the file does not name at this time. */
  readonly country: string;
  readonly requestsPerSecond: number;
  /** As the file calls it; empty without times. */
  readonly time: string;
  /** `namespace/name`; empty = every route. */
  readonly route: string;
}

/** Requests per second that a unit of a client's weight makes. */
export interface LoadFactors {
  /** In the order of the file; one without a name when there are no times. */
  readonly times: readonly string[];
  /** @param time index into `times`; `undefined` country = unknown place */
  readonly factor: (time: number, country: string | undefined) => number;
}

/** The weights are requests per second themselves. */
export const WEIGHT_IS_LOAD: LoadFactors = { times: [""], factor: () => 1 };

/**
 * @param rows   of the file; those that name the route go before those that name none
 * @param people country → weight of its clients; "" = those of unknown place
 */
export function loadFactors(rows: readonly LoadRow[], route: string, people: ReadonlyMap<string, number>): LoadFactors {
  const own = rows.some((row) => row.route === route) ? rows.filter((row) => row.route === route) : rows.filter((row) => row.route === "");
  const times = [...new Set(own.map(({ time }) => time))];
  const factors = times.map((time) => {
    const named = own.filter((row) => row.time === time && row.country !== "*");
    const others = own.filter((row) => row.time === time && row.country === "*").reduce((sum, row) => sum + row.requestsPerSecond, 0);
    const loads = new Map<string, number>();
    for (const { country, requestsPerSecond } of named) loads.set(country, (loads.get(country) ?? 0) + requestsPerSecond);
    const peopleOfOthers = [...people].reduce((sum, [country, weight]) => sum + (loads.has(country) ? 0 : weight), 0);
    return (country: string): number => {
      const load = loads.get(country);
      if (load === undefined) return peopleOfOthers === 0 ? 0 : others / peopleOfOthers;
      const weight = people.get(country) ?? 0;
      return weight === 0 ? 0 : load / weight;
    };
  });
  return { times, factor: (time, country) => factors[time]!(country ?? "") };
}
