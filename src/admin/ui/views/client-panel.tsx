/** Why a client goes where it goes: for a country that was chosen, or an address that was typed. */
import { useEffect, useId, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { type Loaded, useLoaded } from "../hooks.ts";
import type { LiveState } from "../live.ts";
import { explainSteps } from "../model/explain-steps.ts";
import { percent } from "../model/format.ts";
import { routeKeyOf } from "../model/route-filter.ts";
import type { Explanation, WorldMap } from "../model/types.ts";
import { ClusterName, ShareBar } from "../parts/marks.tsx";
import { Notice } from "../parts/notices.tsx";

export interface ClientPanelProps {
  readonly api: Api;
  readonly state: LiveState;
  /** Of the map; null = all. */
  readonly route: string | null;
  readonly region: WorldMap["regions"][number] | undefined;
  /** The map shows a moment of the past. */
  readonly isPast: boolean;
  readonly close: () => void;
  readonly hues: ReadonlyMap<string, number>;
}

interface Question {
  readonly host: string;
  readonly client: string;
  readonly family: "A" | "AAAA";
}

export function ClientPanel({ api, state, route, region, isPast, close, hues }: ClientPanelProps) {
  const routes = state.overview?.routes ?? [];
  const suggested = (route === null ? undefined : routes.find((one) => routeKeyOf(one) === route))?.hosts[0] ?? routes[0]?.hosts[0] ?? "";
  const [host, setHost] = useState("");
  const [client, setClient] = useState("");
  const [family, setFamily] = useState<"A" | "AAAA">("A");
  const [asked, setAsked] = useState<Question | undefined>();
  const ids = useId();
  const shownHost = host === "" ? concrete(suggested) : host;
  const sample = region?.sample ?? undefined;
  useEffect(() => {
    if (region === undefined) return;
    setClient(sample ?? "");
    setAsked(sample === undefined ? undefined : { host: shownHost, client: sample, family });
  }, [region?.country, route]);
  // What is shown follows what is served: every reading of the state asks anew.
  const key = asked === undefined ? undefined : `${asked.host} ${asked.client} ${asked.family} ${state.asOf}`;
  const answer = useLoaded(key, () => api.explain(asked?.host ?? "", asked?.client ?? "", asked?.family ?? "A"));
  return (
    <section class="card client-panel" aria-labelledby={`${ids}-title`}>
      <div class="card-head">
        <h2 id={`${ids}-title`}>{region?.name ?? "Why does a client go there?"}</h2>
        {region !== undefined && (
          <button type="button" class="quiet" onClick={close}>
            Close
          </button>
        )}
      </div>
      {region !== undefined && <RegionShares region={region} hues={hues} />}
      <form
        class="ask"
        onSubmit={(event) => {
          event.preventDefault();
          if (client.trim() !== "") setAsked({ host: shownHost, client: client.trim(), family });
        }}
      >
        <label class="field">
          Client
          <input
            type="text"
            name="client"
            value={client}
            placeholder="192.0.2.1 or 2001:db8::/48"
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setClient(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          Host
          <input
            type="text"
            name="host"
            list={`${ids}-hosts`}
            value={shownHost}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setHost(event.currentTarget.value.trim())}
          />
          <datalist id={`${ids}-hosts`}>
            {routes.flatMap(({ hosts }) => hosts.slice(0, 1).map((one) => <option key={one} value={concrete(one)} />))}
          </datalist>
        </label>
        <label class="field narrow">
          Family
          <select value={family} onChange={(event) => setFamily(event.currentTarget.value === "AAAA" ? "AAAA" : "A")}>
            <option>A</option>
            <option>AAAA</option>
          </select>
        </label>
        <button type="submit" class="primary">
          Explain
        </button>
      </form>
      {region !== undefined && sample === undefined && <p class="hint">The geo data knows no network there: type an address.</p>}
      {isPast && asked !== undefined && <p class="hint">The map shows the past; this is what the client is answered now.</p>}
      {asked !== undefined && <Answer answer={answer} hues={hues} />}
    </section>
  );
}

/** A wildcard is asked by a name below it. */
const concrete = (host: string): string => host.replace(/^\*\./, "any.");

function RegionShares({ region: { served }, hues }: Pick<ClientPanelProps, "hues"> & { readonly region: WorldMap["regions"][number] }) {
  if (served.length === 0) return <p class="hint">Nobody answers, or the geo data knows no client there.</p>;
  return (
    <>
      <ShareBar shares={served} hues={hues} />
      <ul class="shares">
        {served.map(({ cluster, share }) => (
          <li key={cluster}>
            <ClusterName name={cluster} hue={hues.get(cluster)} /> {percent(share)}
          </li>
        ))}
      </ul>
    </>
  );
}

function Answer({ answer: { value, error }, hues }: { readonly answer: Loaded<Explanation>; readonly hues: ReadonlyMap<string, number> }) {
  if (error !== undefined) {
    return (
      <div role="alert">
        <Notice kind="error">
          {error.message} {error.remedy}
        </Notice>
      </div>
    );
  }
  if (value === undefined) return <p class="hint">Asking…</p>;
  return (
    <div class="answer">
      <p class="verdict">
        {value.client} gets{" "}
        {value.clusters.length === 0
          ? "no address"
          : value.clusters.map((name) => <ClusterName key={name} name={name} hue={hues.get(name)} />)}
      </p>
      <ol class="steps">
        {explainSteps(value).map(({ title, text }) => (
          <li key={title}>
            <strong>{title}</strong> {text}
          </li>
        ))}
      </ol>
      <Candidates explanation={value} />
      {value.notes.length > 0 && (
        <ul class="notes">
          {value.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Candidates({ explanation: { candidates } }: { readonly explanation: Explanation }) {
  return (
    <div class="scroll" role="group" tabIndex={0} aria-label="Candidates">
      <table class="small">
        <thead>
          <tr>
            <th scope="col">Cluster</th>
            <th scope="col">Health</th>
            <th scope="col" class="number">
              km
            </th>
            <th scope="col" class="number">
              ms
            </th>
            <th scope="col" class="number">
              Tier
            </th>
          </tr>
        </thead>
        <tbody>
          {candidates.map((one) => (
            <tr key={`${one.backend} ${one.address}`} class={one.taken ? "taken" : ""}>
              <th scope="row">
                {one.taken && <span class="tick">✓ </span>}
                {one.cluster}
                <span class="address">{one.address}</span>
                <span class="why">{one.reason}</span>
              </th>
              <td>{one.health}</td>
              <td class="number">{one.distanceKm === null ? "–" : Math.round(one.distanceKm).toLocaleString("en")}</td>
              <td class="number">{one.latencyMs === null ? "–" : Math.round(one.latencyMs)}</td>
              <td class="number">{one.tier ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
