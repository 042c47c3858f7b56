import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createSimulatedClock } from "../../../test/support/simulated-clock.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { ms } from "../../model/units.ts";
import { askHaproxy } from "./runtime-socket.ts";

/** @param answer of a whole question, or what is done instead */
async function listening(answer: (question: string, socket: Socket) => void) {
  const path = join(await tempFolder(), "admin.sock");
  const server = createServer((socket) => {
    let question = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      question += String(chunk);
      if (question.endsWith("\n")) answer(question, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  const clock = createSimulatedClock();
  return { at: { path }, timeout: 1000, setTimer: (delay: number, callback: () => void) => clock.setTimer(ms(delay), callback), clock };
}

test("a command and its whole answer, in however many parts", async () => {
  const options = await listening((question, socket) => {
    socket.write(`asked ${question}`);
    setImmediate(() => socket.end("and more\n\n"));
  });
  expect(await askHaproxy("show info", options)).toBe("asked show info\nand more\n\n");
  expect(options.clock.pending()).toBe(0);
});

test("a payload ends with an empty line", async () => {
  const options = await listening((question, socket) => socket.end(JSON.stringify(question)));
  expect(await askHaproxy("add map @1 /hosts.map <<\na b\n", options)).toBe(JSON.stringify("add map @1 /hosts.map <<\na b\n\n"));
});

test("nobody there", async () => {
  const options = await listening(() => {});
  await expect(askHaproxy("show info", { ...options, at: { path: `${options.at.path}.gone` } })).rejects.toMatchObject({
    code: "unreachable",
  });
});

test("nobody answers in time", async () => {
  const asked = Promise.withResolvers<void>();
  const options = await listening(() => asked.resolve());
  const answer = askHaproxy("show info", options);
  answer.catch(() => {});
  await asked.promise;
  await options.clock.advance(1000);
  await expect(answer).rejects.toMatchObject({ code: "silent" });
});
