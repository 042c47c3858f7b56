/**
 * Lua as the content of a LUA record (https://doc.powerdns.com/authoritative/lua-records/): written from tokens, cut into character-strings
 * between them. Servers before 5.0 put spaces where strings meet, newer ones nothing, and neither knows escapes: so no token is ever cut, none
 * needs a space that it does not bring, and no text holds a quote or a backslash. Pure.
 */

/** A character-string (RFC 1035 §3.3) holds 255 bytes; transfers cut longer ones anywhere. */
const MAX_STRING = 255;
const MAX_LITERAL = 200;

/** @param text of characters that need no escape. Nobody's text ever gets here: codes, numbers and addresses of our own making do @throws RangeError for others */
export function literal(text: string): string {
  if (!/^[a-z0-9,:;.+?/ -]*$/.test(text)) throw new RangeError(`${JSON.stringify(text)} is not to be written into Lua`);
  return `'${text}'`;
}

/** A long text in pieces that are put together again. @returns tokens of one expression */
export function longLiteral(text: string): readonly string[] {
  const pieces = text.match(new RegExp(`.{1,${MAX_LITERAL}}`, "g")) ?? [""];
  return pieces.map((piece, i) => `${i === 0 ? "" : ".."}${literal(piece)}`);
}

/** Tokens of a list of texts: `{'a','b'}`. */
export const list = (texts: readonly string[]): readonly string[] => ["{", ...texts.map((text) => `${literal(text)},`), "}"];

/**
 * @param tokens of a chunk that returns what is to be answered, each with the spaces that it needs
 * @returns `A ";…" "…"`
 */
export function formatLua(type: "A" | "AAAA", tokens: readonly string[]): string {
  const strings: string[] = [];
  let open = ";"; // it is statements, not an expression
  for (const token of tokens) {
    if (token.length > MAX_STRING - 1) throw new RangeError(`a token of ${token.length} characters does not fit a character-string`);
    if (open.length + token.length > MAX_STRING) {
      strings.push(open);
      open = "";
    }
    open += token;
  }
  return `${type} ${[...strings, open].map((string) => `"${string}"`).join(" ")}`;
}
