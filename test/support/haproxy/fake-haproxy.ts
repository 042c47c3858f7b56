/** A HAProxy that holds what it is told and answers in the words of 2.6: started from our files, commanded over its socket, killed at will. */
import { formatIp, parseIp } from "../../../src/model/ip.ts";

export interface FakeServer {
  readonly name: string;
  address: string;
  port: number;
  weight: number;
  isReady: boolean;
}

export interface FakeHaproxy {
  /** Reads its configuration and maps, as a start or a reload does; whatever it was told before is forgotten. */
  start(files: ReadonlyMap<string, string>): void;
  /** Nobody answers from now on. */
  kill(): void;
  /** Answers a command as its socket does; rejects while it does not run. */
  readonly ask: (command: string) => Promise<string>;
  readonly backends: ReadonlyMap<string, readonly FakeServer[]>;
  /** Entries that requests are looked up in, by file. */
  readonly maps: ReadonlyMap<string, readonly string[]>;
  /** What changed something, in the order of arrival. */
  readonly changes: string[];
  /** Files that it may open. */
  limit: number;
  /** Told after each change. */
  onChange: () => void;
}

const HEAD =
  "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

export function createFakeHaproxy(): FakeHaproxy {
  const backends = new Map<string, FakeServer[]>();
  const maps = new Map<string, readonly string[]>();
  const versions = new Map<string, { committed: number; next: number; readonly prepared: Map<number, string[]> }>();
  let isRunning = false;
  let pid = 100;
  let description = "";

  const fake: FakeHaproxy = {
    ...{ backends, maps, changes: [], limit: 1_000_000, onChange: () => {} },
    start(files) {
      for (const held of [backends, maps, versions]) held.clear();
      const config = [...files].find(([path]) => path.endsWith(".cfg"))?.[1] ?? "";
      for (const [name, servers] of readBackends(config)) backends.set(name, servers);
      for (const [, path] of config.matchAll(/map_\w+\(([^)]+)\)/g)) {
        const text = files.get(path!);
        if (text === undefined) throw new Error(`failed to open pattern file <${path}>`);
        maps.set(path!, text.split("\n").filter(Boolean));
        versions.set(path!, { committed: 0, next: 0, prepared: new Map() });
      }
      description = /^ {4}description (.*)$/m.exec(config)?.[1] ?? "";
      isRunning = true;
      pid++;
    },
    kill() {
      isRunning = false;
    },
    async ask(command) {
      if (!isRunning) throw new Error("connect ECONNREFUSED");
      const [line, payload] = command.split(" <<\n");
      return line!
        .split(";")
        .map((one) => `${answer(one, payload)}\n`)
        .join("");
    },
  };

  function answer(command: string, payload: string | undefined): string {
    const show = /^show (info|map (\S+)|servers state(?: (\S+))?)$/.exec(command);
    if (show !== null) {
      const [, what, file, backend] = show;
      if (what === "info")
        return `Name: HAProxy\nPid: ${pid}\nStart_time_sec: ${pid * 7}\nUlimit-n: ${fake.limit}\ndescription: ${description}\n`;
      if (file !== undefined)
        return (
          maps
            .get(file)
            ?.map((entry) => `0x5581 ${entry}\n`)
            .join("") ?? "Unknown map identifier. Please use #<id> or <file>.\n"
        );
      if (backend !== undefined && !backends.has(backend)) return "Can't find backend.\n";
      return stateOf(backend === undefined ? [...backends] : [[backend, backends.get(backend)!]]);
    }
    fake.changes.push(command);
    const told = setServer(command) ?? changeMap(command, payload) ?? `Unknown command: '${command}'\n`;
    fake.onChange();
    return told;
  }

  function setServer(command: string): string | undefined {
    const [, backend, name, what, value, port] =
      /^set server ([^/]+)\/(\S+) (addr|weight|state|health) (\S+)(?: port (\d+))?$/.exec(command) ?? [];
    if (what === undefined || value === undefined) return undefined;
    const server = backends.get(backend!)?.find((one) => one.name === name);
    if (server === undefined) return "No such server.\n";
    if (what === "state") {
      server.isReady = value === "ready";
      return "";
    }
    if (what === "health") return "";
    if (what === "weight") {
      if (!(Number(value) >= 0 && Number(value) <= 256)) return "Absolute weight can only be between 0 and 256 inclusive.\n";
      server.weight = Number(value);
      return "";
    }
    const ip = parseIp(value);
    if (ip === undefined) return `Invalid addr '${value}' by 'stats socket command'\n`;
    const told = `IP changed from '${server.address}' to '${value}', port changed from '${server.port}' to '${port}' by 'stats socket command'\n`;
    server.address = formatIp(ip);
    server.port = Number(port);
    return told;
  }

  function changeMap(command: string, payload: string | undefined): string | undefined {
    const [, verb, at, file] = /^(prepare|add|commit) map (?:@(\d+) )?(\S+)$/.exec(command) ?? [];
    if (verb === undefined) return undefined;
    const map = versions.get(file!);
    if (map === undefined) return "Unknown map identifier. Please use #<id> or <file>.\n";
    if (verb === "prepare") {
      map.prepared.set(++map.next, []);
      return `New version created: ${map.next}\n`;
    }
    const version = Number(at);
    if (version > map.next)
      return verb === "add" ? "Version number in the future, please use 'prepare map' before.\n" : "Version number out of range.\n";
    if (verb === "add") map.prepared.get(version)?.push(...(payload ?? "").split("\n").filter(Boolean));
    else maps.set(file!, map.prepared.get(version) ?? []);
    return "";
  }

  return fake;
}

function readBackends(config: string): ReadonlyMap<string, FakeServer[]> {
  const found = new Map<string, FakeServer[]>();
  let servers: FakeServer[] = [];
  for (const line of config.split("\n")) {
    const [, section] = /^backend (\S+)$/.exec(line) ?? [];
    if (section !== undefined) {
      servers = [];
      found.set(section, servers);
    }
    const [, template, name, range, at, more = ""] = /^ {4}server(-template)? (\S+) (?:(\d+-\d+) )?(\S+)(.*)$/.exec(line) ?? [];
    if (at === undefined) continue;
    const [first, last] = template === undefined ? [0, 0] : range!.split("-").map(Number);
    const [, address, port] = /^\[?(.*?)\]?:(\d+)$/.exec(at) ?? ["", "-", "0"];
    for (let i = first!; i <= last!; i++) {
      const weight = Number(/ weight (\d+)/.exec(more)?.[1] ?? 1);
      servers.push({
        name: template === undefined ? name! : `${name}${i}`,
        address: address!,
        port: Number(port),
        weight,
        isReady: !more.includes(" disabled"),
      });
    }
  }
  return found;
}

const stateOf = (shown: readonly (readonly [string, readonly FakeServer[]])[]): string =>
  [
    "1",
    HEAD,
    ...shown.flatMap(([backend, servers], b) =>
      servers.map(
        ({ name, address, port, weight, isReady }, i) =>
          `${b + 3} ${backend} ${i + 1} ${name} ${address} 2 ${isReady ? 0 : 5} ${weight} 1 1 6 3 3 6 0 0 0 - ${port} - 0 0 - - 0`,
      ),
    ),
    "",
  ].join("\n");
