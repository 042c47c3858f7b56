/** Goes back through the moments that the server keeps: a slider over all of them, and the failovers among them one by one. */
import { ago, clockTime } from "../model/format.ts";
import { frameOfEvent, storyOf } from "../model/scrub.ts";
import type { FrameMark, TimelineEvent } from "../model/types.ts";

export interface ScrubberProps {
  readonly frames: readonly FrameMark[];
  readonly events: readonly TimelineEvent[];
  /** Id; undefined = now. */
  readonly frame: number | undefined;
  readonly setFrame: (id: number | undefined) => void;
  readonly now: number;
}

const MOST_STORIES = 8;

export function Scrubber({ frames, events, frame, setFrame, now }: ScrubberProps) {
  const last = frames.length - 1;
  const found = frames.findIndex(({ id }) => id === frame);
  const position = found < 0 ? last : found;
  const shown = frames[position];
  const stories = storyOf(events);
  const marks = stories.map(({ at }) => frameOfEvent(frames, at));
  const choose = (next: number): void => {
    const id = frames[next]?.id;
    setFrame(next >= last || id === undefined ? undefined : id);
  };
  const earlier = Math.max(-1, ...marks.filter((mark) => mark < position));
  const later = Math.min(last + 1, ...marks.filter((mark) => mark > position));
  const text = shown === undefined ? "" : frame === undefined ? "Now" : `${clockTime(shown.at, now)}, ${ago(shown.at, now)}`;
  return (
    <section class="scrubber" aria-labelledby="scrubber-title">
      <h2 id="scrubber-title" class="sr-only">
        Timeline
      </h2>
      <div class="scrub-row">
        <button
          type="button"
          disabled={earlier < 0 && position <= 0}
          onClick={() => choose(Math.max(0, earlier))}
          aria-label="Change before this one"
        >
          ‹
        </button>
        <div class="track">
          <input
            type="range"
            min={0}
            max={Math.max(0, last)}
            step={1}
            value={Math.max(0, position)}
            disabled={last < 1}
            aria-label="Moment that the map shows"
            aria-valuetext={text}
            onInput={(event) => choose(Number(event.currentTarget.value))}
          />
          <div class="ticks" aria-hidden="true">
            {last > 0 && [...new Set(marks)].map((mark) => <i key={mark} style={{ left: `${(mark / last) * 100}%` }} />)}
          </div>
        </div>
        <button type="button" disabled={position >= last} onClick={() => choose(later)} aria-label="Change after this one">
          ›
        </button>
        <output class="moment">{text}</output>
      </div>
      {stories.length === 0 ? (
        <p class="hint">Nothing has moved since this server started. The last moments are kept, to go back to.</p>
      ) : (
        <ol class="stories">
          {stories.slice(0, MOST_STORIES).map(({ key, at, head, events: all }, i) => (
            <li key={key}>
              <button type="button" aria-pressed={frame !== undefined && marks[i] === position} onClick={() => choose(marks[i] ?? last)}>
                <time>{clockTime(at, now)}</time>
                <span>{head}</span>
                {all.length > 1 && <span class="times">{all.length} routes</span>}
              </button>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
