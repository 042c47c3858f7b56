/** The page around the views: what is shown, whether it is live, and what was wrong or has just happened. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "./api.ts";
import { useLive, useNow, useView } from "./hooks.ts";
import type { Live, LiveState } from "./live.ts";
import { clusterHues } from "./model/colours.ts";
import { clockTime } from "./model/format.ts";
import { formatHash, type View } from "./model/hash-route.ts";
import { isMove } from "./model/scrub.ts";
import { Empty, StateNotices } from "./parts/notices.tsx";
import { applyTheme, readTheme, readToken, type Theme, writeToken } from "./session.ts";
import { ClustersView } from "./views/clusters-view.tsx";
import { DrainDialog } from "./views/drain-dialog.tsx";
import { MapView } from "./views/map-view.tsx";
import { ProxiesView } from "./views/proxies-view.tsx";
import { RouteView } from "./views/route-view.tsx";
import { RoutesView } from "./views/routes-view.tsx";
import { TimelineView } from "./views/timeline-view.tsx";
import { TokenDialog } from "./views/token-dialog.tsx";

const TABS = [
  { view: { name: "map" }, label: "Map" },
  { view: { name: "routes" }, label: "Routes" },
  { view: { name: "clusters" }, label: "Clusters" },
  { view: { name: "proxies" }, label: "Proxies" },
  { view: { name: "timeline" }, label: "Timeline" },
] as const satisfies readonly { readonly view: View; readonly label: string }[];

/** What every view is given. */
export interface ViewProps {
  readonly api: Api;
  readonly live: Live;
  readonly state: LiveState;
  readonly now: number;
  /** Cluster → hue. */
  readonly hues: ReadonlyMap<string, number>;
  /** Map of this route from now on; null = all. */
  readonly route: string | null;
  readonly setRoute: (route: string | null) => void;
  /** Frame of the past that the map shows; undefined = now. */
  readonly frame: number | undefined;
  readonly setFrame: (id: number | undefined) => void;
  /** Opens the dialog. */
  readonly act: (what: Act) => void;
}

export interface Act {
  readonly verb: "drain" | "undrain";
  readonly cluster: string;
}

