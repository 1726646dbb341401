import uPlot from "uplot";
import type { Report } from "./report.ts";
import type { Point } from "./scaling.ts";

/* The script of the page that `npm run bench -- --html` writes: a table, bars, and curves. */

// Set by the script that report.ts puts before this one.
const { report } = globalThis as unknown as { report: Report };
const page = document.getElementById("page")!;

function add<K extends keyof HTMLElementTagNameMap>(parent: HTMLElement, tag: K, text = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}

const colors = ["#2a78c8", "#c8572a", "#2a9d5c"];
const ink = getComputedStyle(document.body).color;
const axis = (label: string): uPlot.Axis => ({
  label,
  stroke: ink,
  grid: { stroke: "#8884" },
  ticks: { stroke: "#8884" },
});

function chart(title: string): HTMLElement {
  add(page, "h2", title);
  const figure = add(page, "div");
  figure.className = "chart";
  return figure;
}

/** A bar for each row: how much of what the device can do. */
function shares(): void {
  const rows = report.rows.filter(({ rooflineShare }) => rooflineShare !== null);
  if (rows.length === 0) return;
  const names = rows.map(({ op, shape }) => `${op} ${shape}`);
  new uPlot(
    {
      width: Math.max(700, rows.length * 26),
      height: 480,
      scales: {
        x: { time: false, range: [-0.7, rows.length - 0.3] },
        y: { range: (_, __, most) => [0, Math.max(20, most)] },
      },
      axes: [
        {
          ...axis(""),
          size: 230,
          rotate: -90,
          space: 10,
          splits: () => rows.map((_, i) => i),
          values: (_, splits) => splits.map((i) => names[i] ?? ""),
        },
        axis("% of the roofline"),
      ],
      series: [
        { label: "case", value: (_, i) => names[i] ?? "" },
        {
          label: "%",
          fill: colors[0]!,
          stroke: colors[0]!,
          paths: uPlot.paths.bars!({ size: [0.7] }),
          points: { show: false },
        },
      ],
    },
    [rows.map((_, i) => i), rows.map(({ rooflineShare }) => 100 * rooflineShare!)],
    chart("Share of the roofline"),
  );
}

/** Step time against one size, both on logarithmic axes: work that grows in proportion is a line that rises by one in one. */
function curve(along: Point["along"], color: string): void {
  const points = report.scaling.filter((point) => point.along === along && point.row.msMedian !== null);
  if (points.length === 0) return;
  new uPlot(
    {
      width: 640,
      height: 320,
      scales: { x: { time: false, distr: 3, log: 2 }, y: { distr: 3 } },
      axes: [axis(along), axis("ms a step")],
      series: [{ label: along }, { label: "ms", stroke: color, width: 2, points: { show: true } }],
    },
    [points.map(({ size }) => size), points.map(({ row }) => row.msMedian)],
    chart(`Training step against ${along}`),
  );
}

function table(): void {
  add(page, "h2", "All cases");
  const box = add(page, "div");
  box.className = "chart";
  const all = add(box, "table");
  const head = add(all, "tr");
  for (const name of ["op", "shape", "ms", "least", "GFLOP/s", "GB/s", "of peak", "dispatches", "submits", "buffers"])
    add(head, "th", name);
  const show = (value: number | null, digits: number) => (value === null ? "" : value.toFixed(digits));
  for (const row of report.rows) {
    const tr = add(all, "tr");
    const share = row.rooflineShare === null ? "" : `${(100 * row.rooflineShare).toFixed(1)} %`;
    const cells = row.error
      ? [row.op, row.shape, row.error]
      : [
          ...[
            row.op,
            row.shape,
            show(row.msMedian, 3),
            show(row.msMin, 3),
            show(row.gflops, 2),
            show(row.gbs, 2),
            share,
          ],
          ...[row.dispatches, row.submits, row.buffers].map(String),
        ];
    for (const cell of cells) add(tr, "td", cell);
  }
}

add(page, "h1", "handgrad: benchmarks");
const { date, adapter, processor, load, peak, versions } = report;
add(page, "p", `${date}, ${adapter}, ${processor}; load ${load[0]} before and ${load[1]} after.`);
add(
  page,
  "p",
  `At best ${peak.gflops.toFixed(1)} GFLOP/s of multiply-adds, and copies at ${peak.gbs.toFixed(2)} GB/s.`,
);
add(
  page,
  "p",
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", "),
);
shares();
curve("batch", colors[0]!);
curve("frames", colors[1]!);
curve("hidden", colors[2]!);
table();
