/** A list of clients: `network,weight`. Pure. */
import { maskNetwork, parsePrefix } from "../model/ip.ts";
import { type CsvFault, readAmount, readRows } from "./csv-rows.ts";
import type { ListedNetwork } from "./listed-clients.ts";
import type { ClientsReport } from "./simulation.ts";

export interface ClientFile {
  readonly list: readonly (ListedNetwork & { readonly line: number })[];
  readonly unit: ClientsReport["unit"];
}

/** The weight's column says what it is: `weight`, or `requests_per_second`, which is load as well. */
export function readClientFile(text: string): ClientFile | CsvFault {
  const read = readRows(text, { required: ["network"], oneOf: ["weight", "requests_per_second"] });
  if ("message" in read) return read;
  const list: ClientFile["list"][number][] = [];
  let unit: ClientsReport["unit"] = "weight";
  for (const { line, cells } of read.rows) {
    if (cells.requests_per_second !== undefined) unit = "requests/s";
    const network = parsePrefix(cells.network!);
    if (network === undefined)
      return {
        line,
        message: `${JSON.stringify(cells.network)} is no address or network. Write one like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48.`,
      };
    const text = cells.weight ?? cells.requests_per_second!;
    const weight = readAmount(text);
    if (weight === undefined) return { line, message: `${JSON.stringify(text)} is no number of 0 or more. Write one, such as 250 or 0.5.` };
    if (weight > 0) list.push({ line, network: maskNetwork(network, network.length), weight });
  }
  return list.length === 0 ? { line: 1, message: "no client has a weight above 0. Write one at least." } : { list, unit };
}
