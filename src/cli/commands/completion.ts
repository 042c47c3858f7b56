/** `globalroute completion SHELL`: the script that a shell completes lines with; and, for that script, what may stand next. */
import { type Command, InvalidArgumentError } from "commander";
import { didYouMean } from "../../model/nearest-word.ts";
import { printable } from "../../model/printable.ts";
import { complete } from "../complete.ts";
import type { Cli, Io } from "../io.ts";
import { examples } from "../options.ts";
import { serverNames } from "../server-names.ts";
import { ASK_SHELL, SCRIPTS, SHELLS, type Shell } from "../shell-scripts.ts";

/** What fits beside a choice. */
const SUMMARY = 70;

export function registerCompletion(program: Command, { io }: Cli): void {
  const command = program
    .command("completion")
    .summary("print the script that completes lines in a shell")
    .description(
      "print the script by which a shell completes commands, options, and the names of clusters, routes, hosts and zones that the running server knows",
    )
    .argument("<shell>", SHELLS.join(", "), parseShell)
    .action((shell: Shell) => void io.stdout.write(SCRIPTS[shell]));
  // For the scripts alone; it says nothing that is not asked, and never fails.
  command
    .command("words", { hidden: true })
    .argument("[words...]")
    .action(async (words: readonly string[]) => {
      for (const line of await completeLines(program, words, io)) io.stdout.write(`${line}\n`);
    });
  examples(command, [
    "globalroute completion bash > /etc/bash_completion.d/globalroute",
    'globalroute completion zsh > "$HOME/.zsh/completions/_globalroute"    # a folder of $fpath',
    "globalroute completion fish > ~/.config/fish/completions/globalroute.fish",
  ]);
}

async function completeLines(program: Command, words: readonly string[], io: Io): Promise<readonly string[]> {
  const { choices, names, paths, prefix, typed } = complete(program, words);
  if (paths !== undefined) return [ASK_SHELL[paths]];
  const known = names === undefined ? [] : await serverNames(names, optionOf(words, "--server"), io);
  return [...choices, ...known.filter(({ value }) => value.startsWith(typed))].map(
    ({ value, summary }) => `${prefix}${value}\t${printable(summary).slice(0, SUMMARY)}`,
  );
}

/** Value of an option that is written on the line, be it `--name value`, `--name=value` or bash's `--name = value`. */
function optionOf(words: readonly string[], name: string): string | undefined {
  const at = words.findIndex((word) => word === name || word.startsWith(`${name}=`));
  if (at < 0) return undefined;
  if (words[at] !== name) return words[at]?.slice(name.length + 1);
  return words[at + 1] === "=" ? words[at + 2] : words[at + 1];
}

function parseShell(text: string): Shell {
  const shell = SHELLS.find((one) => one === text);
  if (shell !== undefined) return shell;
  throw new InvalidArgumentError(`${didYouMean(text, SHELLS)}There are ${SHELLS.join(", ")}.`);
}