export function App({ api, live }: { readonly api: Api; readonly live: Live }) {
  const state = useLive(live);
  const view = useView();
  const now = useNow();
  const [route, setRouteState] = useState<string | null>(null);
  const [frame, setFrame] = useState<number | undefined>();
  const [theme, setTheme] = useState<Theme>(readTheme);
  const [token, setToken] = useState(readToken);
  const [dialog, setDialog] = useState<"token" | Act | undefined>();
  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => writeToken(token), [token]);
  const main = useViewFocus(view);
  const names = state.overview?.clusters.map(({ name }) => name).join(" ") ?? "";
  const hues = useMemo(() => clusterHues(names === "" ? [] : names.split(" ")), [names]);
  const hasProxies = state.overview?.fleets !== undefined || view.name === "proxies";
  const tabs = TABS.filter(({ view: { name } }) => name !== "proxies" || hasProxies);
  const setRoute = (next: string | null): void => {
    setRouteState(next);
    live.lookAt(next);
  };
  const props: ViewProps = { api, live, state, now, hues, route, setRoute, frame, setFrame, act: setDialog };
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => focusMain(event, main.current)}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="#/map">
          <img src="./favicon.svg" alt="" width="26" height="26" /> GlobalRoute
        </a>
        <nav aria-label="Views">
          {tabs.map(({ view: tab, label }) => (
            <a
              key={label}
              href={formatHash(tab)}
              aria-current={tab.name === view.name || (tab.name === "routes" && view.name === "route") ? "page" : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        <div class="tools">
          <Connection state={state} now={now} />
          <ThemeButton theme={theme} setTheme={setTheme} />
          <button type="button" class="quiet" onClick={() => setDialog("token")}>
            {token === undefined ? "Read-only" : "Token set"}
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1} ref={main}>
        <StateNotices state={state} now={now} />
        <Body view={view} props={props} />
      </main>
      <Announcer state={state} />
      {dialog === "token" && <TokenDialog token={token} setToken={setToken} close={() => setDialog(undefined)} />}
      {dialog !== undefined && dialog !== "token" && (
        <DrainDialog
          act={dialog}
          api={api}
          live={live}
          state={state}
          token={token}
          setToken={setToken}
          close={() => setDialog(undefined)}
        />
      )}
    </>
  );
}

function Body({ view, props }: { readonly view: View; readonly props: ViewProps }) {
  const { state } = props;
  if (state.overview === undefined) return <NothingYet state={state} />;
  switch (view.name) {
    case "map":
      return <MapView {...props} />;
    case "routes":
      return <RoutesView {...props} />;
    case "route":
      return <RouteView {...props} routeKey={view.key} />;
    case "clusters":
      return <ClustersView {...props} />;
    case "proxies":
      return <ProxiesView {...props} />;
    case "timeline":
      return <TimelineView {...props} />;
  }
}

function NothingYet({ state: { failure } }: { readonly state: LiveState }) {
  if (failure === undefined) return <Empty title="Asking the server…" isPage />;
  return (
    <Empty title={failure.message} isPage>
      <p>{failure.remedy}</p>
      <p>Trying again every two seconds.</p>
    </Empty>
  );
}

function Connection({ state: { connection, asOf, failure }, now }: { readonly state: LiveState; readonly now: number }) {
  const isLive = connection === "live" && failure === undefined;
  const text = isLive ? "Live" : asOf === 0 ? "Connecting…" : `As of ${clockTime(asOf, now)}`;
  return <span class={`connection ${isLive ? "live" : "lost"}`}>{text}</span>;
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };
const THEME_NAMES: Readonly<Record<Theme, string>> = { auto: "as the system", light: "light", dark: "dark" };

function ThemeButton({ theme, setTheme }: { readonly theme: Theme; readonly setTheme: (theme: Theme) => void }) {
  return (
    <button
      type="button"
      class="quiet theme"
      onClick={() => setTheme(NEXT_THEME[theme])}
      aria-label={`Colours: ${THEME_NAMES[theme]}. Change to ${THEME_NAMES[NEXT_THEME[theme]]}`}
      title={`Colours: ${THEME_NAMES[theme]}`}
    >
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
        <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.8" />
        {theme === "dark" && <circle cx="10" cy="10" r="7" fill="currentColor" />}
        {theme === "auto" && <path d="M10 3a7 7 0 0 1 0 14Z" fill="currentColor" />}
      </svg>
    </button>
  );
}

/** Says failovers to those who do not look at the map. */
function Announcer({ state: { events } }: { readonly state: LiveState }) {
  const seen = useRef<number | undefined>(undefined);
  const [text, setText] = useState("");
  const newest = events.at(-1)?.id;
  useEffect(() => {
    if (newest === undefined) return;
    const before = seen.current;
    seen.current = newest;
    if (before === undefined) return;
    const moves = events.filter((event) => event.id > before && isMove(event));
    const last = moves.at(-1);
    if (last !== undefined) setText(moves.length > 1 ? `${moves.length} changes. The last: ${last.message}` : last.message);
  }, [newest]);
  return (
    <p class="sr-only" aria-live="polite">
      {text}
    </p>
  );
}

/** Another view begins at its top, for the keyboard too; the first one does not take the focus from whoever has it. */
function useViewFocus(view: View) {
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const key = formatHash(view);
  useEffect(() => {
    document.title = `${view.name === "route" ? view.key : view.name.replace(/^./, (first) => first.toUpperCase())} · GlobalRoute`;
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [key]);
  return main;
}

/** The address says which view is shown: a link into the page must not change it. */
function focusMain(event: Event, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}
