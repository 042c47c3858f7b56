/**
 * Makes what the selection names of Envoy's published protos, which come inside npm `@grpc/grpc-js-xds`: a descriptor that protobufjs reads, and types.
 * Part of `npm run generate`.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import protobuf from "protobufjs";
import { FILES, SELECTION } from "./selection.ts";

/** Where the protos are: the development dependency, and its folders that files name each other from. */
const SOURCE = "@grpc/grpc-js-xds";
const FOLDERS = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"];

const FOLDER = "src/proxy/envoy/api/";

/** Path below the project's root → content. Throws when the selection names what is not there. */
export function envoyApiFiles(): readonly (readonly [path: string, content: string])[] {
  const root = loadProtos();
  const chosen = Object.entries(SELECTION).map(([name, words]) => choose(root.lookup(name), name, words.split(" ").filter(Boolean)));
  const json = { nested: {} };
  for (const { name, descriptor } of chosen) nest(json, name.split("."), descriptor);
  return [
    [`${FOLDER}envoy-api.json`, `${JSON.stringify(json, null, 1)}\n`],
    [`${FOLDER}envoy-api.ts`, typesPage(chosen)],
  ];
}

function loadProtos(): protobuf.Root {
  const packageFolder = (name: string): string => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const folders = [...FOLDERS.map((folder) => join(packageFolder(SOURCE), "deps", folder)), packageFolder("protobufjs")];
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (protobuf.common.get(target) !== null) return target; // inside protobufjs
    const found = folders.map((folder) => join(folder, target)).find((path) => existsSync(path));
    if (found === undefined) throw new Error(`${target} is in none of the folders of ${SOURCE}`);
    return found;
  };
  root.loadSync([...FILES], { keepCase: true }).resolveAll();
  return root;
}

interface Chosen {
  readonly name: string;
  readonly descriptor: { fields?: object; values?: object; edition?: string };
  /** TypeScript. */
  readonly lines: readonly string[];
}

function choose(object: protobuf.ReflectionObject | null, name: string, words: readonly string[]): Chosen {
  if (object instanceof protobuf.Enum) {
    const values = words.map((word) => [word, present(object.values[word], `${name}.${word}`)] as const);
    const union = words.map((word) => `"${word}"`).join(" | ");
    return {
      name,
      descriptor: { edition: "proto3", values: Object.fromEntries(values) },
      lines: [`export type ${typeName(name)} = ${union};`],
    };
  }
  if (!(object instanceof protobuf.Type)) throw new Error(`${name} is not in the protos`);
  const fields = words.map((word) => present(object.fields[word], `${name}.${word}`)).sort((a, b) => a.id - b.id);
  return {
    name,
    descriptor: { edition: "proto3", fields: Object.fromEntries(fields.map((field) => [camelCase(field.name), descriptorOf(field)])) },
    lines:
      fields.length === 0
        ? [`export type ${typeName(name)} = Readonly<Record<string, never>>;`]
        : [
            `export interface ${typeName(name)} {`,
            ...fields.map((field) => `  readonly ${camelCase(field.name)}?: ${typeOf(field)};`),
            "}",
          ],
  };
}

function descriptorOf(field: protobuf.Field): object {
  return {
    ...(field.repeated ? { rule: "repeated" } : {}),
    ...(field instanceof protobuf.MapField ? { keyType: field.keyType } : {}),
    type: field.resolvedType === null ? field.type : fullName(field.resolvedType),
    id: field.id,
  };
}

function typeOf(field: protobuf.Field): string {
  const one = field.resolvedType === null ? scalar(field.type) : typeName(fullName(field.resolvedType));
  if (field instanceof protobuf.MapField) return `Readonly<Record<string, ${one}>>`;
  return field.repeated ? `readonly ${one}[]` : one;
}

function scalar(type: string): string {
  if (type === "string") return "string";
  if (type === "bool") return "boolean";
  return type === "bytes" ? "Uint8Array" : "number";
}

/** `envoy.config.cluster.v3.Cluster.LbPolicy` is ClusterLbPolicy; a second one of a name has its package's in front: MutationRulesHeaderMutation. */
function typeName(name: string): string {
  const short = shortName(name);
  const first = Object.keys(SELECTION).find((other) => shortName(other) === short);
  if (first === name) return short;
  const [own = ""] = /\w+(?=\.v\d+\.)/.exec(name) ?? [];
  return `${camelCase(`_${own}`)}${short}`;
}

const shortName = (name: string): string =>
  name
    .split(".")
    .filter((part) => /^[A-Z]/.test(part))
    .join("");

function fullName(object: protobuf.ReflectionObject): string {
  const name = object.fullName.slice(1);
  if (!(name in SELECTION)) throw new Error(`${name} is needed, but the selection does not name it`);
  return name;
}

function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`${name} is not in the protos`);
  return value;
}

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

interface Nest {
  nested?: Record<string, Nest>;
}

function nest(into: Nest, [first, ...rest]: readonly string[], descriptor: object): void {
  into.nested ??= {};
  const inner = into.nested[first!] ?? {};
  into.nested[first!] = rest.length === 0 ? { ...inner, ...descriptor } : inner;
  if (rest.length > 0) nest(inner, rest, descriptor);
}

const typesPage = (chosen: readonly Chosen[]): string =>
  [
    "/** Made by `npm run generate` from selection.ts and the protos of Envoy: do not edit. */",
    ...chosen.flatMap(({ name, lines }) => ["", `/** ${name} */`, ...lines]),
    "",
    "/** By full name. */",
    "export interface EnvoyMessages {",
    ...chosen.filter(({ descriptor }) => descriptor.fields !== undefined).map(({ name }) => `  readonly "${name}": ${typeName(name)};`),
    "}",
    "",
  ].join("\n");
