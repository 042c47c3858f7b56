/** Reads expressions of the Common Expression Language (github.com/google/cel-spec), as CRDs use them in validation rules. */

export type Expression =
  | { readonly kind: "literal"; readonly value: null | boolean | bigint | number | string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "select"; readonly of: Expression; readonly field: string }
  | { readonly kind: "index"; readonly of: Expression; readonly index: Expression }
  | { readonly kind: "call"; readonly of?: Expression; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: "unary"; readonly operator: string; readonly of: Expression }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "choice"; readonly test: Expression; readonly yes: Expression; readonly no: Expression };

interface Token {
  readonly type: "number" | "text" | "name" | "sign" | "end";
  readonly text: string;
}

const TOKEN =
  /\s*(?:(\d+\.\d*(?:e[+-]?\d+)?|\d+u?)|([rR]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))|([A-Za-z_]\w*)|(\|\||&&|[=!<>]=|[-+*/%<>!?:.,()[\]]))/y;

/** Loosest first; all are left-associative. */
const PRECEDENCE: readonly ReadonlySet<string>[] = [
  new Set(["||"]),
  new Set(["&&"]),
  new Set(["==", "!=", "<", "<=", ">", ">=", "in"]),
  new Set(["+", "-"]),
  new Set(["*", "/", "%"]),
];

/** @throws SyntaxError for what cannot be read */
export function parseCel(source: string): Expression {
  const tokens = tokenize(source);
  let next = 0;
  const peek = (): Token => tokens[next] ?? END;
  const take = (): Token => tokens[next++] ?? END;
  const accept = (text: string): boolean => {
    const found = peek().type === "sign" && peek().text === text;
    if (found) next++;
    return found;
  };
  const expect = (text: string): void => {
    if (!accept(text)) throw new SyntaxError(`${source}: expected ${text} before ${peek().text || "the end"}`);
  };

  const expression = (): Expression => {
    const test = binary(0);
    if (!accept("?")) return test;
    const yes = expression();
    expect(":");
    return { kind: "choice", test, yes, no: expression() };
  };
  const binary = (level: number): Expression => {
    const operators = PRECEDENCE[level];
    if (operators === undefined) return unary();
    let left = binary(level + 1);
    while (peek().type !== "text" && operators.has(peek().text)) {
      const operator = take().text;
      left = { kind: "binary", operator, left, right: binary(level + 1) };
    }
    return left;
  };
  const unary = (): Expression => {
    if (accept("!")) return { kind: "unary", operator: "!", of: unary() };
    if (accept("-")) return { kind: "unary", operator: "-", of: unary() };
    return member(primary());
  };
  const member = (of: Expression): Expression => {
    if (accept("[")) {
      const index = expression();
      expect("]");
      return member({ kind: "index", of, index });
    }
    if (!accept(".")) return of;
    const { type, text: name } = take();
    if (type !== "name") throw new SyntaxError(`${source}: expected a name before ${name || "the end"}`);
    return member(accept("(") ? { kind: "call", of, name, args: list(")") } : { kind: "select", of, field: fieldName(name) });
  };
  const list = (close: string): readonly Expression[] => {
    const items: Expression[] = [];
    while (!accept(close)) {
      items.push(expression());
      if (accept(close)) break;
      expect(",");
    }
    return items;
  };
  const primary = (): Expression => {
    if (accept("(")) {
      const inner = expression();
      expect(")");
      return inner;
    }
    if (accept("[")) return { kind: "list", items: list("]") };
    const token = take();
    if (token.type === "number") return { kind: "literal", value: numberOf(token.text) };
    if (token.type === "text") return { kind: "literal", value: textOf(token.text) };
    if (token.type !== "name") throw new SyntaxError(`${source}: did not expect ${token.text || "the end"}`);
    const constant = CONSTANTS.get(token.text);
    if (constant !== undefined) return { kind: "literal", value: constant };
    return accept("(") ? { kind: "call", name: token.text, args: list(")") } : { kind: "name", name: token.text };
  };

  const whole = expression();
  if (peek().type !== "end") throw new SyntaxError(`${source}: did not expect ${peek().text}`);
  return whole;
}

const END: Token = { type: "end", text: "" };
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (source.slice(pattern.lastIndex).trim() !== "") {
    const start = pattern.lastIndex;
    const match = pattern.exec(source);
    if (match === null) throw new SyntaxError(`${source}: cannot be read from ${source.slice(start)}`);
    const [, number, text, name, sign] = match;
    if (number !== undefined) tokens.push({ type: "number", text: number });
    else if (text !== undefined) tokens.push({ type: "text", text });
    else if (name !== undefined) tokens.push({ type: "name", text: name });
    else if (sign !== undefined) tokens.push({ type: "sign", text: sign });
  }
  return tokens;
}

const numberOf = (text: string): bigint | number => (/[.e]/.test(text) ? Number(text) : BigInt(text.replace("u", "")));

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function textOf(token: string): string {
  if (/^r/i.test(token)) return token.slice(2, -1);
  return token.slice(1, -1).replace(/\\(.)/g, (_whole, letter: string) => ESCAPES[letter] ?? letter);
}

/** Property names that CEL could not say are escaped in rules: `__namespace__`, `a__dash__b`. */
const fieldName = (name: string): string =>
  name
    .replaceAll("__underscores__", "__")
    .replaceAll("__dot__", ".")
    .replaceAll("__dash__", "-")
    .replaceAll("__slash__", "/")
    .replace(/^__(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return)__$/, "$1");
