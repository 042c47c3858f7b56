/**
 * Keeps one HAProxy at what routes want: commands what can be commanded, reads back, writes down the rest, and starts over when HAProxy does.
 * While HAProxy cannot be reached, it serves by what it was told last; when it starts again, by what was written last.
 */
import { describeShortage, descriptorsFor } from "./descriptors.ts";
import { type Held, holdBackends, withHeld } from "./held-plans.ts";
import { createLayouter, type HaproxyWorld, type Layout, MAPS, type MapEntry, type MapName } from "./layout.ts";
import { type ConfigOptions, describeConfig, fingerprintOf, mapFile, mapText, renderConfig } from "./render-config.ts";
import {
  joinCommands,
  lackingGroups,
  needsFormerGroups,
  parseMap,
  parseVersion,
  planLeftovers,
  planServers,
  presentMaps,
  replaceMap,
  type ServersPlan,
  type Settled,
  sameMap,
  showsMap,
} from "./runtime-plan.ts";
import { parseServersState, type ServersState } from "./servers-state.ts";

export interface HaproxyStatus {
  readonly isReachable: boolean;
  /** What was asked for last is what requests meet. */
  readonly isCurrent: boolean;
  /** For people: what HAProxy has only once it reads its configuration again; the first of them, and how many more. */
  readonly reloadFor?: string;
  /** For people: why the newest try failed. */
  readonly problem?: string;
}

export interface KeeperPorts {
  /** A command's answer; rejects when there was none. */
  readonly ask: (command: string) => Promise<string>;
  /** Replaces a file, whole or not at all. */
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** Has HAProxy read its configuration again; rejects when it did not take it. Absent: somebody else does that. */
  readonly reload?: () => Promise<void>;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
  /** [0, 1) */
  readonly random: () => number;
  /** Told when it differs from before. */
  readonly onStatus?: (status: HaproxyStatus) => void;
}

export interface HaproxyKeeper {
  /** What is wanted from now on; what comes while another is being brought about becomes one. */
  update(world: HaproxyWorld): void;
  status(): HaproxyStatus;
  /** Ends what is under way; HAProxy goes on with what it has. */
  close(): Promise<void>;
}

/** Milliseconds between looks whether HAProxy has started again. */
const LOOK = 2_000;
/** Milliseconds after which all is read again, in case somebody else commanded something. */
const READ_AGAIN = 60_000;
/** Milliseconds between two reloads: each leaves a process behind until its connections end. */
const RELOAD_GAP = 10_000;
/** Milliseconds: writing down thousands of routes takes a while, and only a restart needs it. */
const WRITE_GAP = 1_000;
/** Milliseconds after which files are written again while HAProxy is away: it cannot start without them, and somebody may have taken them away. */
const WRITE_AGAIN = 60_000;
/** Milliseconds: bounds of the first wait after a failure, and of all. */
const RETRY = { base: 250, cap: 10_000, shortest: 50 };
/** Where servers are scarce, one round frees what the next one needs. */
const ROUNDS = 3;
const MAPS_OF_HOSTS: readonly MapName[] = ["hosts", "wildcards"];
/** So many backends are read back one by one, more all together. */
const FEW = 64;

/** Of a HAProxy's answers to `set server`, those that tell of success. */
const REMARK = /^(IP changed from|no need to change|port changed from)/;

