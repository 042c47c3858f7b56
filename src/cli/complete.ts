/** What may stand next on a command line, read from the tree of commands itself. Pure. */
import type { Argument, Command, Option } from "commander";
import { EVENT_KINDS } from "../observe/timeline.ts";

/** Names that only a running server knows. */
export type Names = "clusters" | "routes" | "hosts" | "zones" | "targets";

export interface Choice {
  readonly value: string;
  readonly summary: string;
}

export interface Completion {
  readonly choices: readonly Choice[];
  readonly names?: Names;
  readonly paths?: "files" | "folders";
  /** Stands before every choice: `--output=`. */
  readonly prefix: string;
  /** What has been typed of the word, without the prefix. */
  readonly typed: string;
}

/** By what commands call the value in their help. */
const BY_METAVAR: Readonly<Record<string, Pick<Completion, "names" | "paths"> | { readonly values: readonly string[] }>> = {
  dir: { paths: "folders" },
  file: { paths: "files" },
  path: { paths: "files" },
  cluster: { names: "clusters" },
  route: { names: "routes" },
  host: { names: "hosts" },
  zones: { names: "zones" },
  domain: { names: "zones" },
  target: { names: "targets" },
  events: { values: EVENT_KINDS },
};

/**
 * @param words behind the program's name, up to the cursor; the last one is what is being typed, and may be empty. An `=` may stand alone,
 *              as bash hands it over
 */
export function complete(program: Command, words: readonly string[]): Completion {
  const typed = words.at(-1) ?? "";
  let command = program;
  let given = 0;
  let pending: Option | undefined;
  let onlyArguments = false;
  for (const word of words.slice(0, -1)) {
    if (word === "=" && pending !== undefined) continue;
    if (pending !== undefined) {
      pending = undefined;
    } else if (!onlyArguments && word === "--") {
      onlyArguments = true;
    } else if (!onlyArguments && word.startsWith("-")) {
      const option = findOption(command, word);
      if (option !== undefined && takesValue(option) && !word.includes("=")) pending = option;
    } else {
      const next = given === 0 ? command.commands.find((one) => one.name() === word || one.aliases().includes(word)) : undefined;
      if (next === undefined) given++;
      else command = next;
    }
  }
  if (pending !== undefined) return valuesOf(pending, pending.flags, "", typed === "=" ? "" : typed);
  const assigned = /^(--[a-z-]+=)(.*)$/.exec(typed);
  if (!onlyArguments && assigned !== null) {
    const [, prefix = "", rest = ""] = assigned;
    const option = findOption(command, prefix);
    return option === undefined ? { choices: [], prefix, typed: rest } : valuesOf(option, option.flags, prefix, rest);
  }
  if (!onlyArguments && typed.startsWith("-")) return { choices: optionChoices(program, command, typed), prefix: "", typed };
  return argumentChoices(command, given, typed);
}

const takesValue = (option: Option): boolean => option.required || option.optional;

function findOption(command: Command, word: string): Option | undefined {
  const flag = word.replace(/=.*$/, "");
  return command.options.find((option) => option.long === flag || option.short === flag);
}

function optionChoices(program: Command, command: Command, typed: string): readonly Choice[] {
  const own = command === program ? command.options : [...command.options, ...program.options.filter(({ long }) => long === "--no-color")];
  return [
    ...own.filter(({ hidden }) => !hidden).map(({ long, short, description }) => ({ value: long ?? short ?? "", summary: description })),
    { value: "--help", summary: "how it is used" },
  ].filter(({ value }) => value.startsWith(typed));
}

function argumentChoices(command: Command, given: number, typed: string): Completion {
  const commands = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), summary: one.summary() || one.description() }));
  if (given === 0 && commands.length > 0) return { choices: begun(commands, typed), prefix: "", typed };
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[given] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? { choices: [], prefix: "", typed } : valuesOf(argument, `<${argument.name()}>`, "", typed);
}

/** @param flags in which the value's name stands in angle brackets */
function valuesOf({ argChoices }: Option | Argument, flags: string, prefix: string, typed: string): Completion {
  const metavar = /[<[]([a-z]+)/.exec(flags)?.[1] ?? "";
  const known = BY_METAVAR[metavar] ?? {};
  const values = argChoices ?? ("values" in known ? known.values : []);
  const choices = begun(
    values.map((value) => ({ value, summary: "" })),
    typed,
  );
  return { choices, prefix, typed, ...("values" in known ? {} : known) };
}

const begun = (choices: readonly Choice[], typed: string): readonly Choice[] => choices.filter(({ value }) => value.startsWith(typed));
