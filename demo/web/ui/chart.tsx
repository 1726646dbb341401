import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { dark, text } from "./settings.ts";

export interface ChartProps {
  title: string;
  x: readonly number[];
  y: readonly number[];
  /** How a value is written. */
  format: (y: number) => string;
  /** The least and the greatest value drawn. Default: found from the values. */
  range?: readonly [number, number];
  height?: number;
}

/** A line over the number of judgements; the same numbers as a table below, for whoever does not see it. */
export function Chart({ title, x, y, format, range, height = 190 }: ChartProps) {
  const t = text.value.progress;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const isDark = dark.value;

  // Drawn anew for another theme; numbers are set below.
  useEffect(() => {
    const element = box.current!;
    const { color, borderTopColor: grid, outlineColor: line } = getComputedStyle(element);
    const axis = { stroke: color, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    plot.current = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height,
        legend: { show: false },
        cursor: { show: false },
        padding: [10, 12, 0, 0],
        scales: { x: { time: false }, y: range ? { range: [range[0], range[1]] } : {} },
        axes: [
          { ...axis, size: 28 },
          { ...axis, size: 52, values: (_, ticks) => ticks.map(format) },
        ],
        series: [{}, { stroke: line, width: 2, points: { show: x.length <= 60, size: 5, fill: line } }],
      },
      [x as number[], y as number[]],
      element,
    );
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: Math.max(200, element.clientWidth), height }),
    );
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [isDark]);
  // A history only grows, so its length and its end say if it changed.
  useEffect(() => plot.current?.setData([x as number[], y as number[]]), [x.length, x.at(-1), y.at(-1)]);

  const last = y.at(-1);
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span> <b>{last === undefined ? "" : format(last)}</b>
      </figcaption>
      <div class="plot" ref={box} aria-hidden="true" />
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
