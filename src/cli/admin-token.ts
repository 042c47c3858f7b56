/** What proves to a server that an act may be done. */
import { readToken, TokenError } from "../admin/token.ts";
import { CommandError, type Io } from "./io.ts";
import { stateFolder } from "./options.ts";

/** The token, from GLOBALROUTE_TOKEN or the server's state folder. @throws CommandError */
export async function adminToken(io: Io, state: string | undefined): Promise<string> {
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
