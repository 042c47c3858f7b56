/** Starts the dashboard in the browser: the only file that touches the browser's clock, network and storage at load. */
import { render } from "preact";
import { createApi } from "./api.ts";
import { App } from "./app.tsx";
import { createLive, type EventStream } from "./live.ts";
import { STREAM_KINDS } from "./model/stream-kinds.ts";

const api = createApi((...request) => fetch(...request));
const live = createLive({
  api,
  open: (): EventStream => new EventSource("v1/stream"),
  now: () => Date.now(),
  setTimer(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
  isVisible: () => document.visibilityState === "visible",
  kinds: STREAM_KINDS,
});
const place = document.getElementById("app");
if (place === null) throw new Error("index.html has no #app");
place.replaceChildren();
render(<App api={api} live={live} />, place);
