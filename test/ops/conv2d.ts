import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import { convolution, convolutionQuads } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const windows = fc
  .record({
    N: size(3),
    C: size(3),
    O: size(3),
    H: size(9),
    W: size(11),
    kH: size(3),
    kW: size(3),
    groups: size(3),
    stride: size(3),
    dilation: size(2),
    padding: fc.nat(2),
  })
  .filter(
    ({ H, W, kH, kW, dilation, padding }) =>
      H + 2 * padding > dilation * (kH - 1) && W + 2 * padding > dilation * (kW - 1),
  );

const op: Op = {
  call: ({ x, w, b }, o) => y(hg.conv2d(x!, w!, b, o)),
  reference: ({ x, w, b }, o) => y(reference.conv2d(x!, w!, b, o)),
  variants: [
    { ...convolution, only: /^conv2d: (plain|padding, relu|everything, by axis|groups, sigmoid)/ },
    convolutionQuads,
  ],
  property: {
    draw: windows.map(({ N, C, O, H, W, kH, kW, groups, ...options }) => ({
      inputs: {
        x: numbers([N, C * groups, H, W], 1),
        w: numbers([O * groups, C, kH, kW], 2),
        b: numbers([O * groups], 3),
      },
      options: { ...options, groups },
      gradients: N * C * groups * H * W * O * kH * kW < 3000,
    })),
    // Each window is a kernel of its own, which compiles for a second on the software device.
    runs: 5,
  },
};
export default op;
