/** The ProxyFleets: who is connected, who has taken what there is, and what to do about the rest. */
import { useEffect } from "preact/hooks";
import type { ViewProps } from "../app.tsx";
import { count } from "../model/format.ts";
import type { FleetStatus } from "../model/types.ts";
import { type MarkState, StateMark } from "../parts/marks.tsx";
import { Empty, Notice } from "../parts/notices.tsx";

/** Proxies come, go and catch up without an event. */
const LOOK_EVERY_MS = 2000;

export function ProxiesView({ state, live }: ViewProps) {
  useEffect(() => {
    const timer = setInterval(live.refresh, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [live]);
  const fleets = state.overview?.fleets ?? [];
  if (fleets.length === 0) {
    return (
      <Empty title="There is no ProxyFleet" isPage>
        <p>Requests go by DNS, and by this server's own proxy if it has one.</p>
      </Empty>
    );
  }
  return (
    <section class="proxies-view" aria-labelledby="proxies-title">
      <div class="toolbar">
        <h1 id="proxies-title">Proxies</h1>
        <span class="found">{count(fleets.length, "fleet")}</span>
      </div>
      {fleets.map((fleet) => (
        <Fleet key={fleet.name} fleet={fleet} />
      ))}
    </section>
  );
}

function Fleet({ fleet: { name, type, proxies, members, problems } }: { readonly fleet: FleetStatus }) {
  return (
    <section class="card" aria-label={`Fleet ${name}`}>
      <div class="card-head">
        <h2>{name}</h2>
        <span>{type}</span>
      </div>
      <dl class="facts">
        <dt>Connected</dt>
        <dd>{proxies.connected}</dd>
        <dt>Up to date</dt>
        <dd>
          {proxies.current} of {proxies.connected}
          {proxies.rejected > 0 && <span class="under">{proxies.rejected} rejected something and serve what they had</span>}
        </dd>
      </dl>
      {problems.map((sentence) => (
        <Notice key={sentence} kind="warning">
          {sentence}
        </Notice>
      ))}
      {members.length > 0 && (
        <div class="scroll" role="group" tabIndex={0} aria-label={`Proxies of ${name}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Proxy</th>
                <th scope="col">Place</th>
                <th scope="col">State</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {members.map((member) => (
                <tr key={member.name}>
                  <th scope="row">{member.name}</th>
                  <td>{member.place === "" ? "–" : member.place}</td>
                  <td>
                    <StateMark state={MARKS[member.state]} text={WORDS[member.state]} />
                  </td>
                  <td>
                    {member.problem ?? "–"}
                    {member.routes !== undefined && (
                      <span class="under">
                        {member.routes.map((route) => (
                          <a key={route} href={`#/routes/${route}`}>
                            {route}{" "}
                          </a>
                        ))}
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

type Following = FleetStatus["members"][number]["state"];

const MARKS: Readonly<Record<Following, MarkState>> = {
  Current: "Healthy",
  Pending: "Unknown",
  ReloadNeeded: "Unknown",
  Rejected: "Unhealthy",
  Unreachable: "Unhealthy",
  Failed: "Unhealthy",
};
const WORDS: Readonly<Record<Following, string>> = {
  Current: "Up to date",
  Pending: "Being told",
  ReloadNeeded: "Needs a reload",
  Rejected: "Rejected",
  Unreachable: "Unreachable",
  Failed: "Failed",
};
