/** The command line: which commands there are, and what becomes of their errors. The composition root. */
import { Command, CommanderError } from "commander";
import { printable } from "../model/printable.ts";
import { registerAbandon } from "./commands/abandon.ts";
import { registerApply } from "./commands/apply.ts";
import { registerApprove } from "./commands/approve.ts";
import { registerCheckZone } from "./commands/check-zone.ts";
import { registerCompletion } from "./commands/completion.ts";
import { registerConfirm } from "./commands/confirm.ts";
import { registerController } from "./commands/controller.ts";
import { registerDnssec } from "./commands/dnssec.ts";
import { registerDrain } from "./commands/drain.ts";
import { registerDrill } from "./commands/drill.ts";
import { registerExplain } from "./commands/explain.ts";
import { registerJoin } from "./commands/join.ts";
import { registerKubectl } from "./commands/kubectl.ts";
import { registerPlan } from "./commands/plan.ts";
import { registerPromote } from "./commands/promote.ts";
import { registerServe } from "./commands/serve.ts";
import { registerSimulate } from "./commands/simulate.ts";
import { registerStatus } from "./commands/status.ts";
import { registerTimeline } from "./commands/timeline.ts";
import { registerTop } from "./commands/top.ts";
import { registerUninstall } from "./commands/uninstall.ts";
import { registerValidate } from "./commands/validate.ts";
import { registerVantage } from "./commands/vantage.ts";
import { registerDemo } from "./demo/register.ts";
import { CommandError, type ExitCode, type Io, processIo } from "./io.ts";
import { examples } from "./options.ts";
import { paintFor } from "./text.ts";
import { version } from "./version.ts";

/**
 * Runs one command.
 *
 * @param args what stands behind the program's name
 * @returns 0 done, 1 negative answer, 2 bad usage or bad input
 */
export async function main(args: readonly string[], io: Io = processIo()): Promise<ExitCode> {
  const { rest, world } = withoutColour(args, io);
  if (rest.length === 0) {
    io.stderr.write(`${firstSteps.join("\n")}\n`);
    return 2;
  }
  return run(rest, world);
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // help and version end with 0, and have been printed
    if (error instanceof CommandError) {
      io.stderr.write(`globalroute: ${error.message.split("\n").map(printable).join("\n")}\n`);
      return error.exitCode;
    }
    // A bug: its place matters more than good manners.
    io.stderr.write(`globalroute: ${error instanceof Error ? error.stack : error}\n`);
    return 1;
  }
}

/** `--no-color` may stand anywhere before `--`, and is what NO_COLOR is. */
function withoutColour(args: readonly string[], io: Io): { readonly rest: readonly string[]; readonly world: Io } {
  const end = args.indexOf("--");
  const isOption = (arg: string, at: number): boolean => arg === NO_COLOUR && (end < 0 || at < end);
  const rest = args.filter((arg, at) => !isOption(arg, at));
  return { rest, world: rest.length === args.length ? io : { ...io, env: { ...io.env, NO_COLOR: "1" } } };
}

const NO_COLOUR = "--no-color";

function programOf(command: Command): Command {
  return command.parent === null ? command : programOf(command.parent);
}

/** What somebody needs who typed the program's name to see what happens. */
const firstSteps: readonly string[] = [
  "GlobalRoute steers the users of a service that runs in many clusters to the nearest healthy one, by DNS.",
  "",
  "  globalroute demo                             try it: a world of five sites on this machine",
  "  globalroute validate DIR                     what is wrong in a folder of objects",
  "  globalroute serve --config DIR               answer DNS by them",
  "  globalroute status --watch                   what is healthy, and who is served where",
  "  globalroute explain HOST --client IP         why a client is sent where it is",
  "  globalroute drain CLUSTER --reason TEXT --for 1h",
  "",
  "All commands: globalroute --help. One of them: globalroute COMMAND --help.",
];

/** The whole tree of commands, none of them run. */
export function createProgram(io: Io, exit: (code: ExitCode) => void): Command {
  const hasColors = paintFor(io.stdout, io.env)("bold", "") !== "";
  const program = new Command("globalroute")
    .description("Steers the users of a service that runs in many clusters to the nearest healthy one, by DNS.")
    .version(version(), "-V, --version", "print the version")
    .option(NO_COLOUR, "no colours; as NO_COLOR=1")
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) =>
        command.parent === null ? [] : programOf(command).options.filter(({ long }) => long === NO_COLOUR),
    })
    .showHelpAfterError("(add --help for what there is)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => hasColors,
      getErrHasColors: () => hasColors,
    });
  examples(program, [
    "globalroute demo                                     a world of five sites to play with",
    "globalroute validate examples/quickstart             what is wrong in a folder of objects",
    "globalroute serve --config examples/quickstart       answer DNS by them",
    "globalroute explain shop.example.org --client 192.0.2.1",
  ]);
  const cli = { io, exit };
  const help = new Command("help").argument("[command]", "one of them").summary("tell how a command is used").helpOption(false);
  program.addHelpCommand(help.helpGroup("More:"));
  program.commandsGroup("Start here:");
  registerDemo(program, cli);
  registerValidate(program, cli);
  registerServe(program, cli);
  program.commandsGroup("Look:");
  registerStatus(program, cli);
  registerTop(program, cli);
  registerTimeline(program, cli);
  registerExplain(program, cli);
  registerSimulate(program, cli);
  registerCheckZone(program, cli);
  program.commandsGroup("Act:");
  registerDrain(program, cli);
  registerDrill(program, cli);
  registerApprove(program, cli);
  registerPromote(program, cli);
  registerConfirm(program, cli);
  registerPlan(program, cli);
  registerApply(program, cli);
  program.commandsGroup("Many clusters:");
  registerController(program, cli);
  registerJoin(program, cli);
  registerVantage(program, cli);
  registerKubectl(program, cli, main);
  registerUninstall(program, cli);
  registerAbandon(program, cli);
  program.commandsGroup("More:");
  registerDnssec(program, cli);
  registerCompletion(program, cli);
  return program;
}
