import { useEffect, useRef, useState } from "preact/hooks";
import type { History } from "../shared/protocol.ts";
import { text } from "./settings.ts";

export interface ChartProps {
  title: string;
  x: readonly number[];
  y: readonly number[];
  /** The ends of each value's interval, which is drawn behind the line; NaN where there is none. */
  interval?: readonly (readonly [low: number, high: number])[];
  /** How a value is written. */
  format: (y: number) => string;
  height?: number;
}

/** Room for the numbers at the left and below, and beside the line, in pixels. */
const LEFT = 52;
const BELOW = 28;
const MARGIN = 12;
/** Where there are more, points stand too close to be told apart. */
const MOST_POINTS = 60;

/** Round numbers from `low` to `high`, about `count` of them. */
function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough)!;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

/** The least and the greatest of them, apart from each other; from 0 to 1 where there are none. */
function extent(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const room = high > low ? 0 : Math.abs(high) / 10 || 0.5;
  return [low - room, high + room];
}

/** A line through points, with round numbers at both axes. What is no finite number is left out. */
function Plot({ x, y, interval, format, width, height }: Required<Omit<ChartProps, "title">> & { width: number }) {
  const points = x.map((at, i) => [at, y[i]!] as const).filter((point) => point.every(Number.isFinite));
  const [left, right] = extent(points.map(([at]) => at));
  const band = x.flatMap((at, i) => (interval[i]?.every(Number.isFinite) ? [[at, ...interval[i]] as const] : []));
  const [low, high] = extent([...points.map(([, value]) => value), ...band.flatMap(([, ...ends]) => ends)]);
  const across = (at: number) => LEFT + ((at - left) / (right - left)) * (width - LEFT - MARGIN);
  const down = (value: number) => MARGIN + ((high - value) / (high - low)) * (height - MARGIN - BELOW);
  return (
    <svg width={width} height={height} role="presentation">
      {ticks(low, high, height / 45).map((value) => (
        <g key={value}>
          <path class="grid" d={`M${LEFT} ${down(value)}H${width - MARGIN}`} />
          <text x={LEFT - 8} y={down(value) + 4} text-anchor="end">
            {format(value)}
          </text>
        </g>
      ))}
      {ticks(left, right, width / 70).map((at) => (
        <g key={at}>
          <path class="grid" d={`M${across(at)} ${MARGIN}V${height - BELOW}`} />
          <text x={across(at)} y={height - 8} text-anchor="middle">
            {+at.toPrecision(6)}
          </text>
        </g>
      ))}
      {/* Along the upper ends, and back along the lower ones. */}
      <path
        class="band"
        d={[...band.map(([at, , end]) => [at, end]), ...band.toReversed().map(([at, end]) => [at, end])]
          .map(([at, end], i) => `${i ? "L" : "M"}${across(at!)} ${down(end!)}`)
          .join("")}
      />
      <path class="line" d={points.map(([at, value], i) => `${i ? "L" : "M"}${across(at)} ${down(value)}`).join("")} />
      {points.length <= MOST_POINTS &&
        points.map(([at, value], i) => <circle key={i} cx={across(at)} cy={down(value)} r="2.5" />)}
    </svg>
  );
}

/** A line over the number of judgements; the same numbers as a table below, for whoever does not see it. */
export function Chart({ title, x, y, interval = [], format, height = 190 }: ChartProps) {
  const t = text.value.progress;
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(300);
  useEffect(() => {
    const resized = new ResizeObserver(() => setWidth(Math.max(200, box.current?.clientWidth ?? 0)));
    resized.observe(box.current!);
    return () => resized.disconnect();
  }, []);

  const last = y.at(-1);
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span> <b>{last === undefined ? "" : format(last)}</b>
      </figcaption>
      <div class="plot" ref={box} aria-hidden="true">
        <Plot x={x} y={y} interval={interval} format={format} width={width} height={height} />
      </div>
      <details>
        <summary>
          {t.numbers}
          <span class="unseen">: {title}</span>
        </summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
        <section class="scroll" tabIndex={0} aria-label={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.judgements}</th>
                <th scope="col">{title}</th>
              </tr>
            </thead>
            <tbody>
              {x.map((at, i) => (
                <tr key={i}>
                  <td>{at}</td>
                  <td>{format(y[i]!)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </figure>
  );
}

/** Accuracy on the held-out examples, with its 95 % interval. */
export function AccuracyChart({ points, height = 190 }: { points: History["heldOut"]; height?: number }) {
  const t = text.value;
  return (
    <Chart
      title={t.progress.accuracy}
      x={points.map(({ judgements }) => judgements)}
      y={points.map(({ accuracy }) => accuracy)}
      interval={points.map(({ low = Number.NaN, high = Number.NaN }) => [low, high])}
      format={(share) => t.percent(share)}
      height={height}
    />
  );
}
