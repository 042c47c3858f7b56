/** Everything that happened, newest first; what moved clients can be looked at on the map. */
import { useMemo, useState } from "preact/hooks";
import type { ViewProps } from "../app.tsx";
import { ago, clockTime } from "../model/format.ts";
import { frameOfEvent, isMove } from "../model/scrub.ts";
import type { TimelineEvent } from "../model/types.ts";
import { Empty } from "../parts/notices.tsx";

const PAGE = 100;

export function TimelineView({ state, now, setFrame }: ViewProps) {
  const [onlyMoves, setOnlyMoves] = useState(false);
  const [search, setSearch] = useState("");
  const [shown, setShown] = useState(PAGE);
  const events = useMemo(() => matching(state.events, onlyMoves, search), [state.events, onlyMoves, search]);
  const showOnMap = ({ at }: TimelineEvent): void => {
    const position = frameOfEvent(state.frames, at);
    setFrame(position >= state.frames.length - 1 ? undefined : state.frames[position]?.id);
    location.hash = "#/map";
  };
  return (
    <section class="timeline-view" aria-labelledby="timeline-title">
      <div class="toolbar">
        <h1 id="timeline-title">Timeline</h1>
        <label class="field grow">
          Search
          <input type="search" value={search} spellcheck={false} onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={onlyMoves} onChange={(event) => setOnlyMoves(event.currentTarget.checked)} /> Only what moves
          clients
        </label>
      </div>
      {events.length === 0 ? (
        <Empty title={state.events.length === 0 ? "Nothing has happened yet" : "No event matches"} />
      ) : (
        <ol class="events">
          {events.slice(0, shown).map((event) => (
            <li key={event.id} class={`event ${isMove(event) ? "move" : ""}`}>
              <time dateTime={new Date(event.at).toISOString()}>{clockTime(event.at, now)}</time>
              <span class="kind">{event.kind}</span>
              <span class="what">
                {event.message}
                <span class="under">
                  {event.object}, {ago(event.at, now)}
                </span>
              </span>
              {isMove(event) && (
                <button type="button" class="quiet" onClick={() => showOnMap(event)}>
                  On the map<span class="sr-only">: {event.message}</span>
                </button>
              )}
            </li>
          ))}
        </ol>
      )}
      {events.length > shown && (
        <button type="button" onClick={() => setShown(shown + PAGE)}>
          Show more ({events.length - shown})
        </button>
      )}
    </section>
  );
}

function matching(events: readonly TimelineEvent[], onlyMoves: boolean, search: string): readonly TimelineEvent[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return events
    .filter((event) => !onlyMoves || isMove(event))
    .filter(({ kind, object, message }) => words.every((word) => `${kind} ${object} ${message}`.toLowerCase().includes(word)))
    .reverse();
}
