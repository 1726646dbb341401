import fc from "fast-check";
import type { Engine, Tensor } from "../../src/index.ts";
import { numbers } from "../agree.ts";
import type { Case } from "../harness.ts";
import { type Array64, count, map } from "../reference/index.ts";

/*
 * What a file of test/ops says of its op. The tests that go through all ops read it: PyTorch's values and gradients (in Node,
 * in Chromium, and with shaders as they are published), every variant, central differences, properties, edges of numbers.
 */

export type Tensors = Record<string, Tensor>;
export type Arrays = Record<string, Array64>;
/** Each op's own, as a fixture or a property gives them. */
// biome-ignore lint/suspicious/noExplicitAny: the ops check their options at run time.
export type Options = any;

/** Kernels that have variants, and the variants' names. */
export interface Variants {
  readonly kernels: readonly string[];
  readonly names: readonly string[];
}

/** What no gradient is taken of: an array of the host, or a tensor of it. */
interface Given {
  readonly shape: readonly number[];
  readonly data: Int32Array | Float32Array;
  readonly as: "array" | "tensor";
}

/** Inputs of any shape. */
export interface Drawn {
  /** Their gradients are compared with central differences. */
  readonly inputs: Arrays;
  readonly given?: Readonly<Record<string, Given>>;
  readonly options?: Options;
  /** False where central differences would take too long. Default true. */
  readonly gradients?: boolean;
}

export interface Op {
  /** The name of its cases in the fixtures. Default: the name of its file. */
  readonly fixture?: string;
  /** Calls it with a case's inputs and options; gives its outputs by their names in the fixture. */
  readonly call: (x: Tensors, options: Options) => Tensors;
  /** The same in float64 by plain loops. */
  readonly reference: (x: Arrays, options: Options) => Arrays;
  /**
   * The same in PyTorch: an expression of the inputs and options by their names, `torch` and `F`, such as
   * "torch.index_select(x, axis, index)"; a tuple where it has several outputs. `npm run make:cases` computes what it gives
   * for a few draws of `property`, so that fixtures/drawn.json has its cases. Not needed where other fixtures have them.
   */
  readonly torch?: string;
  /**
   * Calls it with `wrong` among its options, or after its last argument where it takes no options: that must be refused.
   * Default: `call` with `wrong` among the options.
   */
  readonly misuse?: (x: Tensors, options: Options, wrong: object) => unknown;
  /** The gradient of an input of which the reference's central differences `d` are not all. Default: `d`. */
  readonly gradient?: (input: string, d: Array64, options: Options) => Array64;
  /** Shapes and options that nobody chose: odd, prime, of size 1, no multiples of any tile. */
  readonly property: { readonly draw: fc.Arbitrary<Drawn>; readonly runs: number };
  /** The variants that its cases are run with, each `only` those whose name it matches. Default: it has none. */
  readonly variants?: readonly (Variants & { readonly only?: RegExp })[];
  /** So long that the loops of every variant go round several times, by several threads and workgroups. Run with each variant. */
  readonly long?: readonly Case[];
}

/** An op that draws at random: no two implementations agree on its bits, so it is tested by what it must keep. */
export interface RandomOp {
  readonly keeps: readonly Case[];
  /** As of an `Op`. */
  readonly misuse: (engine: Engine, wrong: object) => unknown;
}

/** An op, or the forms of one that has several. */
export type OpFile = Op | readonly Op[] | RandomOp;

export const y = <T>(value: T) => ({ y: value });
export const loss = <T>(value: T) => ({ loss: value });
/** x0, x1, … in order. */
export const numbered = <T>(x: Readonly<Record<string, T>>): T[] =>
  Object.keys(x)
    .filter((name) => /^x\d$/.test(name))
    .map((name) => x[name]!);

export const size = (most: number) => fc.integer({ min: 1, max: most });
export const anyShape = fc.array(size(5), { minLength: 1, maxLength: 4 });
/** The shape with 1 in place of the sizes whose bit is set. */
export const repeated = (shape: readonly number[], bits: number) => shape.map((n, i) => ((bits >> i) & 1 ? 1 : n));
/** The axes whose bit is set. */
const axesOf = (shape: readonly number[], bits: number) => [...shape.keys()].filter((i) => (bits >> i) & 1);

const given = (as: Given["as"]) => (shape: readonly number[], data: Int32Array | Float32Array) => ({ shape, data, as });
export const arrayOf = given("array");
export const tensorOf = given("tensor");
export const whole = (n: number, at: (i: number) => number) => Int32Array.from({ length: n }, (_, i) => at(i));

export const positive = (x: Array64): Array64 => map(x, (v) => Math.abs(v) + 0.25);
/** Away from 0, where some functions have a kink. */
const awayFrom0 = (x: Array64): Array64 => map(x, (v) => v + (v < 0 ? -0.05 : 0.05));
/** All different, so that the largest is one. */
export const distinct = (shape: readonly number[]): Array64 => {
  const n = count(shape);
  return map(numbers(shape, 0), (_, i) => ((i * 7919) % n) / 8 + i / (16 * n));
};

