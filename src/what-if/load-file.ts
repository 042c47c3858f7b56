/** Load at its busiest: `country,requests_per_second`, and by time or route if wanted. Pure. */
import { parseCountry } from "../model/countries.ts";
import { type CsvFault, readAmount, readRows } from "./csv-rows.ts";
import type { LoadRow } from "./load.ts";

/** @param findRoute the key of a route that is written as `namespace/name`, or `name` if there is one of it alone */
export function readLoadFile(
  text: string,
  findRoute: (name: string) => string | undefined,
): { readonly rows: readonly LoadRow[] } | CsvFault {
  const read = readRows(text, { required: ["country", "requests_per_second"], optional: ["time", "route"] });
  if ("message" in read) return read;
  const loads: LoadRow[] = [];
  for (const { line, cells } of read.rows) {
    const { country = "", requests_per_second: amount = "", time = "", route = "" } = cells;
    const decoded = country === "*" ? undefined : parseCountry(country);
    if (decoded !== undefined && "fault" in decoded)
      return { line, message: `${JSON.stringify(country)} ${decoded.fault.message}. ${decoded.fault.remedy} * stands for all others.` };
    const requestsPerSecond = readAmount(amount);
    if (requestsPerSecond === undefined)
      return { line, message: `${JSON.stringify(amount)} is no number of 0 or more. Write requests per second, such as 250 or 0.5.` };
    const key = route === "" ? "" : findRoute(route);
    if (key === undefined)
      return { line, message: `there is no route ${JSON.stringify(route)}. Write NAMESPACE/NAME, or nothing for all routes.` };
    loads.push({ country, requestsPerSecond, time, route: key });
  }
  return { rows: loads };
}
