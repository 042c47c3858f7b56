/** One attack in a process of its own: `fork(…, [NAME, PLAIN_PORT, TLS_PORT])`. Says when it begins. Told to stop by any message, it answers with its tally. */
import { ATTACKS, type Tally } from "./attacks.ts";

const [name = "", plain, tls] = process.argv.slice(2);
const tally: Tally = { opened: 0, refused: 0, taken: 0 };
let isOver = false;
process.on("message", () => {
  isOver = true;
  process.send?.(tally);
  process.disconnect();
});
process.on("disconnect", () => process.exit());
process.send?.("begun");
await ATTACKS[name]!({ plain: Number(plain), tls: Number(tls) }, tally, () => isOver);
