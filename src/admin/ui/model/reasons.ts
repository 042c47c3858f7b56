/** What each reason of degradation means, and what to do about it: `degraded` of /readyz in words. */

export interface Reason {
  readonly fact: string;
  readonly remedy: string;
}

const REASONS: Readonly<Record<string, Reason>> = {
  "config-rejected": {
    fact: "The objects have errors; what was served before goes on.",
    remedy: "Mend them: the list below says file and line.",
  },
  "inputs-held": { fact: "Much vanished at once, so the last objects are kept.", remedy: "Restore them, or run: globalroute confirm" },
  "geo-stale": { fact: "The geo data is old: clients may be placed wrongly.", remedy: "Update the files given by --mmdb." },
  "geo-rejected": {
    fact: "A geo database cannot be used; the one before stays.",
    remedy: "Replace the file; the log says what is wrong with it.",
  },
  "last-good": {
    fact: "The saved state of before the start is served.",
    remedy: "Make today's objects readable: the log says what keeps them.",
  },
  "vantage-suspect": {
    fact: "Most clusters fell silent at once, so this server doubts its own network.",
    remedy: "Look at this machine's network; --reference gives it something else to ask.",
  },
  "fail-open": {
    fact: "Some clients have no healthy backend; they are answered as if all were healthy.",
    remedy: "Bring a backend back that their rules allow.",
  },
  "withdrawal-held": {
    fact: "More fails than may be withdrawn at once, so some of it stays in service.",
    remedy: "If it really is down, drain it.",
  },
  "compile-failed": {
    fact: "The newest objects could not be compiled; the last table serves.",
    remedy: "The log has the cause; it is tried again.",
  },
  "state-unsaved": { fact: "The state folder cannot be written.", remedy: "Free room there, or make it writable." },
  "hub-unreachable": {
    fact: "The API server with the objects cannot be reached; the last ones are served.",
    remedy: "Look at the way to it, and at the credentials.",
  },
  "peer-lost": { fact: "Another replica or vantage cannot be reached.", remedy: "Look whether it runs, and at the network between." },
  "provider-failing": {
    fact: "A zone that is kept elsewhere cannot be brought up to date.",
    remedy: "The log names the zone and the provider's answer.",
  },
  "proxy-failing": {
    fact: "A proxy of a ProxyFleet does not follow, so it serves what it had.",
    remedy: "The page Proxies and globalroute status name it and say why.",
  },
  "delegation-waiting": {
    fact: "A delegation that is kept in the zone above is not as it is wanted.",
    remedy: "The log says what it waits for; globalroute check zone looks at it from outside.",
  },
  "removals-held": {
    fact: "Many records would vanish from a zone at once, so they are kept.",
    remedy: "Look at globalroute plan; then restore, or run: globalroute confirm",
  },
  "names-contested": {
    fact: "Records of somebody else stand where ours should.",
    remedy: "globalroute plan names them: remove them, or name another host.",
  },
};

/** A word that is newer than this page is shown as it is. */
export const describeReason = (reason: string): Reason =>
  REASONS[reason] ?? { fact: `The server says: ${reason}.`, remedy: "Its documentation on metrics lists the reasons." };

export const knownReasons: readonly string[] = Object.keys(REASONS);
