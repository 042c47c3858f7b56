/** Code that runs in a Node process before its program: what a test does to one process, and to no other. */

/** Environment of a process that loads these modules first. @param scripts texts of JavaScript modules */
export const preload = (...scripts: readonly string[]): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: scripts.map((script) => `--import=data:text/javascript;base64,${Buffer.from(script).toString("base64")}`).join(" "),
});
