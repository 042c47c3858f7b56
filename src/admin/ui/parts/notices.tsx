/** What is wrong, and what to do about it. */
import type { ComponentChildren } from "preact";
import type { LiveState } from "../live.ts";
import { ago, clockTime, count } from "../model/format.ts";
import { describeReason } from "../model/reasons.ts";
import type { Overview } from "../model/types.ts";

export function Notice({ kind, children }: { readonly kind: "error" | "warning" | "info"; readonly children: ComponentChildren }) {
  return <div class={`notice ${kind}`}>{children}</div>;
}

/** Where there is nothing to show. @param isPage nothing else has a heading there */
export function Empty({
  title,
  isPage = false,
  children,
}: {
  readonly title: string;
  readonly isPage?: boolean;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      {isPage ? <h1 class="empty-title">{title}</h1> : <p class="empty-title">{title}</p>}
      {children}
    </div>
  );
}

/** The server is gone, or says that it could do better. */
export function StateNotices({ state, now }: { readonly state: LiveState; readonly now: number }) {
  const { connection, failure, asOf, overview } = state;
  const isLost = connection === "lost" || failure !== undefined;
  return (
    <div class="notices" role="status">
      {isLost && asOf > 0 && (
        <Notice kind="error">
          <strong>The server is not reachable.</strong> This is what it said at {clockTime(asOf, now)} ({ago(asOf, now)}). Trying again
          every two seconds. {failure?.remedy}
        </Notice>
      )}
      {overview !== undefined && overview.degraded.length > 0 && <Degraded overview={overview} />}
    </div>
  );
}

const MOST_PROBLEMS = 20;

function Degraded({ overview: { degraded, config } }: { readonly overview: Overview }) {
  const errors = config.problems.filter(({ severity }) => severity === "error").slice(0, MOST_PROBLEMS);
  return (
    <details class="notice warning" open={degraded.length < 3}>
      <summary>
        <strong>Degraded</strong>: {degraded.join(", ")}
      </summary>
      <ul>
        {degraded.map((reason) => {
          const { fact, remedy } = describeReason(reason);
          return (
            <li key={reason}>
              {fact} {remedy}
            </li>
          );
        })}
      </ul>
      {errors.length > 0 && (
        <>
          <p>
            {count(config.errors, "error")} in the objects{config.errors > errors.length ? `, of which the first ${errors.length}` : ""}:
          </p>
          <ul class="problems">
            {errors.map((problem) => (
              <li key={`${problem.file}:${problem.line}:${problem.path}:${problem.message}`}>
                <code>
                  {problem.file}:{problem.line}
                </code>{" "}
                {problem.path} {problem.message}. {problem.remedy}
              </li>
            ))}
          </ul>
        </>
      )}
    </details>
  );
}
