import { signal } from "@preact/signals";
import { proxy, type Remote, wrap } from "comlink";
import { render } from "preact";
import type { BenchDevice, BenchRow } from "../shared/protocol.ts";
import type { BenchSession } from "../worker/bench.ts";
import { text } from "./settings.ts";
import { ownWorker } from "./trusted.ts";

/* The page /bench: the microbenchmarks on this device. */

const device = signal<BenchDevice | null>(null);
const rows = signal<readonly BenchRow[]>([]);
const running = signal<string | null>(null);
const failure = signal("");

async function run(): Promise<void> {
  rows.value = [];
  failure.value = "";
  running.value = "";
  const worker = ownWorker("bench-worker.js");
  try {
    const api: Remote<BenchSession> = wrap<BenchSession>(worker);
    device.value = await api.open();
    await api.run(
      proxy((op: string) => {
        running.value = op;
      }),
      proxy((row: BenchRow) => {
        rows.value = [...rows.value, row];
      }),
    );
  } catch (error) {
    failure.value = error instanceof Error ? error.message : String(error);
  } finally {
    running.value = null;
    worker.terminate();
  }
}

function Page() {
  const t = text.value.bench;
  const found = device.value;
  return (
    <main class="bench">
      <p>
        <a href="../#engine">← {t.back}</a>
      </p>
      <h1>{t.title}</h1>
      <p class="about">{t.about}</p>
      <p>
        <button type="button" class="right" onClick={run} disabled={running.value !== null}>
          {t.run}
        </button>
      </p>
      <p role="status">
        {failure.value || (running.value === null ? "" : t.running(running.value || text.value.engine.adapter))}
      </p>
      {found && (
        <p>
          <b>{found.adapter}</b>. {t.best(found.gflops.toFixed(1), found.gbs.toFixed(1))}
        </p>
      )}
      {rows.value.length > 0 && (
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">{t.op}</th>
              <th scope="col">{t.shape}</th>
              <th scope="col">{t.median}</th>
              <th scope="col">{t.gflops}</th>
              <th scope="col">{t.share}</th>
              <th scope="col">{t.dispatches}</th>
            </tr>
          </thead>
          <tbody>
            {rows.value.map(({ op, shape, ms, gflops, share, dispatches, error }) => (
              <tr key={op + shape}>
                <th scope="row">{op}</th>
                <td>{shape}</td>
                <td>{error ?? ms?.toFixed(2)}</td>
                <td>{gflops?.toFixed(2)}</td>
                <td>{share === null ? "" : text.value.percent(share, 1)}</td>
                <td>{dispatches}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </main>
  );
}

render(<Page />, document.getElementById("page")!);