/** Calls a function with an argument that its type does not have. */
export const callWith = (f: (...args: never[]) => unknown, ...args: readonly unknown[]): unknown =>
  (f as (...args: unknown[]) => unknown)(...args);

interface UnaryOptions {
  /** Makes numbers of any sign into such as the function takes. Default: away from 0. */
  readonly of?: (x: Array64) => Array64;
  /** Of the property. */
  readonly options?: Options;
}

/** A function of each number. */
export function unary(
  call: (x: Tensor, options: Options) => Tensor,
  reference: (x: Array64, options: Options) => Array64,
  { of = awayFrom0, options }: UnaryOptions = {},
): Op {
  const takesOptions = options !== undefined;
  return {
    call: ({ x }, o) => y(takesOptions ? call(x!, o) : (call as (x: Tensor) => Tensor)(x!)),
    reference: ({ x }, o) => y(reference(x!, o)),
    ...(takesOptions ? {} : { misuse: ({ x }, _, wrong) => callWith(call, x, wrong) }),
    property: { draw: anyShape.map((shape) => ({ inputs: { x: of(numbers(shape, 3)) }, options })), runs: 6 },
  };
}

/** A function of the numbers of two tensors, the second of which is repeated along some axes; the first too, if `both`. */
export function binary(
  call: (a: Tensor, b: Tensor) => Tensor,
  reference: (a: Array64, b: Array64) => Array64,
  { of = (x: Array64) => x, both = false, runs = 6 } = {},
): Op {
  return {
    call: ({ a, b }) => y(call(a!, b!)),
    reference: ({ a, b }) => y(reference(a!, b!)),
    misuse: ({ a, b }, _, wrong) => callWith(call, a, b, wrong),
    property: {
      draw: fc.tuple(anyShape, fc.nat(15), fc.nat(15)).map(([shape, p, q]) => ({
        inputs: {
          a: of(numbers(both ? repeated(shape, p) : shape, 1)),
          b: of(numbers(repeated(shape, q), 2)),
        },
      })),
      runs,
    },
  };
}

/** A reduction over any axes of numbers in the given arrangement. */
export function reduction(
  call: (x: Tensor, options: Options) => Tensor,
  reference: (x: Array64, options: Options) => Array64,
  { of = (shape: readonly number[]) => numbers(shape, 1), options = {} as Options, shapes = anyShape, runs = 8 } = {},
): Pick<Op, "call" | "reference" | "property"> {
  return {
    call: ({ x }, o) => y(call(x!, o)),
    reference: ({ x }, o) => y(reference(x!, o)),
    property: {
      draw: fc.tuple(shapes, fc.nat(31), fc.boolean()).map(([shape, bits, keepDims]) => ({
        inputs: { x: of(shape) },
        options: { ...options, axis: axesOf(shape, bits), keepDims },
        gradients: count(shape) < 500,
      })),
      runs,
    },
  };
}

/** A loss of each number and its target. */
export function lossOfNumbers(
  call: (x: Tensor, target: Tensor, options: Options) => Tensor,
  reference: (x: Array64, target: Array64, options: Options) => Array64,
  options: Options = {},
): Op {
  return {
    call: ({ x, target }, o) => loss(call(x!, target!, o)),
    reference: ({ x, target }, o) => loss(reference(x!, target!, o)),
    property: {
      draw: anyShape.map((shape) => {
        const target = Float32Array.from(numbers(shape, 2).data, (v) => Math.abs(v) / 2 + 0.01);
        return { inputs: { x: numbers(shape, 1) }, given: { target: arrayOf(shape, target) }, options };
      }),
      runs: 8,
    },
  };
}

/** What puts three tensors of one shape beside each other along an axis. */
export function joining(
  call: (xs: Tensor[], options: Options) => Tensor,
  reference: (xs: Array64[], options: Options) => Array64,
): Op {
  return {
    call: (x, o) => y(call(numbered(x), o)),
    reference: (x, o) => y(reference(numbered(x), o)),
    property: {
      draw: fc.tuple(anyShape, fc.nat(3)).map(([shape, where]) => ({
        inputs: { x0: numbers(shape, 1), x1: numbers(shape, 2), x2: numbers(shape, 3) },
        options: { axis: where % shape.length },
      })),
      runs: 12,
    },
  };
}

/** Logits [N, A], an action of each row, and what `more` is given beside them. */
export const logitsAndActions = (more: (N: number, A: number) => Omit<Drawn, "inputs">): fc.Arbitrary<Drawn> =>
  fc.tuple(size(7), fc.integer({ min: 2, max: 9 })).map(([N, A]) => {
    const actions = arrayOf(
      [N],
      whole(N, (n) => (n * 5) % A),
    );
    const { given, ...others } = more(N, A);
    return { inputs: { logits: numbers([N, A], 1) }, given: { actions, ...given }, ...others };
  });

export const mean = (xs: ArrayLike<number>): number => Array.from(xs).reduce((sum, x) => sum + x, 0) / xs.length;
