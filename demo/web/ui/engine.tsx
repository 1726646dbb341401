import { signal } from "@preact/signals";
import type { EngineReport } from "../shared/protocol.ts";
import { text } from "./settings.ts";
import { api, fail } from "./state.ts";

const report = signal<EngineReport | null>(null);
const measuring = signal(false);

async function measure(): Promise<void> {
  measuring.value = true;
  try {
    report.value = await api.profile();
  } catch (error) {
    fail(error);
  } finally {
    measuring.value = false;
  }
}

/** What computes here: the adapter, and one training step taken apart. */
export function Engine() {
  const t = text.value.engine;
  const shown = report.value;
  return (
    <section class="engine">
      <h1>{t.title}</h1>
      <p class="about">{t.about}</p>
      <p>
        <button type="button" class="quiet" onClick={measure} disabled={measuring.value}>
          {measuring.value ? t.measuring : t.measure}
        </button>{" "}
        <span class="soft">{t.measureAbout}</span>
      </p>
      {shown && <Report report={shown} />}
      <h2>{t.bench}</h2>
      <p>
        <a href="bench/">{t.benchAbout}</a>
      </p>
      <h2>{t.lose}</h2>
      <p>{t.loseAbout}</p>
      <button type="button" class="quiet" onClick={() => api.loseDevice().catch(fail)}>
        {t.lose}
      </button>
    </section>
  );
}

function Report({ report }: { report: EngineReport }) {
  const t = text.value.engine;
  const facts: [string, string][] = [
    [t.adapter, report.adapter],
    [t.parameters, report.parameters.toLocaleString("en")],
    [t.dispatches, String(report.dispatches)],
    [t.submits, String(report.submits)],
    [t.created, String(report.created)],
    [t.host, `${report.hostMs.toFixed(1)} ms`],
    [t.bytes, `${(report.bytes / 1e6).toFixed(1)} MB`],
  ];
  const total = report.kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h2>{t.kernels}</h2>
      <table class="level kernels">
        <thead>
          <tr>
            <th scope="col">{t.kernel}</th>
            <th scope="col">{t.count}</th>
            <th scope="col">{t.time}</th>
            <th scope="col">{t.share}</th>
          </tr>
        </thead>
        <tbody>
          {report.kernels.map(({ kernel, count, milliseconds }) => (
            <tr key={kernel}>
              <th scope="row">{kernel}</th>
              <td>{count}</td>
              <td>{milliseconds.toFixed(2)}</td>
              <td class="track">
                <span class="bar" style={{ width: `${(100 * milliseconds) / total}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
