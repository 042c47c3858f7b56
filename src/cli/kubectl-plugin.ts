/**
 * `kubectl globalroute COMMAND …`: the program's own commands against the installation of a Kubernetes cluster. The admin API of a replica
 * listens on its pod's loopback, so a reading command reaches it through `kubectl port-forward`: who may do that is decided by the API server
 * (`create pods/portforward`).
 */
import { spawn } from "node:child_process";
import { z } from "zod";
import { CommandError, type ExitCode, type Io } from "./io.ts";

/** Ask any replica. */
const READING = ["explain", "status", "top", "timeline", "plan"];
/** Every replica has its own: run in each pod, where the token is. */
const IN_PODS = ["confirm"];
/** Write objects, and ask the replica that carries them out. */
const FOLLOWING = ["drill"];
/** Write objects: given the kubeconfig, and nothing else is needed. */
const WRITING = ["drain", "undrain", "approve", "promote", "join", "uninstall", "abandon"];

export interface PluginFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Where GlobalRoute is installed. */
  readonly namespace: string;
}

const SELECTOR = "app.kubernetes.io/name=globalroute,app.kubernetes.io/component=controller";
const ADMIN_PORT = 8053;

/**
 * @param args the command with its arguments
 * @param run  the program itself
 * @throws CommandError when kubectl is not there, refuses, or finds no replica
 */
export async function runPlugin(
  args: readonly string[],
  flags: PluginFlags,
  io: Io,
  run: (args: readonly string[], io: Io) => Promise<ExitCode>,
): Promise<ExitCode> {
  const [command = ""] = args;
  const isGiven = (...names: readonly string[]): boolean =>
    args.some((arg) => names.some((name) => arg === name || arg.startsWith(`${name}=`)));
  // `--server` of join is the member's API server, of all others an admin API: then there is nothing to be found.
  if (isGiven("--help", "-h") || (command !== "join" && isGiven("--server"))) return run(args, io);
  if (WRITING.includes(command)) return run([...args, ...kubeFlags(args, flags)], io);
  if (FOLLOWING.includes(command)) return throughPort([...args, ...kubeFlags(args, flags)], flags, io, run);
  if (READING.includes(command)) return throughPort(args, flags, io, run);
  if (IN_PODS.includes(command)) return inPods(args, flags, io);
  return run(args, io);
}

/** What a writing command needs to find the API server; what was given to the command itself goes before. */
function kubeFlags(args: readonly string[], { kubeconfig, context, namespace }: PluginFlags): readonly string[] {
  const hub = args[0] === "join" ? "--hub-" : "--"; // its own --kubeconfig and --context are the member's
  const flags = [
    [`${hub}kubeconfig`, kubeconfig],
    [`${hub}context`, context],
    ["--namespace", namespace],
  ] as const;
  return flags.flatMap(([name, value]) => {
    const isGiven = args.some((arg) => arg === name || arg.startsWith(`${name}=`));
    return value === undefined || isGiven ? [] : [name, value];
  });
}

async function throughPort(
  args: readonly string[],
  flags: PluginFlags,
  io: Io,
  run: (args: readonly string[], io: Io) => Promise<ExitCode>,
): Promise<ExitCode> {
  const [pod] = await replicas(flags, io);
  if (pod === undefined) throw noReplica(flags);
  // Ctrl-C takes a drill back, and its report still comes this way: the forward must not hear it.
  const isApart = FOLLOWING.includes(args[0] ?? "");
  const forward = startKubectl(flags, io, ["port-forward", "--address=127.0.0.1", `pod/${pod.name}`, `:${pod.adminPort}`], isApart);
  try {
    const port = await forward.until(/^Forwarding from 127\.0\.0\.1:(\d+)/m);
    if (port === undefined) throw refused("port-forward", await forward.ended);
    return await run(args, { ...io, env: { ...io.env, GLOBALROUTE_SERVER: `http://127.0.0.1:${port}` } });
  } finally {
    forward.kill();
    await forward.ended;
  }
}

async function inPods(args: readonly string[], flags: PluginFlags, io: Io): Promise<ExitCode> {
  const pods = await replicas(flags, io);
  if (pods.length === 0) throw noReplica(flags);
  let isDone = false;
  for (const { name } of pods) {
    const { code, stdout, stderr } = await kubectl(flags, io, "exec", `pod/${name}`, "--", "node", "/app/bin/globalroute.js", ...args)
      .ended;
    io.stdout.write(`${name}: ${stdout.trim()}\n`);
    if (code === 0) isDone = true;
    else if (stderr.trim() !== "") io.stderr.write(`${name}: ${stderr.trim()}\n`);
  }
  return isDone ? 0 : 1;
}

interface Replica {
  readonly name: string;
  readonly adminPort: number;
}

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      spec: z.object({ containers: z.array(z.object({ args: z.array(z.string()).optional() })) }),
      status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional() }),
    }),
  ),
});

/** Those that run, the ready ones first. */
async function replicas(flags: PluginFlags, io: Io): Promise<readonly Replica[]> {
  const running = ["--field-selector=status.phase=Running", `--selector=${SELECTOR}`, "--output=json"];
  const got = await kubectl(flags, io, "get", "pods", ...running).ended;
  if (got.code !== 0) throw refused("get pods", got);
  const pods = podList.parse(JSON.parse(got.stdout)).items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const isReady = (pod: (typeof pods)[number]): boolean =>
    pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return [...pods.filter(isReady), ...pods.filter((pod) => !isReady(pod))].map(({ metadata, spec }) => {
    const admin = spec.containers.flatMap(({ args }) => args ?? []).find((arg) => arg.startsWith("--admin="));
    return { name: metadata.name, adminPort: Number(/:(\d+)$/.exec(admin ?? "")?.[1] ?? ADMIN_PORT) };
  });
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of kubectl. */
interface Kubectl {
  readonly ended: Promise<Ended>;
  /** First group of the first match in what it writes; undefined when it ended without one. */
  readonly until: (pattern: RegExp) => Promise<string | undefined>;
  readonly kill: () => void;
}

const kubectl = (flags: PluginFlags, io: Io, ...args: readonly string[]): Kubectl => startKubectl(flags, io, args, false);

/** @param isApart in a process group of its own, which signals from the terminal do not reach */
function startKubectl({ kubeconfig, context, namespace }: PluginFlags, io: Io, args: readonly string[], isApart: boolean): Kubectl {
  const where = [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
    `--namespace=${namespace}`,
  ];
  const child = spawn("kubectl", [...where, ...args], {
    cwd: io.cwd,
    env: { ...io.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: isApart,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", (cause) => {
      reject(new CommandError(2, `kubectl cannot be run: ${cause.message}. Install kubectl, or put it on PATH.`, { cause }));
    });
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
  ended.catch(() => {}); // whoever waits gets it
  const until = (pattern: RegExp): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(stdout)?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on("data", look);
      ended.then(() => resolve(undefined), reject);
    });
  return { ended, until, kill: () => void child.kill() };
}

const refused = (what: string, { stderr, code }: Ended): CommandError =>
  new CommandError(1, `kubectl ${what} failed (exit ${code}): ${stderr.trim() || "it said nothing"}`);

const noReplica = ({ namespace }: PluginFlags): CommandError =>
  new CommandError(
    1,
    `no replica of GlobalRoute runs in namespace ${namespace}. Name another: kubectl globalroute --namespace NAME COMMAND.`,
  );
