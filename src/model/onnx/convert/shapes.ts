import { type Converter, fixed, type Sizes, target } from "./converter.ts";

/* The same numbers in another shape or order, and sums and extremes along axes. */

/** All axes of x, or those asked for, counted from the front. */
const axesOf = (axis: number | readonly number[] | undefined, x: Sizes): number[] =>
  (axis === undefined ? x.map((_, i) => i) : [axis].flat()).map((a) => (a < 0 ? a + x.length : a));

const reduce =
  (type: string): Converter =>
  (g, { x, options, from }) => {
    const axes = axesOf(options.axis, from[0]!);
    const keepdims = options.keepDims ? 1 : 0;
    // Only the sum takes its axes as an input in this operator set.
    if (type === "ReduceSum") return [g.node(type, [x[0]!, g.wholes(axes)], { keepdims })];
    return [g.node(type, x, { axes, keepdims })];
  };

export const shapes: Record<string, Converter> = {
  reshape: (g, call) => [g.node("Reshape", [call.x[0]!, g.wholes(target(call, call.to[0]!))])],
  permute: (g, { x, options, from }) => [g.node("Transpose", x, { perm: axesOf(options.axes, from[0]!) })],
  concat: (g, { x, options }) => [g.node("Concat", x, { axis: options.axis })],
  slice: (g, { x, options: { axis = 0, start = 0, end = 2 ** 31 - 1, step = 1 } }) => [
    g.node("Slice", [x[0]!, g.wholes([start]), g.wholes([end]), g.wholes([axis]), g.wholes([step])]),
  ],
  // A size that changes with the batch is 1 to Expand, which then keeps what x has.
  expand: (g, call) => [
    g.node("Expand", [
      call.x[0]!,
      g.wholes(
        call.to[0]!.map((size, i) => {
          const own = call.from[0]![i - (call.to[0]!.length - call.from[0]!.length)];
          return size === undefined && own === undefined ? 1 : fixed(call, size, "a size");
        }),
      ),
    ]),
  ],
  pad: (g, { x, options }) => {
    const padding = options.padding as readonly (readonly [number, number])[];
    const pads = [...padding.map(([before]) => before), ...padding.map(([, after]) => after)];
    return [g.node("Pad", [x[0]!, g.wholes(pads), g.floats([options.value], [])])];
  },
  gather: (g, { x, options }) => [g.node("GatherElements", x, { axis: options.axis })],
  indexSelect: (g, { x, options }) => [g.node("Gather", x, { axis: options.axis })],
  sum: reduce("ReduceSum"),
  mean: reduce("ReduceMean"),
  max: reduce("ReduceMax"),
  min: reduce("ReduceMin"),
  argmax: (g, { x, options, from }) => {
    const keepdims = options.keepDims ? 1 : 0;
    if (options.axis !== undefined)
      return [g.node("Cast", [g.node("ArgMax", x, { axis: axesOf(options.axis, from[0]!)[0]!, keepdims })], { to: 6 })];
    const flat = g.node("Reshape", [x[0]!, g.wholes([-1])]);
    const place = g.node("Cast", [g.node("ArgMax", [flat], { axis: 0, keepdims: 0 })], { to: 6 });
    return [keepdims ? g.node("Reshape", [place, g.wholes(from[0]!.map(() => 1))]) : place];
  },
};
