/** The map: countries in the colour of the cluster that serves most of their clients, lines to it, and the clusters with what they are. */

import { countries } from "virtual:countries";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { MAP, project } from "../../../geo/equal-earth.ts";
import { arcsOf, arcWidth } from "../model/arcs.ts";
import { lineTone, tone } from "../model/colours.ts";
import { list, percent, rate } from "../model/format.ts";
import { placeLabels } from "../model/labels.ts";
import type { WorldMap } from "../model/types.ts";
import { markStateOf, StateShape } from "../parts/marks.tsx";

export interface WorldMapProps {
  readonly map: WorldMap | undefined;
  readonly hues: ReadonlyMap<string, number>;
  /** Cluster → answers per second; undefined for the past. */
  readonly load: ReadonlyMap<string, number> | undefined;
  readonly country: string | undefined;
  readonly cluster: string | undefined;
  readonly chooseCountry: (code: string) => void;
  readonly chooseCluster: (name: string) => void;
}

/** On the screen, pixels, however small the map is. */
const RADIUS = 7;
const FONT = 12;
/** Of a letter, on average, in font sizes. */
const LETTER = 0.62;
/** More than these are told apart by pointing at them. */
const MOST_LABELS = 40;

function place(latitude: number, longitude: number): readonly [number, number] {
  const { x, y } = project(latitude, longitude);
  return [x, y];
}

export function WorldMapPicture({ map, hues, load, country, cluster, chooseCountry, chooseCluster }: WorldMapProps) {
  const [pointed, setPointed] = useState<string | undefined>();
  const [picture, pixel] = usePixel();
  const regions = useMemo(() => new Map(map?.regions.map((region) => [region.country, region])), [map]);
  const arcs = useMemo(() => (map === undefined ? [] : arcsOf(map, place)), [map]);
  const clusters = useMemo(() => drawnClusters(map, load, pixel), [map, load, pixel]);
  const labels = useMemo(
    () => new Map(placeLabels(clusters.slice(0, MOST_LABELS), (RADIUS + 1) * pixel, MAP).map((label) => [label.name, label])),
    [clusters, pixel],
  );
  const region = pointed === undefined ? undefined : regions.get(pointed);
  return (
    <figure class="world">
      <svg
        ref={picture}
        viewBox={`0 0 ${MAP.width} ${MAP.height}`}
        role="group"
        aria-label="Map of the world. The same is in the table below it."
      >
        <g
          class="countries"
          aria-hidden="true"
          onClick={(event) => choose(event, chooseCountry)}
          onPointerOver={(event) => setPointed(codeAt(event))}
          onPointerLeave={() => setPointed(undefined)}
        >
          {countries.map(([code, path]) => {
            const served = regions.get(code)?.served[0]?.cluster;
            const isDim = cluster !== undefined && served !== cluster;
            return (
              <path
                key={code}
                d={path}
                data-code={code}
                class={`${isDim ? "dim" : ""} ${code === country ? "chosen" : ""}`}
                style={{ fill: tone(served === undefined ? undefined : hues.get(served)) }}
              />
            );
          })}
        </g>
        <g class="arcs" aria-hidden="true">
          {arcs.map((arc) => {
            const isDim = (cluster !== undefined && arc.cluster !== cluster) || (country !== undefined && arc.country !== country);
            return (
              <path
                key={arc.key}
                d={arc.path}
                class={isDim ? "dim" : ""}
                style={{
                  stroke: lineTone(hues.get(arc.cluster) ?? 0),
                  strokeWidth: arcWidth(arc.weight) * Math.min(pixel, 1.6),
                }}
              />
            );
          })}
        </g>
        {clusters.map(({ name, x, y, text, state, description }) => {
          const label = labels.get(name);
          return (
            <g
              key={name}
              class={`cluster ${name === cluster ? "chosen" : ""}`}
              role="button"
              tabindex={0}
              aria-pressed={name === cluster}
              aria-label={description}
              onClick={() => chooseCluster(name)}
              onKeyDown={(event) => {
                if (event.key !== "Enter" && event.key !== " ") return;
                event.preventDefault();
                chooseCluster(name);
              }}
            >
              <title>{description}</title>
              <g transform={`translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${pixel.toFixed(3)})`}>
                <circle class="halo" r={RADIUS + 4} />
                <circle class="ring" r={RADIUS + 2.5} style={{ stroke: tone(hues.get(name)) }} />
                <StateShape state={state} radius={RADIUS} />
              </g>
              {label !== undefined && (
                <text x={label.x} y={label.y} dy="0.35em" text-anchor={label.anchor} font-size={FONT * pixel} stroke-width={3 * pixel}>
                  {text}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <figcaption aria-hidden="true">
        {region === undefined ? "Point at a country, or choose one." : <RegionLine name={region.name} served={region.served} />}
      </figcaption>
    </figure>
  );
}

function RegionLine({ name, served }: { readonly name: string; readonly served: WorldMap["regions"][number]["served"] }) {
  const text = served.length === 0 ? "nobody answers, or no client is known to be there" : list(served.map(sharePart), 3);
  return (
    <>
      <strong>{name}</strong>: {text}
    </>
  );
}

const sharePart = ({ cluster, share }: { readonly cluster: string; readonly share: number }): string => `${cluster} ${percent(share)}`;

/** @returns a ref for the picture, and how long a pixel of the screen is in the map's units */
function usePixel() {
  const picture = useRef<SVGSVGElement>(null);
  const [pixel, setPixel] = useState(1);
  useLayoutEffect(() => {
    const element = picture.current;
    if (element === null) return;
    const measure = (): void => setPixel(MAP.width / Math.max(200, element.clientWidth));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return [picture, pixel] as const;
}

function drawnClusters(map: WorldMap | undefined, load: ReadonlyMap<string, number> | undefined, pixel: number) {
  const all = (map?.clusters ?? []).map((cluster) => {
    const [x, y] = place(cluster.location.latitude, cluster.location.longitude);
    const state = markStateOf(cluster);
    const perSecond = load?.get(cluster.name);
    const text = perSecond === undefined || perSecond === 0 ? cluster.name : `${cluster.name} ${rate(perSecond)}`;
    const description = `${cluster.name}, ${cluster.location.label}: ${state}, serves ${percent(cluster.population)} of the world's population${
      perSecond === undefined ? "" : `, ${rate(perSecond)} answers`
    }`;
    return {
      name: cluster.name,
      x,
      y,
      text,
      state,
      description,
      population: cluster.population,
      width: text.length * FONT * LETTER * pixel,
      height: FONT * 1.25 * pixel,
    };
  });
  // What is wrong is named before what is large.
  return all.sort((a, b) => Number(a.state === "Healthy") - Number(b.state === "Healthy") || b.population - a.population);
}

function codeAt(event: Event): string | undefined {
  return event.target instanceof SVGElement ? event.target.dataset.code : undefined;
}

function choose(event: Event, chooseCountry: (code: string) => void): void {
  const code = codeAt(event);
  if (code !== undefined) chooseCountry(code);
}
