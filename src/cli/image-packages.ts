/** Which of the packages in `node_modules` the program needs when it runs. */
import { z } from "zod";

const names = z.record(z.string(), z.string()).optional();

/** As much of package-lock.json (version 3) as is asked here. */
export const lockfileSchema = z.object({
  packages: z.record(z.string(), z.object({ dependencies: names, optionalDependencies: names, peerDependencies: names })),
});

type Packages = Readonly<z.infer<typeof lockfileSchema>["packages"]>;

/**
 * Walks from the dependencies of the project itself; its development and its optional packages (programs of developers) are left out.
 *
 * @param packages by path, `node_modules/a/node_modules/b`; `""` is the project
 * @returns their paths, sorted. Optional ones of other platforms are among them, and may not be installed.
 */
export function imagePackages(packages: Packages): readonly string[] {
  const found = new Set<string>();
  const visit = (from: string, names: Readonly<Record<string, string>> | undefined): void => {
    for (const name of Object.keys(names ?? {})) {
      const path = resolvePackage(packages, from, name);
      if (path === undefined || found.has(path)) continue;
      found.add(path);
      const entry = packages[path];
      for (const more of [entry?.dependencies, entry?.optionalDependencies, entry?.peerDependencies]) visit(path, more);
    }
  };
  visit("", packages[""]?.dependencies);
  return [...found].sort();
}

/** As Node looks: below the package itself, then below each folder around it. */
function resolvePackage(packages: Packages, from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const path = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (path in packages) return path;
    if (at === "") return undefined;
  }
}