export function createHaproxyKeeper(options: ConfigOptions, ports: KeeperPorts): HaproxyKeeper {
  const written = new Map<string, string>();
  const layOut = createLayouter();
  const settled: Settled = new WeakMap();
  let wanted: Layout | undefined;
  /** What is known of the process that ran last. */
  let known:
    | { readonly identity: string; readonly readAt: number; state: ServersState; readonly maps: Map<MapName, readonly MapEntry[]> }
    | undefined;
  let held: Held = new Map();
  /** What the files were made of. */
  let drafted: { readonly layout: Layout; readonly state: ServersState | undefined } | undefined;
  let writeProblem: string | undefined;
  let reloadProblem: string | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let reloadedAt = Number.NEGATIVE_INFINITY;
  let status: HaproxyStatus = { isReachable: false, isCurrent: false };
  let told = "";
  let failures = 0;
  let isClosed = false;
  let isAsked = false;
  let isLost = false;
  let underWay: Promise<void> | undefined;
  let reloading: Promise<void> | undefined;
  let cancel = (): void => {};

  async function ask(command: string): Promise<string> {
    try {
      return await ports.ask(command);
    } catch (error) {
      isLost = true;
      throw error;
    }
  }

  async function bringAbout(layout: Layout): Promise<HaproxyStatus> {
    if (known === undefined) await writeDown(layout); // nobody can start it before
    const { description, limit } = await meet();
    const plan = (of: Layout, state: ServersState): ServersPlan => planServers(of, state, settled);
    const waiting = lackingGroups(layout, known!.state);
    held = holdBackends(layout, waiting, known!.state, held);
    await applyServers(plan, withHeld(layout, held));
    const maps = presentMaps(layout, known!.state, { hosts: await shown("hosts"), wildcards: await shown("wildcards") });
    const present = { ...layout, maps };
    const isHeld = waiting.size > 0 || needsFormerGroups(present, known!.state);
    await applyMaps(maps, isHeld ? MAPS_OF_HOSTS : MAPS);
    if (!isHeld) await applyServers(planLeftovers, present);
    const { missing } = plan(layout, known!.state);
    const lacks =
      description === describeConfig(fingerprintOf(layout, options)) ? missing : [...missing, "settings of another configuration"];
    if (lacks.length > 0 || ports.now() - writtenAt >= WRITE_GAP) await writeDown(layout);
    const need = descriptorsFor(layout, known!.state, options);
    const shortage = describeShortage(need, limit, options);
    if (lacks.length === 0) reloadProblem = undefined;
    else if (need.toStart <= limit) reload();
    const problem = writeProblem ?? reloadProblem ?? shortage;
    return {
      ...{ isReachable: true, isCurrent: lacks.length === 0 },
      ...(lacks.length === 0 ? {} : { reloadFor: lacks.length === 1 ? lacks[0]! : `${lacks[0]} and ${lacks.length - 1} more` }),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  /**
   * Lets go on what need not wait: whoever fails meanwhile is commanded to the process that runs. Never with a configuration that could not be
   * written: what it would read is an older one, or half of one.
   */
  function reload(): void {
    if (ports.reload === undefined || reloading !== undefined || writeProblem !== undefined) return;
    if (ports.now() - reloadedAt < RELOAD_GAP) return;
    reloadedAt = ports.now();
    reloading = ports
      .reload()
      .then(
        () => {
          reloadProblem = undefined;
        },
        (error: unknown) => {
          reloadProblem = `haproxy was not reloaded: ${messageOf(error)}`;
          forgetFiles();
        },
      )
      .then(() => {
        reloading = undefined;
        start(); // the one that runs now is another
      });
  }

  /**
   * Reads what there is when it is not known: at first, after HAProxy has started again, and now and then.
   *
   * @returns its description, and how many files it may open
   */
  async function meet(): Promise<{ readonly description: string; readonly limit: number }> {
    const info = await ask("show info");
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(info)?.[1] ?? "";
    const identity = `${field("Pid")} ${field("Start_time_sec")} ${field("description")}`; // in a container every process is the first
    if (known?.identity !== identity) forgetFiles();
    if (known?.identity !== identity || ports.now() - known.readAt >= READ_AGAIN) {
      const state = parseServersState(await ask("show servers state"));
      if (known?.identity !== identity) held = new Map();
      known = { identity, readAt: ports.now(), state, maps: new Map() };
    }
    return { description: field("description"), limit: Number(field("Ulimit-n") || Number.POSITIVE_INFINITY) };
  }

  async function applyServers(plan: (layout: Layout, state: ServersState) => ServersPlan, layout: Layout): Promise<void> {
    const refusals: string[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const { commands, touched } = plan(layout, known!.state);
      if (commands.length === 0) return;
      if (round === ROUNDS)
        throw new Error(`haproxy does not take \`${commands[0]}\`: ${refusals[0] ?? "it answers nothing, and nothing changes"}`);
      for (const line of joinCommands(commands)) {
        const answer = await ask(line);
        refusals.push(...answer.split("\n").filter((told) => told !== "" && !REMARK.test(told)));
      }
      await readBack(touched);
    }
  }

  async function readBack(backends: readonly string[]): Promise<void> {
    if (backends.length > FEW) {
      known!.state = parseServersState(await ask("show servers state"));
      return;
    }
    const state = new Map(known!.state);
    for (const line of joinCommands(backends.map((name) => `show servers state ${name}`))) {
      for (const [name, rows] of parseServersState(await ask(line))) state.set(name, rows);
    }
    known!.state = state;
  }

  async function applyMaps(maps: Layout["maps"], names: readonly MapName[]): Promise<void> {
    const steps = names.map((name) => ({ name, entries: maps[name] }));
    // For a moment clients are of classes of before, or are already of those to come: whichever, they find their plan.
    if (names === MAPS && known!.maps.get("clients") !== maps.clients) {
      const plans = await shown("plans");
      if (!sameMap("plans", maps.plans, plans)) steps.unshift({ name: "plans", entries: [...new Map([...plans, ...maps.plans])] });
    }
    for (const { name, entries } of steps) {
      const confirmed = known!.maps.get(name);
      if (confirmed === entries) continue;
      if (confirmed !== undefined && sameMap(name, entries, confirmed)) continue;
      const file = mapFile(options, name);
      const isThere = async (): Promise<boolean> => showsMap(name, entries, await ask(`show map ${file}`));
      if (!(await isThere())) {
        const version = parseVersion(await ask(`prepare map ${file}`));
        if (version === undefined) continue; // of another configuration: a reload brings it
        for (const command of replaceMap(file, version, entries)) await ask(command);
        if (!(await isThere())) throw new Error(`haproxy does not take the new map ${file}. Look at it with \`show map ${file}\`.`);
      }
      known!.maps.set(name, entries);
    }
  }

  /** A map as HAProxy has it; empty when it has none of the name. */
  async function shown(name: MapName): Promise<readonly MapEntry[]> {
    const entries = known!.maps.get(name) ?? parseMap(await ask(`show map ${mapFile(options, name)}`));
    known!.maps.set(name, entries);
    return entries;
  }

  /** The maps first: a configuration without its maps does not start. A full disk keeps nobody from commanding the HAProxy that runs. */
  async function writeDown(layout: Layout): Promise<void> {
    if (reloading !== undefined) return; // it may be reading them
    if (drafted?.layout === layout && drafted.state === known?.state) return;
    const files = [
      ...(drafted?.layout.maps === layout.maps ? [] : MAPS.map((name) => [mapFile(options, name), mapText(layout.maps[name])] as const)),
      [`${options.folder}/haproxy.cfg`, renderConfig(layout, known?.state ?? new Map(), options)] as const,
    ];
    try {
      for (const [path, text] of files) {
        if (written.get(path) === text) continue;
        await ports.writeFile(path, text);
        written.set(path, text);
      }
      drafted = { layout, state: known?.state };
      writtenAt = ports.now();
      writeProblem = undefined;
    } catch (error) {
      writeProblem = `its files could not be written, so a restart would find older ones: ${messageOf(error)}. Make room, or let us write there.`;
    }
  }

  /** Somebody else may have changed them: the next time all are written. */
  function forgetFiles(): void {
    written.clear();
    drafted = undefined;
  }

  async function turn(layout: Layout): Promise<void> {
    isAsked = false;
    isLost = false;
    try {
      tell(await bringAbout(layout));
      failures = 0;
    } catch (error) {
      failures++;
      if (isLost && (status.isReachable || ports.now() - writtenAt >= WRITE_AGAIN)) forgetFiles();
      if (isLost) await writeDown(layout); // when it comes back, it has what was last
      tell({ isReachable: !isLost, isCurrent: false, problem: messageOf(error) });
    }
  }

  function tell(next: HaproxyStatus): void {
    status = next;
    const text = JSON.stringify(next);
    if (text === told || isClosed) return;
    told = text;
    ports.onStatus?.(next);
  }

  function start(): void {
    if (isClosed || wanted === undefined) return;
    isAsked = true;
    if (underWay !== undefined) return;
    cancel();
    underWay = turn(wanted).then(() => {
      underWay = undefined;
      if (isAsked) return start();
      cancel = ports.setTimer(failures === 0 ? LOOK : pause(failures, ports.random), start);
    });
  }

  return {
    update(world) {
      wanted = layOut(world);
      status = { ...status, isCurrent: false };
      start();
    },
    status: () => status,
    async close() {
      isClosed = true;
      cancel();
      await underWay;
      await reloading;
      cancel();
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Full jitter: many that lost one HAProxy do not return together. */
const pause = (failures: number, random: () => number): number =>
  Math.max(RETRY.shortest, random() * Math.min(RETRY.cap, RETRY.base * 2 ** Math.min(failures, 30)));
