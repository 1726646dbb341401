import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { grouped, meanOf, type Point, spreadOf } from "./table.ts";

/** Accuracy against judgements as SVG: a line a method, a band of one deviation over seeds, a panel a share of mistakes. */
export async function curves(points: readonly Point[]): Promise<string> {
  const values = [...grouped(points).values()].map((group) => {
    const { method, noise, labels, judgements } = group[0]!;
    const accuracies = group.map(({ accuracy }) => accuracy);
    const mean = meanOf(accuracies);
    const spread = spreadOf(accuracies) ?? 0;
    const panel = `${labels} labels, ${(100 * noise).toFixed(0)} % of judgements wrong`;
    return { method, panel, judgements, mean, low: mean - spread, high: mean + spread };
  });
  const x = { field: "judgements", type: "quantitative" } as const;
  const color = { field: "method", type: "nominal" } as const;
  const y = { type: "quantitative" as const, title: "accuracy, unseen speakers", scale: { domain: [0, 1] } };
  const spec: TopLevelSpec = {
    background: "white",
    data: { values },
    facet: { field: "panel", type: "nominal", title: null },
    columns: 3,
    spec: {
      width: 300,
      height: 240,
      layer: [
        {
          mark: { type: "area", opacity: 0.2 },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
        },
        { mark: { type: "line", point: true }, encoding: { x, y: { ...y, field: "mean" }, color } },
      ],
    },
  };
  return new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
}
