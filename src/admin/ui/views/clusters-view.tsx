/** All clusters, and draining them. */
import type { ViewProps } from "../app.tsx";
import { ago, count, percent, rate } from "../model/format.ts";
import { ClusterName, markStateOf, Sparkline, StateMark } from "../parts/marks.tsx";
import { Empty } from "../parts/notices.tsx";

export function ClustersView({ state, hues, now, act }: ViewProps) {
  const clusters = state.overview?.clusters ?? [];
  const overrides = state.overview?.overrides ?? [];
  const shares = new Map(state.map?.clusters.map(({ name, population }) => [name, population]));
  if (clusters.length === 0) return <Empty title="There is no cluster yet" isPage />;
  return (
    <section class="clusters-view" aria-labelledby="clusters-title">
      <div class="toolbar">
        <h1 id="clusters-title">Clusters</h1>
        <span class="found">{count(clusters.length, "cluster")}</span>
      </div>
      <ul class="cluster-cards">
        {clusters.map((cluster) => {
          const { name, location, endpoints, latencyMs, since, reason } = cluster;
          const order = overrides.find(({ target }) => target === `MemberCluster ${name}`);
          const readings = state.load.get(name) ?? [];
          return (
            <li key={name} class="card">
              <div class="card-head">
                <h2>
                  <ClusterName name={name} hue={hues.get(name)} />
                </h2>
                <StateMark state={markStateOf(cluster)} />
              </div>
              <dl class="facts">
                <dt>Place</dt>
                <dd>{location.label}</dd>
                <dt>Endpoints</dt>
                <dd>
                  {endpoints.healthy} of {endpoints.total} healthy
                  {reason !== "ok" && <span class="under">{reason}</span>}
                </dd>
                <dt>Latency</dt>
                <dd>{latencyMs === null ? "–" : `${latencyMs} ms`}</dd>
                <dt>Since</dt>
                <dd>{since === null ? "–" : ago(Date.parse(since), now)}</dd>
                <dt>Serves</dt>
                <dd>{percent(shares.get(name) ?? 0)} of the world's population</dd>
                <dt>Load</dt>
                <dd class="load-line">
                  <Sparkline values={readings} label={`Answers per second of ${name} in the last two minutes`} />
                  {rate(readings.at(-1) ?? 0)}
                </dd>
                {order !== undefined && (
                  <>
                    <dt>{order.action}</dt>
                    <dd>
                      {order.reason}
                      {order.until !== undefined && <span class="under">until {new Date(order.until).toLocaleString()}</span>}
                    </dd>
                  </>
                )}
              </dl>
              {cluster.state === "Draining" ? (
                <button type="button" onClick={() => act({ verb: "undrain", cluster: name })}>
                  Undrain<span class="sr-only"> {name}</span>…
                </button>
              ) : (
                <button type="button" class="danger" onClick={() => act({ verb: "drain", cluster: name })}>
                  Drain<span class="sr-only"> {name}</span>…
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
