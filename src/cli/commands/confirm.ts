/** `globalroute confirm`: lets inputs through that the guard holds back because too much vanished at once. */
import type { Command } from "commander";
import { confirmSchema } from "../../admin/api-schemas.ts";
import { readToken, TokenError } from "../../admin/token.ts";
import { createApiClient } from "../api-client.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { examples, type OutputFormat, outputOption, print, serverOption, stateFolder, stateOption } from "../options.ts";

export function registerConfirm(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("confirm")
    .description(
      "accept inputs that are held back because many routes, clusters, endpoints or zones vanished at once; exit 1 when nothing is held",
    )
    .addOption(serverOption())
    .addOption(stateOption())
    .addOption(outputOption())
    .action(async (options: { server?: string; state?: string; output: OutputFormat }) => {
      const token = await adminToken(io, options.state);
      const answer = await createApiClient(io, options.server).post("/v1/confirm", token, confirmSchema);
      print(io, options.output, answer, ({ accepted }) => (accepted.length === 0 ? ["Nothing was held back."] : accepted));
      if (answer.accepted.length === 0) exit(1);
    });
  examples(command, ["globalroute status          # says `inputs-held` and what would vanish", "globalroute confirm"]);
}

/** The token, from GLOBALROUTE_TOKEN or the server's state folder. */
async function adminToken(io: Io, state: string | undefined): Promise<string> {
  const fromEnvironment = io.env.GLOBALROUTE_TOKEN?.trim() ?? "";
  if (!/^[\x21-\x7e]*$/.test(fromEnvironment))
    throw new CommandError(
      2,
      "GLOBALROUTE_TOKEN holds characters that no token has. Give it the content of admin.token in the server's state folder.",
    );
  if (fromEnvironment !== "") return fromEnvironment;
  try {
    return await readToken(stateFolder(state, io));
  } catch (error) {
    if (error instanceof TokenError)
      throw new CommandError(1, `${error.message} GLOBALROUTE_TOKEN can hold the token instead.`, { cause: error });
    throw error;
  }
}
