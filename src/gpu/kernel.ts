import { checkFunction, checkObject, checkText, describe } from "../check.ts";
import { complete } from "./wgsl.ts";

/** A compute shader as data: complete WGSL, and the label its pipeline carries (`conv2d.backwardWeight`). */
export interface Kernel {
  /** Tells it from all other kernels and variants. */
  readonly id: number;
  /** What errors and profiles call it. */
  readonly label: string;
  /** The WGSL that the device compiles. */
  readonly code: string;
}

let kernels = 0;

/**
 * Names kernels that share one source, for an op of your own (`customOp`). `source` renders the WGSL of a variant, once per
 * variant: two calls with equal variants give the same kernel, so pipelines and plans are found again by its `id`.
 *
 * Bindings may be written `@binding(_)`: they are numbered in the order of the text. `main` may ask for `group: Group` and,
 * by `groupIndex(group)`, which of the workgroups that `grid` laid out in two dimensions it is in.
 *
 * @param label what errors and profiles call the kernel.
 * @param source gives the WGSL of a variant.
 * @returns the kernel of a variant, an object of strings, numbers and booleans.
 * @throws TypeError where the label is no text, or `source` no function. The function that it returns throws where the variant
 * holds something else, `source` gives no text, bindings are numbered in two ways, or `$name` stands outside of an `#unroll`.
 * @example
 * const scale = kernel("scale", ({ by }: { by: number }) => wgsl`const BY = ${by}; ${shader}`);
 * const twice = scale({ by: 2 }); // a whole program: examples/07-custom-op.ts
 */
export function kernel<Variant extends Record<string, string | number | boolean>>(
  label: string,
  source: (variant: Variant) => string,
): (variant: Variant) => Kernel {
  checkText("kernel", "the label", label);
  checkFunction(label, "source", source, "a function that gives the WGSL of a variant");
  const variants = new Map<string, Kernel>();
  return (variant) => {
    // Asked for at every dispatch: an array of entries would cost the host more than all else there.
    let key = "";
    for (const name in variant) key += `${name}\0${variant[name]}\0`;
    let found = variants.get(key);
    if (!found) {
      checkVariant(label, variant);
      const text = source(variant);
      if (typeof text !== "string")
        throw new TypeError(`${label}: its source gives ${describe(text)}, expected the text that wgsl\`…\` gives.`);
      found = { id: kernels++, label, code: complete(label, text) };
      variants.set(key, found);
    }
    return found;
  };
}

/** Objects in it would all have one name, and so one kernel. */
function checkVariant(label: string, variant: Record<string, unknown>): void {
  checkObject(label, "the variant", variant, "an object such as { size: 64 }, or {}");
  for (const [name, value] of Object.entries(variant))
    if (!["string", "number", "boolean"].includes(typeof value))
      throw new TypeError(
        `${label}: ${name} of the variant is ${describe(value)}, expected a text, a number, true or false.`,
      );
}
