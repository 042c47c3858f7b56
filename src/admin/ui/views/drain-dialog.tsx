/** Draining and undraining, with what will move told before it does. */
import { useState } from "preact/hooks";
import type { Api } from "../api.ts";
import type { Act } from "../app.tsx";
import { toError, useLoaded } from "../hooks.ts";
import type { Live, LiveState } from "../live.ts";
import { count, percent } from "../model/format.ts";
import type { IfDrained } from "../model/types.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Notice } from "../parts/notices.tsx";
import { TokenField } from "./token-dialog.tsx";

export interface DrainDialogProps {
  readonly act: Act;
  readonly api: Api;
  readonly live: Live;
  readonly state: LiveState;
  readonly token: string | undefined;
  readonly setToken: (token: string | undefined) => void;
  readonly close: () => void;
}

const PERIODS = [
  { value: "15m", label: "15 minutes" },
  { value: "30m", label: "30 minutes" },
  { value: "1h", label: "1 hour" },
  { value: "4h", label: "4 hours" },
  { value: "24h", label: "1 day" },
] as const;

export function DrainDialog(props: DrainDialogProps) {
  const { act, state, close } = props;
  const title = `${act.verb === "drain" ? "Drain" : "Undrain"} ${act.cluster}?`;
  const acts = state.overview?.acts;
  if (acts !== undefined && !acts.drain) {
    return (
      <Dialog title={title} close={close}>
        <p>
          The objects of this server are kept in Kubernetes. There it is done with your own access, whose rules and audit then hold for you:
        </p>
        <p>
          <code>{acts.command.replace("CLUSTER", act.cluster).replace("drain", act.verb)}</code>
        </p>
        <div class="buttons">
          <button type="button" onClick={close}>
            Close
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={title} close={close}>
      <DrainForm {...props} />
    </Dialog>
  );
}

function DrainForm({ act: { verb, cluster }, api, live, token, setToken, close }: DrainDialogProps) {
  const isDrain = verb === "drain";
  const [reason, setReason] = useState("");
  const [period, setPeriod] = useState<string>("30m");
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ReturnType<typeof toError> | undefined>();
  const preview = useLoaded(isDrain ? cluster : undefined, () => api.ifDrained(cluster));
  const submit = async (): Promise<void> => {
    const used = token ?? typed.trim();
    setBusy(true);
    setError(undefined);
    try {
      if (isDrain) {
        await api.drain(used, cluster, reason.trim(), period);
      } else {
        const { removed, drainedBy } = await api.undrain(used, cluster);
        if (drainedBy.length > 0 || !removed) {
          setToken(used);
          setError({ message: removed ? "It is still drained" : "It was not drained from here", remedy: stillDrained(drainedBy) });
          return;
        }
      }
      setToken(used);
      live.refresh();
      close();
    } catch (caught) {
      if (typeof caught === "object" && caught !== null && "status" in caught && caught.status === 401) setToken(undefined);
      setError(toError(caught));
    } finally {
      setBusy(false);
    }
  };
  const isReady = (token !== undefined || typed.trim() !== "") && (!isDrain || reason.trim() !== "");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !isBusy) void submit();
      }}
    >
      {isDrain ? (
        <Preview preview={preview.value} error={preview.error?.message} cluster={cluster} />
      ) : (
        <p>Clients come back to it as their answers expire.</p>
      )}
      {isDrain && (
        <>
          <label class="field">
            Reason
            <input
              type="text"
              value={reason}
              maxLength={256}
              required
              placeholder="shown in status, timeline and logs"
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <label class="field">
            For
            <select value={period} onChange={(event) => setPeriod(event.currentTarget.value)}>
              {PERIODS.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        </>
      )}
      {token === undefined && <TokenField text={typed} setText={setTyped} />}
      {error !== undefined && (
        <div role="alert">
          <Notice kind="error">
            {error.message} {error.remedy}
          </Notice>
        </div>
      )}
      <div class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" class={isDrain ? "danger" : "primary"} disabled={!isReady || isBusy}>
          {isDrain ? `Drain ${cluster}` : `Undrain ${cluster}`}
        </button>
      </div>
    </form>
  );
}

const stillDrained = (drainedBy: readonly string[]): string =>
  drainedBy.length === 0
    ? "Somebody wrote the drain by hand, or the MemberCluster says so itself."
    : `by ${drainedBy.join(", ")}. Remove that object there.`;

const MOST_MOVES = 6;

function Preview({
  preview,
  error,
  cluster,
}: {
  readonly preview: IfDrained | undefined;
  readonly error: string | undefined;
  readonly cluster: string;
}) {
  if (error !== undefined) return <Notice kind="warning">What would move is not known: {error}</Notice>;
  if (preview === undefined) return <p class="hint">Working out what would move…</p>;
  const { routes, stuckRoutes, moves } = preview;
  const moved = moves.reduce((sum, { population }) => sum + population, 0);
  return (
    <div class="preview">
      <p>
        {routes === 0
          ? "No route has a backend there: nothing changes for clients."
          : `${count(routes, "route")} ${routes === 1 ? "has" : "have"} a backend in ${cluster}. ${
              moved === 0
                ? "Nobody is served there now."
                : `${percent(moved)} of the world's population, over all routes, will be served elsewhere:`
            }`}
      </p>
      {moves.length > 0 && (
        <ul class="moves">
          {moves.slice(0, MOST_MOVES).map(({ to, population }) => (
            <li key={to}>
              <strong>{percent(population)}</strong> to {to}
            </li>
          ))}
          {moves.length > MOST_MOVES && <li>and {count(moves.length - MOST_MOVES, "more cluster")}</li>}
        </ul>
      )}
      {stuckRoutes > 0 && (
        <Notice kind="warning">
          {count(stuckRoutes, "route")} {stuckRoutes === 1 ? "has" : "have"} clients that nothing else may serve: they stay with {cluster}{" "}
          (fail-open).
        </Notice>
      )}
    </div>
  );
}
