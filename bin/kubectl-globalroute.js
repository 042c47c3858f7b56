#!/usr/bin/env node
// `kubectl globalroute …`: kubectl finds this file by its name on PATH. It is the command `kubectl` of the program itself.
process.argv.splice(2, 0, "kubectl");
await import("./globalroute.js");
