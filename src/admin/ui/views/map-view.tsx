/** The map with what belongs to it: whose route, which moment, one country, one client, and everything as a table. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ViewProps } from "../app.tsx";
import { useLoaded } from "../hooks.ts";
import { clockTime } from "../model/format.ts";
import { routeKeyOf } from "../model/route-filter.ts";
import type { WorldMap } from "../model/types.ts";
import { Empty, Notice } from "../parts/notices.tsx";
import { ClientPanel } from "./client-panel.tsx";
import { ClusterList } from "./cluster-list.tsx";
import { RegionTable } from "./region-table.tsx";
import { Scrubber } from "./scrubber.tsx";
import { WorldMapPicture } from "./world-map.tsx";

export function MapView(props: ViewProps) {
  const { api, state, now, hues, route, setRoute, frame, setFrame } = props;
  const [country, setCountry] = useState<string | undefined>();
  const [cluster, setCluster] = useState<string | undefined>();
  const panel = useRef<HTMLDivElement>(null);
  const past = useLoaded(frame === undefined ? undefined : `${route} ${frame}`, () => api.map(route, frame));
  const map = frame === undefined ? state.map : past.value;
  const load = useMemo(() => new Map([...state.load].map(([name, readings]) => [name, readings.at(-1) ?? 0])), [state.load]);
  const chosen = map?.regions.find((region) => region.country === country);
  const chooseCountry = (code: string | undefined): void => setCountry(code);
  useEffect(() => {
    if (country !== undefined && matchMedia("(max-width: 60rem)").matches) panel.current?.scrollIntoView({ block: "nearest" });
  }, [country]);
  if (state.overview !== undefined && state.overview.clusters.length === 0) {
    return (
      <Empty title="There is no cluster yet" isPage>
        <p>
          Objects are read from <code>{state.overview.config.path}</code>. Add a MemberCluster and a GlobalRoute there; this page follows.
        </p>
      </Empty>
    );
  }
  return (
    <div class="map-view">
      <h1 class="sr-only">Map</h1>
      <section class="map-main" aria-label="Who is served where">
        <div class="toolbar">
          <RouteChoice state={state} route={route} setRoute={setRoute} />
          <CountryChoice map={map} country={country} setCountry={chooseCountry} />
          {frame !== undefined && (
            <span class="past">
              Showing {clockTime(state.frames.find(({ id }) => id === frame)?.at ?? now, now)}{" "}
              <button type="button" onClick={() => setFrame(undefined)}>
                Back to now
              </button>
            </span>
          )}
        </div>
        {past.error !== undefined && frame !== undefined && (
          <Notice kind="error">
            {past.error.message} {past.error.remedy}
          </Notice>
        )}
        <WorldMapPicture
          map={map}
          hues={hues}
          load={frame === undefined ? load : undefined}
          country={country}
          cluster={cluster}
          chooseCountry={(code) => setCountry(code === country ? undefined : code)}
          chooseCluster={(name) => setCluster(name === cluster ? undefined : name)}
        />
        <Scrubber frames={state.frames} events={state.events} frame={frame} setFrame={setFrame} now={now} />
        <RegionTable map={map} chooseCountry={setCountry} />
      </section>
      <aside class="side" aria-label="Clusters and clients">
        <div ref={panel}>
          <ClientPanel
            api={api}
            state={state}
            route={route}
            region={chosen}
            isPast={frame !== undefined}
            close={() => setCountry(undefined)}
            hues={hues}
          />
        </div>
        <ClusterList map={map} load={frame === undefined ? load : undefined} hues={hues} cluster={cluster} setCluster={setCluster} />
      </aside>
    </div>
  );
}

/** Five hundred routes are found by typing: the browser's own list of suggestions does it. */
function RouteChoice({ state, route, setRoute }: Pick<ViewProps, "state" | "route" | "setRoute">) {
  const routes = state.overview?.routes ?? [];
  const [text, setText] = useState(route ?? "");
  useEffect(() => setText(route ?? ""), [route]);
  const isUnknown = text !== "" && !routes.some((one) => routeKeyOf(one) === text);
  const follow = (next: string): void => {
    setText(next);
    if (next === "") setRoute(null);
    else if (routes.some((one) => routeKeyOf(one) === next)) setRoute(next);
  };
  return (
    <label class="field">
      Route
      <span class="with-clear">
        <input
          type="text"
          list="route-names"
          value={text}
          placeholder="All routes"
          autocomplete="off"
          spellcheck={false}
          aria-invalid={isUnknown || undefined}
          onInput={(event) => follow(event.currentTarget.value.trim())}
        />
        {text !== "" && (
          <button type="button" class="clear" aria-label="All routes" onClick={() => follow("")}>
            ×
          </button>
        )}
      </span>
      <datalist id="route-names">
        {routes.map((one) => (
          <option key={routeKeyOf(one)} value={routeKeyOf(one)}>
            {one.hosts[0]}
          </option>
        ))}
      </datalist>
    </label>
  );
}

function CountryChoice({
  map,
  country,
  setCountry,
}: {
  readonly map: WorldMap | undefined;
  readonly country: string | undefined;
  readonly setCountry: (code: string | undefined) => void;
}) {
  const regions = useMemo(() => [...(map?.regions ?? [])].sort((a, b) => a.name.localeCompare(b.name)), [map]);
  return (
    <label class="field">
      Country
      <select value={country ?? ""} onChange={(event) => setCountry(event.currentTarget.value || undefined)}>
        <option value="">None</option>
        {regions.map(({ country: code, name }) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
