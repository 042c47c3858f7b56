/** What is said to whoever asks for a host that no route has. Pure. */
import { count } from "../model/count.ts";
import type { Inventory } from "../model/inventory.ts";
import { didYouMean, nearestWord } from "../model/nearest-word.ts";

/** Hosts that the message lists. */
const MOST_HOSTS = 10;

/** @returns the fact, what was probably meant, and what there is */
export function unknownHost(name: string, { routes }: Pick<Inventory, "routes">): string {
  const fact = `No route has the host ${name}.`;
  const hosts = routes.flatMap((route) => route.hosts);
  if (hosts.length === 0) return `${fact} There are no routes: write a GlobalRoute.`;
  const similar = hosts.filter((host) => isSimilar(name, host));
  const more = hosts.length > MOST_HOSTS ? `, and ${count(hosts.length - MOST_HOSTS, "other")}` : "";
  const there = `${hosts.length === 1 ? "The only host is" : "Hosts are"}: ${hosts.slice(0, MOST_HOSTS).join(", ")}${more}.`;
  return `${fact} ${didYouMean(name, similar)}${there}`;
}

/** By the labels before those that both end in: one zone makes any two names alike. */
function isSimilar(name: string, host: string): boolean {
  const [own, theirs] = [name.split("."), host.split(".")];
  while (own.length > 1 && theirs.length > 1 && own.at(-1) === theirs.at(-1)) {
    own.pop();
    theirs.pop();
  }
  return nearestWord(own.join("."), [theirs.join(".")]) !== undefined;
}
