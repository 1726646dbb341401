import { expect, test } from "vitest";
import { checkName, checkNumber, checkOptions, type Known, nearest, number } from "../src/check.ts";

interface Options {
  axis?: number;
  keepDims?: boolean;
  weightDecay?: number;
}
const known: Known<Options> = { axis: true, keepDims: true, weightDecay: true };
const check = (options: unknown) => () => checkOptions("sum", options as Options, known);

test("options that are known, or absent, pass", () => {
  expect(check(undefined)).not.toThrow();
  expect(check({})).not.toThrow();
  expect(check({ axis: 1, keepDims: undefined })).not.toThrow();
});

test.each([
  [{ weight_decay: 1 }, 'sum: there is no option "weight_decay". Did you mean weightDecay?'],
  [{ dim: 1 }, "Did you mean axis?"],
  [{ keepdim: true }, "Did you mean keepDims?"],
  [{ axs: 1 }, "Did you mean axis?"],
  [{ somethingElse: 1 }, "It takes axis, keepDims, weightDecay."],
  [{ toString: 1 }, 'there is no option "toString"'],
  [1, "sum: its options are 1, expected an object such as { axis: … }."],
  [null, "its options are null"],
  [[1], "its options are an array"],
])("%o is refused", (options, message) => {
  expect(check(options)).toThrow(message);
});

test("the nearest name, if one is near", () => {
  expect(nearest("betas", ["lr", "beta"])).toBe("beta");
  expect(nearest("zzzz", ["lr", "betas"])).toBeUndefined();
});

test("numbers are held against their rule and never converted", () => {
  expect(() => checkNumber("adam", "lr", 0, number.atLeast0)).not.toThrow();
  expect(() => checkNumber("adam", "lr", Number.NaN, number.atLeast0)).toThrow(
    "adam: lr is NaN, expected a finite number of at least 0.",
  );
  expect(() => checkNumber("adam", "lr", "1", number.atLeast0)).toThrow('adam: lr is "1", expected');
  expect(() => checkNumber("adam", "lr", null, number.atLeast0)).toThrow(TypeError);
  expect(() => checkNumber("pad", "size", 1.5, number.wholeAtLeast0)).toThrow(RangeError);
});

test("names are one of a list", () => {
  expect(() => checkName("mse", "reduction", "mean", ["mean", "sum"])).not.toThrow();
  expect(() => checkName("mse", "reduction", "avg", ["mean", "sum"])).toThrow(
    'mse: reduction is "avg", expected one of mean, sum.',
  );
});
