/** `globalroute timeline`: what happened, and with `--follow` what happens. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import { statusSchema, timelineSchema } from "../../admin/api-schemas.ts";
import { didYouMean } from "../../model/nearest-word.ts";
import type { Milliseconds } from "../../model/units.ts";
import { EVENT_KINDS, type EventKind, type TimelineEvent } from "../../observe/timeline.ts";
import { createApiClient } from "../api-client.ts";
import { followEvents } from "../event-feed.ts";
import { findRoute } from "../find-route.ts";
import type { Cli, Io } from "../io.ts";
import { examples, type OutputFormat, outputOption, parsePeriod, print, serverOption } from "../options.ts";
import { eventLines, followLines, isShown, type Wanted } from "../render-timeline.ts";
import { lookOf, printableLine } from "../text.ts";

interface TimelineFlags {
  readonly since?: Milliseconds;
  readonly kind?: readonly EventKind[];
  readonly route?: string;
  readonly limit: number;
  readonly follow?: boolean;
  readonly output: OutputFormat;
  readonly server?: string;
}

const WHICH = "Which events:";

export function registerTimeline(program: Command, { io }: Cli): void {
  const command = program
    .command("timeline")
    .summary("show what happened, and with --follow what happens")
    .description("show what happened to routes and clusters, oldest first: the newest of the last 1,000 events that the server keeps")
    .addOption(new Option("--since <duration>", "not older than this, such as 1h").argParser(parsePeriod).helpGroup(WHICH))
    .addOption(
      new Option("--kind <events>", "only these, with commas between, such as Failover,FailOpen; docs/timeline.md lists them all")
        .argParser(parseKinds)
        .helpGroup(WHICH),
    )
    .addOption(new Option("--route <route>", "only of this route: NAMESPACE/NAME, NAME or one of its hosts").helpGroup(WHICH))
    .addOption(new Option("--limit <count>", "at most so many, the newest").argParser(parseCount).default(50).helpGroup(WHICH))
    .option("-f, --follow", "go on with what happens, until Ctrl-C")
    .addOption(outputOption())
    .addOption(serverOption())
    .action((flags: TimelineFlags) => showTimeline(flags, io));
  examples(command, [
    "globalroute timeline --since 1h",
    "globalroute timeline --kind Failover,FailOpen --route shop.example.org",
    "globalroute timeline --follow",
    "globalroute timeline --output json | jq '.events[] | select(.kind == \"Failover\") | .message'",
  ]);
}

async function showTimeline(flags: TimelineFlags, io: Io): Promise<void> {
  const api = createApiClient(io, flags.server);
  const route = flags.route === undefined ? undefined : findRoute((await api.get("/v1/status", statusSchema)).routes, flags.route);
  const now = io.now();
  const wanted: Wanted = {
    ...(flags.since === undefined ? {} : { from: now - flags.since }),
    ...(flags.kind === undefined ? {} : { kinds: flags.kind }),
    ...(route === undefined ? {} : { object: `GlobalRoute ${route.namespace}/${route.name}` }),
  };
  const { events, newest } = await api.get("/v1/timeline", timelineSchema);
  const shown = events.filter((event) => isShown(event, wanted)).slice(-flags.limit);
  if (flags.follow !== true) return print(io, flags.output, { events: shown, newest }, (_, look) => eventLines(shown, now, look));

  const tell = (event: TimelineEvent): void => {
    if (flags.output === "json") io.stdout.write(`${JSON.stringify(event)}\n`);
    else if (flags.output === "yaml") io.stdout.write(`---\n${stringify(event)}`);
    else for (const line of followLines(event, io.now(), lookOf(io))) io.stdout.write(`${printableLine(line)}\n`);
  };
  const stop = new AbortController();
  const forget = (["SIGINT", "SIGTERM"] as const).map((signal) => io.onSignal(signal, () => stop.abort()));
  shown.forEach(tell);
  const onEvent = (event: TimelineEvent): void => {
    if (isShown(event, wanted)) tell(event);
  };
  const onGap = (): void =>
    void io.stderr.write("globalroute: events are missing here: the server has forgotten them, or was started again\n");
  await followEvents(io, api.url, { after: newest, onEvent, onGap }, stop.signal);
  for (const end of forget) end();
}

function parseKinds(text: string): readonly EventKind[] {
  return text.split(",").map((word) => {
    const kind = EVENT_KINDS.find((one) => one.toLowerCase() === word.trim().toLowerCase());
    if (kind !== undefined) return kind;
    throw new InvalidArgumentError(`${JSON.stringify(word)} is none. ${didYouMean(word, EVENT_KINDS)}Known are ${EVENT_KINDS.join(", ")}.`);
  });
}

function parseCount(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > 1000) throw new InvalidArgumentError("Write a number from 1 to 1000.");
  return Number(text);
}
