import { largest, smallest } from "handgrad/data";

/** Charts as SVG text. Colors come from the page's CSS, so that they fit light and dark. */

export const html = (text: unknown): string => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

interface Series {
  name: string;
  points: readonly (readonly [number, number])[];
}

const WIDTH = 640;
const HEIGHT = 280;
const LEFT = 52;
const BOTTOM = 40;
const TOP = 16;
const RIGHT = 12;

/** Round numbers between two limits, about five of them. */
function ticks(low: number, high: number): number[] {
  const span = high - low || 1;
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

export interface LineChart {
  title: string;
  x: string;
  y: string;
  series: readonly Series[];
  /** Limits of y; found from the points if left out. */
  range?: readonly [number, number];
}

export function lineChart({ title, x, y, series, range }: LineChart): string {
  const points = series.flatMap((s) => s.points);
  if (points.length === 0) return "";
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [x0, x1] = [Math.min(0, smallest(xs)), largest(xs)];
  const [y0, y1] = range ?? [Math.min(0, smallest(ys)), largest(ys) * 1.05 || 1];
  const px = (v: number) => LEFT + ((v - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (v: number) => HEIGHT - BOTTOM - ((v - y0) / (y1 - y0 || 1)) * (HEIGHT - BOTTOM - TOP);
  const grid = [
    ...ticks(y0, y1).map(
      (v) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(v)}" y2="${py(v)}"/><text x="${LEFT - 6}" y="${py(v) + 4}" text-anchor="end">${v}</text>`,
    ),
    ...ticks(x0, x1).map((v) => `<text x="${px(v)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${v}</text>`),
  ];
  const curves = series.map(({ points }, i) => {
    const path = points.map(([a, b], k) => `${k ? "L" : "M"}${px(a).toFixed(1)} ${py(b).toFixed(1)}`).join("");
    const dots =
      points.length <= 60
        ? points
            .map(([a, b]) => `<circle class="dot s${i}" cx="${px(a).toFixed(1)}" cy="${py(b).toFixed(1)}" r="2.5"/>`)
            .join("")
        : "";
    return `<path class="curve s${i}" d="${path}"/>${dots}`;
  });
  const legend =
    series.length > 1
      ? series
          .map(
            ({ name }, i) =>
              `<text class="legend s${i}" x="${LEFT + 10 + 150 * i}" y="${TOP + 4}">${"●■▲◆"[i % 4]} ${html(name)}</text>`,
          )
          .join("")
      : "";
  const last = series
    .map(({ name, points }) => `${name} from ${points[0]?.[1].toFixed(3)} to ${points.at(-1)?.[1].toFixed(3)}`)
    .join("; ");
  return `<figure><figcaption>${html(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${html(`${title}: ${last}`)}">
${grid.join("\n")}
${curves.join("\n")}
${legend}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${html(x)}</text>
<text transform="translate(12 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${html(y)}</text>
</svg></figure>`;
}

/** Shares from 0 to 1 as horizontal bars with their values written beside them. */
export function barChart(title: string, bars: readonly (readonly [string, number])[]): string {
  const row = 26;
  const height = bars.length * row + 8;
  const rows = bars.map(([name, share], i) => {
    const width = share * (WIDTH - 220);
    const y = i * row + 6;
    return `<text x="132" y="${y + 14}" text-anchor="end">${html(name)}</text><rect class="bar" x="140" y="${y}" width="${width.toFixed(1)}" height="18" rx="2"/><text x="${146 + width}" y="${y + 14}">${(100 * share).toFixed(1)} %</text>`;
  });
  const words = bars.map(([name, share]) => `${name} ${(100 * share).toFixed(1)} %`).join(", ");
  return `<figure><figcaption>${html(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${html(`${title}: ${words}`)}">
${rows.join("\n")}
</svg></figure>`;
}
