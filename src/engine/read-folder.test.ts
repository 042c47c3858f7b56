import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FOLDER_LIMITS, readFolder } from "./read-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-folder-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (path: string, text: string | Uint8Array = `kind: ${path}\n`): string => {
  const at = join(folder, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, text);
  return at;
};
const link = (target: string, path: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(target, join(folder, path));
};

/** What was read, by path below the folder, and the code and path of each problem. */
async function read(path = folder, limits = FOLDER_LIMITS) {
  const { files, problems } = await readFolder(path, limits);
  const below = (at: string) => at.slice(folder.length + 1);
  for (const problem of problems) expect(problem.remedy).toMatch(/^[A-Z].*\.$/);
  return { files: files.map((file) => below(file.path)), problems: problems.map(({ code, file }) => `${code} ${below(file)}`) };
}

test("YAML files at any depth, in an order that does not depend on the disk", async () => {
  for (const path of ["z.yaml", "b/two.yml", "b/one.yaml", "a.yaml", "notes.txt", "b/c/d/deep.yaml", "yaml", "a.yaml.bak"]) write(path);
  expect(await read()).toEqual({ files: ["a.yaml", "b/c/d/deep.yaml", "b/one.yaml", "b/two.yml", "z.yaml"], problems: [] });
});

test("the text is there as it was written, without a byte order mark", async () => {
  write("a.yaml", "\ufeffkind: Zoë\n");
  expect((await readFolder(folder)).files).toEqual([{ path: join(folder, "a.yaml"), text: "kind: Zoë\n" }]);
});

test("a single file may have any name", async () => {
  expect(await read(write("objects.txt"))).toEqual({ files: ["objects.txt"], problems: [] });
});

test("a mounted ConfigMap is read once, by the names that the user sees", async () => {
  write("..2026_11_21/route.yaml");
  link("..2026_11_21", "..data");
  link("..data/route.yaml", "route.yaml");
  expect(await read()).toEqual({ files: ["route.yaml"], problems: [] });
});

test("hidden files and folders are somebody else's", async () => {
  for (const path of [".git/config.yaml", ".a.yaml.swp", ".hidden.yaml", "a.yaml"]) write(path);
  expect((await read()).files).toEqual(["a.yaml"]);
});

test("links out of the folder are followed, and what is reached twice is read once", async () => {
  const outside = mkdtempSync(join(tmpdir(), "globalroute-outside-"));
  writeFileSync(join(outside, "shared.yaml"), "");
  write("a.yaml");
  link(join(outside, "shared.yaml"), "linked.yaml");
  link(outside, "more");
  link("a.yaml", "z.yaml");
  expect(await read()).toEqual({ files: ["a.yaml", "linked.yaml"], problems: [] });
  rmSync(outside, { recursive: true });
});

test("links in a circle end, and are named", async () => {
  write("sub/a.yaml");
  link("..", "sub/up");
  link("self", "self");
  expect(await read()).toEqual({ files: ["sub/a.yaml"], problems: ["path-missing self", "link-loop sub/up"] });
});

test("a link to nothing is named", async () => {
  write("a.yaml");
  link("gone.yaml", "b.yaml");
  expect(await read()).toEqual({ files: ["a.yaml"], problems: ["path-missing b.yaml"] });
});

test("one bad file does not hide the others", async () => {
  write("a.yaml");
  write("latin.yaml", Uint8Array.from([0x6b, 0x3a, 0x20, 0xe9]));
  truncateSync(write("large.yaml"), 10 * 1024 * 1024);
  execFileSync("mkfifo", [join(folder, "pipe.yaml")]); // would block whoever opens it
  write("z.yaml");
  expect(await read()).toEqual({
    files: ["a.yaml", "z.yaml"],
    problems: ["file-size large.yaml", "file-encoding latin.yaml", "file-unreadable pipe.yaml"],
  });
});

test.skipIf(process.getuid?.() === 0)("what may not be read is named (not as root, who may read everything)", async () => {
  write("a.yaml");
  chmodSync(write("closed.yaml"), 0);
  write("closed/b.yaml");
  chmodSync(join(folder, "closed"), 0);
  expect((await read()).problems).toEqual(["file-unreadable closed", "file-unreadable closed.yaml"]);
  chmodSync(join(folder, "closed"), 0o700);
});

test.each([
  { name: "a path that does not exist", path: "missing", code: "path-missing missing" },
  { name: "an empty folder", path: "empty", code: "folder-empty empty" },
  { name: "a folder without YAML", path: "texts", code: "folder-empty texts" },
])("$name is a problem, not an empty world", async ({ path, code }) => {
  mkdirSync(join(folder, "empty"));
  write("texts/readme.txt");
  expect(await read(join(folder, path))).toEqual({ files: [], problems: [code] });
});

describe("files that hold no object", () => {
  const texts = ["", "\n\n", "# kind: GlobalRoute\n", "%YAML 1.2\n--- # nothing\n\t\r\n...\n", "---\n  # a\n---\nnull\n"];
  test.each(texts)("%j alone are a problem, not an empty world", async (text) => {
    write("a.yaml", text);
    write("b/c.yaml", text);
    expect(await read()).toEqual({ files: ["a.yaml", "b/c.yaml"], problems: ["folder-empty "] });
    expect(await read(join(folder, "a.yaml"))).toEqual({ files: ["a.yaml"], problems: ["folder-empty a.yaml"] });
  });

  test.each(texts)("%j is nothing to speak of beside one that does", async (text) => {
    write("a.yaml", text);
    write("b.yaml", "# the cluster\n---\nkind: MemberCluster\n");
    expect((await read()).problems).toEqual([]);
  });

  test("are not spoken of beside an error, which may hide the objects", async () => {
    write("a.yaml", "# nothing\n");
    link("gone.yaml", "b.yaml");
    expect((await read()).problems).toEqual(["path-missing b.yaml"]);
  });

  test("are told beside a warning", async () => {
    mkdirSync(join(folder, "sub"));
    link("..", "sub/up");
    expect((await read()).problems).toEqual(["link-loop sub/up", "folder-empty "]);
  });
});

test.each([
  { name: "too many files", limits: { files: 2, totalBytes: 1000 } },
  { name: "too many bytes", limits: { files: 100, totalBytes: 20 } },
])("$name end the reading with one problem", async ({ limits }) => {
  for (const path of ["a.yaml", "b.yaml", "c.yaml", "d/e.yaml"]) write(path, "0123456789");
  expect(await read(folder, limits)).toEqual({ files: ["a.yaml", "b.yaml"], problems: ["folder-limit "] });
});
