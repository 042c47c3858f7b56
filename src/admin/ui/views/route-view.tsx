/** One route: its backends, who is served where, and the way to its map. */
import type { ViewProps } from "../app.tsx";
import { useLoaded } from "../hooks.ts";
import { ago, clockTime, list, percent } from "../model/format.ts";
import { ClusterName, type MarkState, StateMark } from "../parts/marks.tsx";
import { Empty, Notice } from "../parts/notices.tsx";

export function RouteView({ api, state, hues, now, routeKey, setRoute }: ViewProps & { readonly routeKey: string }) {
  const { value: route, error } = useLoaded(`${routeKey} ${state.asOf}`, () => api.route(routeKey));
  const row = state.overview?.routes.find(({ namespace, name }) => `${namespace}/${name}` === routeKey);
  if (row === undefined) {
    return (
      <Empty title={`There is no route ${routeKey}`} isPage>
        <p>
          <a href="#/routes">All routes</a>
        </p>
      </Empty>
    );
  }
  return (
    <section class="route-view" aria-labelledby="route-title">
      <p class="back">
        <a href="#/routes">← All routes</a>
      </p>
      <div class="toolbar">
        <h1 id="route-title">{routeKey}</h1>
        <a class="button" href="#/map" onClick={() => setRoute(routeKey)}>
          Show on the map
        </a>
      </div>
      {error !== undefined && <Notice kind="error">{error.message}</Notice>}
      <dl class="facts">
        <dt>Hosts</dt>
        <dd>{list(row.hosts, 8)}</dd>
        <dt>Order</dt>
        <dd>
          {row.order}
          {route?.sticky === true && ", sticky by the client's network"}
        </dd>
        <dt>Last failover</dt>
        <dd>
          {row.lastFailover === null
            ? "none since this server started"
            : `${row.lastFailover.from} → ${row.lastFailover.to} at ${clockTime(Date.parse(row.lastFailover.at), now)}: ${row.lastFailover.reason}`}
        </dd>
        <dt>Served by</dt>
        <dd>
          <ul class="shares">
            {row.servedBy.map(({ cluster, population }) => (
              <li key={cluster}>
                <ClusterName name={cluster} hue={hues.get(cluster)} /> {percent(population)}
              </li>
            ))}
            {row.serving > row.servedBy.length && <li>and {row.serving - row.servedBy.length} more</li>}
          </ul>
        </dd>
      </dl>
      {route !== undefined && (
        <section class="card" aria-labelledby="backends-title">
          <h2 id="backends-title">Backends</h2>
          <div class="scroll" role="group" tabIndex={0} aria-label="Backends">
            <table>
              <thead>
                <tr>
                  <th scope="col">Backend</th>
                  <th scope="col">Cluster</th>
                  <th scope="col">Health</th>
                  <th scope="col">Standing</th>
                  <th scope="col" class="number">
                    Weight
                  </th>
                  <th scope="col">Addresses</th>
                  <th scope="col">Since</th>
                </tr>
              </thead>
              <tbody>
                {route.backends.map((backend) => (
                  <tr key={backend.name}>
                    <th scope="row">{backend.name}</th>
                    <td>
                      <ClusterName name={backend.cluster} hue={hues.get(backend.cluster)} />
                    </td>
                    <td>
                      <StateMark state={healthMark(backend)} />
                    </td>
                    <td>
                      {backend.standing}
                      {backend.failbackAt !== null && <span class="under">{failback(backend.failbackAt, now)}</span>}
                    </td>
                    <td class="number">{backend.weight}</td>
                    <td class="addresses">{list(backend.addresses, 4)}</td>
                    <td>
                      {backend.since === null ? "–" : ago(Date.parse(backend.since), now)}
                      <span class="under">{backend.reason}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </section>
  );
}

const healthMark = ({ standing, health }: { readonly standing: string; readonly health: MarkState }): MarkState =>
  standing === "Draining" ? "Draining" : health;

const failback = (at: string, now: number): string =>
  at === "approval" ? "returns when somebody approves" : `returns at ${clockTime(Date.parse(at), now)}`;
