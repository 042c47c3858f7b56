/** Small signs that stand for states: each has a shape and a word, never a colour alone. */
import { tone } from "../model/colours.ts";
import type { ClusterStatus } from "../model/types.ts";

export type MarkState = "Healthy" | "Unhealthy" | "Unknown" | "Draining" | "Cordoned";

/** An operator's state says more than health. */
export const markStateOf = ({ state, health }: Pick<ClusterStatus, "state" | "health">): MarkState => (state === "Active" ? health : state);

/** The shape of a state around (0, 0), in an SVG. */
export function StateShape({ state, radius }: { readonly state: MarkState; readonly radius: number }) {
  const r = radius;
  const sign = r * 0.5;
  switch (state) {
    case "Healthy":
      return (
        <g class="shape healthy">
          <circle r={r} />
          <path class="sign" d={`M${-sign},0L${-sign * 0.2},${sign * 0.8}L${sign},${-sign * 0.7}`} />
        </g>
      );
    case "Unhealthy":
      return (
        <g class="shape unhealthy">
          <path d={`M0,${-r * 1.25}L${r * 1.25},0L0,${r * 1.25}L${-r * 1.25},0Z`} />
          <path
            class="sign"
            d={`M${-sign * 0.8},${-sign * 0.8}L${sign * 0.8},${sign * 0.8}M${sign * 0.8},${-sign * 0.8}L${-sign * 0.8},${sign * 0.8}`}
          />
        </g>
      );
    case "Unknown":
      return (
        <g class="shape unknown">
          <circle r={r} />
          <path
            class="sign"
            d={`M${-sign * 0.7},${-sign * 0.5}A${sign * 0.75},${sign * 0.75} 0 1 1 0,${sign * 0.35}M0,${sign * 1.05}v0.1`}
          />
        </g>
      );
    case "Draining":
    case "Cordoned":
      return (
        <g class="shape draining">
          <rect x={-r} y={-r} width={2 * r} height={2 * r} rx={r * 0.25} />
          <path class="sign" d={`M${-sign * 0.5},${-sign}V${sign}M${sign * 0.5},${-sign}V${sign}`} />
        </g>
      );
  }
}

/** The same beside a text, which is the state itself if not given. */
export function StateMark({ state, text = state }: { readonly state: MarkState; readonly text?: string }) {
  return (
    <span class="state-mark">
      <svg viewBox="-10 -10 20 20" width="18" height="18" aria-hidden="true">
        <StateShape state={state} radius={7} />
      </svg>
      {text}
    </span>
  );
}

/** A cluster's colour with its name. */
export function ClusterName({ name, hue }: { readonly name: string; readonly hue: number | undefined }) {
  return (
    <span class="cluster-name">
      <i class="swatch" style={{ background: tone(hue) }} />
      {name}
    </span>
  );
}

/** Shares as one bar; the numbers stand beside it. */
export function ShareBar({
  shares,
  hues,
}: {
  readonly shares: readonly { readonly cluster: string; readonly share: number }[];
  readonly hues: ReadonlyMap<string, number>;
}) {
  return (
    <span class="share-bar" aria-hidden="true">
      {shares.map(({ cluster, share }) => (
        <i key={cluster} style={{ width: `${share * 100}%`, background: tone(hues.get(cluster) ?? 0) }} />
      ))}
    </span>
  );
}

/** Readings as a small line, the newest at the right. */
export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  const [width, height] = [120, 28];
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, i) => `${(i * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`);
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={label}>
      {values.length > 1 && (
        <>
          <path class="area" d={`M0,${height}L${points.join("L")}L${width},${height}Z`} />
          <path class="line" d={`M${points.join("L")}`} />
        </>
      )}
    </svg>
  );
}
