/** `globalroute confirm`: lets inputs through that the guard holds back because too much vanished at once. */
import type { Command } from "commander";
import { confirmSchema } from "../../admin/api-schemas.ts";
import { adminToken } from "../admin-token.ts";
import { createApiClient } from "../api-client.ts";
import type { Cli } from "../io.ts";
import { examples, type OutputFormat, outputOption, print, serverOption, stateOption } from "../options.ts";

export function registerConfirm(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("confirm")
    .summary("accept inputs that are held back")
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
