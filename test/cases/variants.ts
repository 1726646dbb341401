import type { Variants } from "../descriptor/index.ts";
import * as shared from "../descriptor/variants.ts";
import type { Case } from "../harness.ts";
import { type Ops, opCases } from "./ops.ts";
import { clippingCases, longClippingCases } from "./optimizers.ts";

/** Kernels that are done by a variant, and the cases that try it. */
export interface VariantCases {
  readonly kernels: readonly string[];
  readonly variant: string;
  readonly cases: readonly Case[];
}

/** Every variant of every kernel that has several, as the files of test/ops name them. */
export function variantCases(ops: Ops): VariantCases[] {
  const all = opCases(ops);
  /** Ops that name the same kernels and variants are tried together. */
  const groups = new Map(Object.values(shared).map((group) => [keyOf(group), { group, cases: [] as Case[] }]));
  for (const [fixture, op] of ops.byFixture)
    for (const { only = /^/, ...group } of op.variants ?? []) {
      const own = [...all.filter(({ name }) => name.startsWith(`${fixture}: `)), ...(op.long ?? [])];
      const key = keyOf(group);
      const found = groups.get(key) ?? { group, cases: [] };
      groups.set(key, found);
      found.cases.push(...own.filter(({ name }) => only.test(name)));
    }
  groups.get(keyOf(shared.norms))!.cases.push(...clippingCases, ...longClippingCases);
  return [...groups.values()].flatMap(({ group: { kernels, names }, cases }) =>
    names.map((variant) => ({ kernels, variant, cases })),
  );
}

const keyOf = ({ kernels, names }: Variants) => JSON.stringify([kernels, names]);
