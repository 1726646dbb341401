import { complete } from "./wgsl.ts";

/** A compute shader as data: complete WGSL, and the label its pipeline carries (`conv2d.backwardWeight`). */
export interface Kernel {
  readonly id: number;
  readonly label: string;
  readonly code: string;
}

let kernels = 0;

/**
 * Names a family of kernels that share one source. `source` renders the WGSL of a variant, once per variant: two calls
 * with equal variants give the same kernel, so pipelines and plans can be found again by its `id`.
 *
 * Bindings may be written `@binding(_)`: they are numbered in the order of the text. `main` may ask for `group: Group` and,
 * by `groupIndex(group)`, which of the workgroups that `grid` laid out in two dimensions it is in.
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
