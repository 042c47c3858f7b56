/** An explanation as the steps that a decision takes, each in a sentence. */
import type { Explanation } from "./types.ts";

export interface Step {
  readonly title: string;
  readonly text: string;
}

const MODES: Readonly<Record<string, string>> = {
  Usable: "A backend in service answers.",
  Pending: "The backend is healthy again, but its return is still waiting; nothing better is left.",
  FailOpenUnknown: "Nothing is known to be healthy: answered with a backend of unknown health (fail-open).",
  FailOpenUnhealthy: "Nothing is healthy: answered with an unhealthy backend (fail-open).",
  FailOpenDraining: "Nothing else is left: answered with a draining backend (fail-open).",
  Held: "Nothing may be answered: the last answer that the rules still allow is held.",
  Nothing: "Nothing may be answered, and there never was an answer: SERVFAIL.",
  NotOffered: "The route does not offer this family: an answer without addresses (NODATA).",
};

export function explainSteps(explanation: Explanation): readonly Step[] {
  const { client, place, rules, tier, mode, slot, shares, scopePrefixLength, ttl, clusters, addresses } = explanation;
  const where = [place.country, ...(place.subdivisions ?? [])].filter((one) => one !== undefined).join(", ");
  const position = place.latitude === undefined ? "" : ` near ${place.latitude}, ${place.longitude}`;
  return [
    {
      title: "Place",
      text: place.known
        ? `${client} is in ${where === "" ? (place.continent ?? "a known place") : where}${position}.`
        : `Nobody knows where ${client} is.`,
    },
    {
      title: "Rules",
      text:
        rules.length === 0
          ? "No rule applies: every backend is allowed."
          : rules.map(({ name, mode: strength, why }) => `${name} (${strength}): ${why}.`).join(" "),
    },
    { title: "Tier", text: tier === null ? "No tier can serve." : `Tier ${tier} serves. ${MODES[mode] ?? mode}` },
    ...(tier === null ? [{ title: "Outcome", text: MODES[mode] ?? mode }] : []),
    ...(shares === undefined && slot === undefined
      ? []
      : [
          {
            title: "Share",
            text:
              shares === undefined
                ? `Slot ${slot}: this client always gets the same cluster while it is in service.`
                : `${Object.entries(shares)
                    .map(([cluster, share]) => `${cluster} ${Math.round(share * 100)} %`)
                    .join(", ")} of this client's answers.`,
          },
        ]),
    {
      title: "Answer",
      text:
        addresses.length === 0
          ? "No address."
          : `${addresses.join(", ")} in ${clusters.join(", ")}, for ${ttl} s, for every client in the same /${scopePrefixLength}.`,
    },
  ];
}
