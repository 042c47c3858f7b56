/**
 * `npm run image:root -- DIR`: the files of the container image, below a folder that must be new or empty: `app/` (the package and what it
 * needs) and `nodejs/bin/node`. Everything comes from this checkout as `npm ci` left it, so that what was tested is what runs. The Dockerfile
 * copies them onto a base that has a C library and nothing else.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { imagePackages, lockfileSchema } from "./image-packages.ts";

const root = join(import.meta.dirname, "..", "..");

/** For editors and debuggers only. */
const isForDevelopment = (path: string): boolean => /\.(?:d\.[cm]?ts|[cm]?ts|map|md)$/i.test(path) && !/licen[cs]e|notice/i.test(path);

function main(): number {
  const [folder, ...rest] = process.argv.slice(2);
  if (folder === undefined || rest.length > 0) return refuse("no folder, or several. Run `npm run image:root -- DIR`");
  const image = resolve(folder);
  if (existsSync(image) && readdirSync(image).length > 0) return refuse(`${image} is not empty. Name a new folder`);
  if (!existsSync(join(root, "dist", "package.json"))) return refuse("dist/ is missing. Run `npm run build`");
  const node = bundledNode();
  if (node === undefined)
    return refuse(`there is no Node for ${process.platform}-${process.arch} in node_modules. Run \`npm ci\` on Linux`);

  cpSync(join(root, "dist"), join(image, "app"), { recursive: true });
  const { packages } = lockfileSchema.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  for (const path of imagePackages(packages)) copyPackage(path, join(image, "app", path));
  mkdirSync(join(image, "nodejs", "bin"), { recursive: true });
  cpSync(node, join(image, "nodejs", "bin", "node"));
  chmodSync(join(image, "nodejs", "bin", "node"), 0o755);
  process.stdout.write(`${image} holds the image's files.\n`);
  return 0;
}

/** Without the packages below it, each of which is copied for itself. */
function copyPackage(path: string, to: string): void {
  const from = join(root, path);
  if (!existsSync(from)) return; // of another platform
  cpSync(from, to, { recursive: true, filter: (source) => source !== join(from, "node_modules") && !isForDevelopment(source) });
}

function bundledNode(): string | undefined {
  try {
    const path = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`);
    return join(dirname(path), "bin", "node");
  } catch {
    return undefined; // an optional package: npm leaves it out on platforms that the lockfile does not name
  }
}

function refuse(message: string): number {
  process.stderr.write(`image:root: ${message}.\n`);
  return 2;
}

process.exitCode = main();
