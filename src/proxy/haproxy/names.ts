/** Names of our backends inside HAProxy. Whatever a name holds, it comes out as one word that HAProxy takes; equal words mean equal names. */

/**
 * The three backends that a plan has, in the order in which a request tries them: whoever serves by the plan, then the fallbacks, one
 * cluster each.
 */
export const RANKS = ["serving", "next", "last"] as const;
export type Rank = (typeof RANKS)[number];

/**
 * Servers of a plan's own backend, of which one stands for the endpoint that serves, while that is one alone. When another serves, the other
 * one does: connections of a server that was given another address would still lead to the old one.
 */
export const DIRECT = ["direct1", "direct2"] as const;

export const isDirect = (server: string): boolean => DIRECT.some((name) => name === server);

/** HAProxy takes letters, digits and `-_.:`. Objects are named by letters, digits, `-` and `.`, so `_` and `:` are ours. */
const FOREIGN = /[^a-zA-Z0-9.-]/gu;

const word = (name: string): string =>
  name.replace(FOREIGN, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `_${byte.toString(16).padStart(2, "0")}`).join(""),
  );

/** `shop:web` */
export const routeBackend = (route: { readonly namespace: string; readonly name: string }): string =>
  `${word(route.namespace)}:${word(route.name)}`;

/** `shop:web:office`: the plan of a route for clients of one group. */
export const groupBackend = (route: { readonly namespace: string; readonly name: string }, group: string): string =>
  `${routeBackend(route)}:${word(group)}`;

/** `shop:web:0123456789abcdef`: what a request of a route and a class looks its plan up by. */
export const planKey = (route: { readonly namespace: string; readonly name: string }, clientClass: string): string =>
  `${routeBackend(route)}:${classWord(clientClass)}`;

/** `shop:web_serving`. No escape looks like it: those are two hexadecimal digits, of which ranks' names do not begin with two. */
export const rankBackend = (plan: string, rank: Rank): string => `${plan}_${rank}`;

/** What a map of HAProxy's has as a value: a class of clients. */
export const classWord = (clientClass: string): string => word(clientClass);

const RANKED = new RegExp(`_(${RANKS.join("|")})$`);

/** True for every name that {@link rankBackend} makes, of whichever plan. */
export const isRankBackend = (name: string): boolean => RANKED.test(name);

/** The backend of the route, of a backend of its plans or of one of their ranks. */
export const routeOfBackend = (name: string): string => name.replace(RANKED, "").split(":", 2).join(":");
