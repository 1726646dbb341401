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
 * @throws Error (the function that it returns) where bindings are numbered in two ways, or `$name` stands outside of an `#unroll`.
 * @example
 * const scale = kernel("scale", ({ by }: { by: number }) => wgsl`const BY = ${by}; ${shader}`);
 * const twice = scale({ by: 2 }); // a whole program: examples/07-custom-op.ts
 */
export function kernel<Variant extends Record<string, string | number | boolean>>(
  label: string,
  source: (variant: Variant) => string,
): (variant: Variant) => Kernel {
  const variants = new Map<string, Kernel>();
  return (variant) => {
    // Asked for at every dispatch: an array of entries would cost the host more than all else there.
    let key = "";
    for (const name in variant) key += `${name} ${variant[name]},`;
    let found = variants.get(key);
    if (!found) {
      found = { id: kernels++, label, code: complete(label, source(variant)) };
      variants.set(key, found);
    }
    return found;
  };
}
