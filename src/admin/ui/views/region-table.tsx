/** The map as a table: for those who do not see it, and to search in. */
import { useState } from "preact/hooks";
import { people, percent } from "../model/format.ts";
import type { WorldMap } from "../model/types.ts";

export function RegionTable({
  map,
  chooseCountry,
}: {
  readonly map: WorldMap | undefined;
  readonly chooseCountry: (code: string) => void;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="region-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The map as a table</summary>
      {isOpen && map !== undefined && (
        <div class="scroll tall" role="group" tabIndex={0} aria-label="Countries">
          <table>
            <thead>
              <tr>
                <th scope="col">Country</th>
                <th scope="col" class="number">
                  People
                </th>
                <th scope="col">Served by</th>
              </tr>
            </thead>
            <tbody>
              {map.regions.map(({ country, name, population, served }) => (
                <tr key={country}>
                  <th scope="row">
                    <button type="button" class="link" onClick={() => chooseCountry(country)}>
                      {name}
                    </button>
                  </th>
                  <td class="number">{people(population)}</td>
                  <td>{served.length === 0 ? "–" : served.map(({ cluster, share }) => `${cluster} ${percent(share)}`).join(", ")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
