/** The route that somebody means by its name or by one of its hosts. Pure. */
import type { RouteStatus } from "../engine/view.ts";
import { didYouMean } from "../model/nearest-word.ts";
import { CommandError } from "./io.ts";

const SHOWN = 10;

/**
 * @param text `NAMESPACE/NAME`, `NAME` where only one namespace has it, or a host name, also one that a wildcard of the route covers
 * @throws CommandError (exit 2) when there is none, or more than one
 */
export function findRoute(routes: readonly RouteStatus[], text: string): RouteStatus {
  const host = text.toLowerCase().replace(/\.$/, "");
  const named = routes.filter(({ namespace, name }) => text === name || text === `${namespace}/${name}`);
  const found = named.length > 0 ? named : routes.filter(({ hosts }) => hosts.includes(host));
  const covered = found.length > 0 ? found : widest(routes, host);
  const [first, ...others] = covered;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) throw new CommandError(2, `${text} may be ${names(covered)}. Write one of them.`);
  const there = routes.length === 0 ? "The server has no routes at all." : `There are ${names(routes)}.`;
  const words = routes.flatMap(({ namespace, name, hosts }) => [`${namespace}/${name}`, name, ...hosts]);
  throw new CommandError(2, `there is no route and no host ${text}. ${didYouMean(text, words)}${there}`);
}

/** Routes with the longest wildcard over a host. */
function widest(routes: readonly RouteStatus[], host: string): readonly RouteStatus[] {
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    const found = routes.filter(({ hosts }) => hosts.includes(`*${host.slice(dot)}`));
    if (found.length > 0) return found;
  }
  return [];
}

function names(routes: readonly RouteStatus[]): string {
  const all = routes.map(({ namespace, name }) => `${namespace}/${name}`);
  const shown = all.slice(0, SHOWN).join(", ");
  return all.length > SHOWN ? `${shown} and ${all.length - SHOWN} more` : shown;
}
