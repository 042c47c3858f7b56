/** All routes, searched and drawn as far as they are in sight. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ViewProps } from "../app.tsx";
import { ago, count, percent } from "../model/format.ts";
import { formatHash } from "../model/hash-route.ts";
import { filterRoutes, type RouteRow, routeKeyOf } from "../model/route-filter.ts";
import { rowWindow } from "../model/virtual-rows.ts";
import { ShareBar } from "../parts/marks.tsx";
import { Empty } from "../parts/notices.tsx";

const ROW_HEIGHT = 56;

export function RoutesView({ state, hues, now }: ViewProps) {
  const [search, setSearch] = useState("");
  const routes = state.overview?.routes ?? [];
  const found = useMemo(() => filterRoutes(routes, search), [routes, search]);
  if (routes.length === 0) {
    return (
      <Empty title="There is no route yet" isPage>
        <p>
          Objects are read from <code>{state.overview?.config.path}</code>. Add a GlobalRoute there; this page follows.
        </p>
      </Empty>
    );
  }
  return (
    <section class="routes-view" aria-labelledby="routes-title">
      <div class="toolbar">
        <h1 id="routes-title">Routes</h1>
        <label class="field grow">
          Search
          <input
            type="search"
            value={search}
            placeholder="name, host, cluster, is:degraded, is:down, is:moved"
            spellcheck={false}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        <output class="found">
          {found.length === routes.length ? count(routes.length, "route") : `${found.length} of ${count(routes.length, "route")}`}
        </output>
      </div>
      {found.length === 0 ? <Empty title="No route matches" /> : <Rows rows={found} hues={hues} now={now} />}
    </section>
  );
}

function Rows({ rows, hues, now }: Pick<ViewProps, "hues" | "now"> & { readonly rows: readonly RouteRow[] }) {
  const place = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  const { first, end, before, after } = rowWindow(rows.length, ROW_HEIGHT, view.top, view.height);
  return (
    <div class="scroll rows" ref={place} tabIndex={0} role="group" aria-label="List of routes">
      <table class="route-table" aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">Route</th>
            <th scope="col" class="wide-only">
              Order
            </th>
            <th scope="col">Backends</th>
            <th scope="col">Served by</th>
            <th scope="col" class="wide-only">
              Last failover
            </th>
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Spacer height={before} />}
          {rows.slice(first, end).map((row, i) => (
            <Row key={routeKeyOf(row)} row={row} index={first + i + 2} hues={hues} now={now} />
          ))}
          {after > 0 && <Spacer height={after} />}
        </tbody>
      </table>
    </div>
  );
}

const Spacer = ({ height }: { readonly height: number }) => (
  <tr aria-hidden="true" class="spacer" style={{ height: `${height}px` }}>
    <td colSpan={5} />
  </tr>
);

function Row({ row, index, hues, now }: Pick<ViewProps, "hues" | "now"> & { readonly row: RouteRow; readonly index: number }) {
  const { hosts, order, backends, usable, servedBy, serving, lastFailover } = row;
  const [top] = servedBy;
  return (
    <tr aria-rowindex={index}>
      <th scope="row">
        <a href={formatHash({ name: "route", key: routeKeyOf(row) })}>{routeKeyOf(row)}</a>
        <span class="under">
          {hosts[0]}
          {hosts.length > 1 && ` and ${hosts.length - 1} more`}
        </span>
      </th>
      <td class="wide-only">{order}</td>
      <td>
        <span class={`usable ${usable === 0 ? "none" : usable < backends ? "some" : "all"}`}>
          {usable === 0 ? "✕ " : usable < backends ? "! " : ""}
          {usable}/{backends}
        </span>
      </td>
      <td class="served">
        <ShareBar shares={servedBy.map(({ cluster, population }) => ({ cluster, share: population }))} hues={hues} />
        <span class="under">
          {top === undefined ? "–" : `${top.cluster} ${percent(top.population)}`}
          {serving > 1 && `, ${serving - 1} more`}
        </span>
      </td>
      <td class="wide-only">
        {lastFailover === null ? (
          "–"
        ) : (
          <>
            {lastFailover.from} → {lastFailover.to}
            <span class="under">{ago(Date.parse(lastFailover.at), now)}</span>
          </>
        )}
      </td>
    </tr>
  );
}
