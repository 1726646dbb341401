import { render } from "preact";
import { App } from "./app.tsx";
import { open } from "./state.ts";

render(<App />, document.getElementById("page")!);

void open().then(() => {
  // After the first question is there: storing the page for later must not slow it down.
  if ("serviceWorker" in navigator) void navigator.serviceWorker.register("offline.js").catch(() => {});
});
