import { describe, expect, test } from "vitest";
import {
  accuracy,
  argmaxRows,
  auc,
  confusionMatrix,
  f1,
  meanSquaredError,
  type Predictions,
  topK,
} from "../../src/model/index.ts";
import fixture from "../fixtures/metrics.json" with { type: "json" };

/* Metrics against scikit-learn's (fixtures/make_metrics.py), and at their edges by hand. */

const metrics = { accuracy, auc, mse: meanSquaredError, f1: f1(), f1macro: f1({ average: "macro" }), top2: topK(2) };

describe("scikit-learn's answers", () => {
  test.each(fixture.map((one, i) => ({ ...one, i })))("case $i: $kind, $width wide", (one) => {
    const predictions: Predictions = {
      numOutputs: one.width,
      targets: one.targets,
      values: Float32Array.from(one.values),
    };
    const { confusion, ...expected } = one.expected as Record<string, unknown>;
    for (const [name, value] of Object.entries(expected)) {
      const found = metrics[name as keyof typeof metrics](predictions);
      if (value === null) expect(found, name).toBeNaN();
      // Values in float32, figures in float64.
      else expect(found, name).toBeCloseTo(value as number, one.kind === "numbers" ? 6 : 12);
    }
    if (confusion) expect(confusionMatrix(predictions)).toEqual(confusion);
  });
});

const of = (values: number[], width: number, targets: number[]): Predictions => ({
  values: Float32Array.from(values),
  numOutputs: width,
  targets,
});

describe("edges", () => {
  test("of equally likely classes the first is the answer", () => {
    expect(accuracy(of([0.5, 0.5, 0.5, 0.5], 2, [0, 1]))).toBe(0.5);
    expect(topK(1)(of([0.5, 0.5, 0.5, 0.5], 2, [0, 1]))).toBe(0.5);
    expect(topK(2)(of([0.5, 0.5, 0.5, 0.5], 2, [0, 1]))).toBe(1);
    expect(accuracy(of([0.5, 0.49], 1, [1, 1]))).toBe(0.5);
  });

  test("an answer that holds NaN is never right", () => {
    const broken = of([Number.NaN, 1, 0, 1], 2, [1, 1]);
    expect([accuracy(broken), topK(1)(broken), topK(2)(broken)]).toEqual([0.5, 0.5, 0.5]);
    expect(auc(broken)).toBeNaN();
    expect(confusionMatrix(broken)).toEqual([
      [0, 0],
      [0, 1],
    ]);
    expect(accuracy(of([Number.NaN], 1, [0]))).toBe(0);
  });

  test("of nothing there is no figure", () => {
    for (const metric of [accuracy, auc, meanSquaredError, topK(1)]) expect(metric(of([], 3, []))).toBeNaN();
  });

  test("values fill whole rows, and are numbers, as targets are", () => {
    for (const metric of [accuracy, auc, meanSquaredError, topK(1), f1(), confusionMatrix]) {
      expect(() => metric(of([1, 0, 1], 2, [0]))).toThrow("3 values do not fill rows of 2 numbers");
      expect(() => metric({ values: [1, 0] as never, numOutputs: 2, targets: [0] })).toThrow("values is an array");
      expect(() => metric({ values: Float32Array.of(1, 0), numOutputs: 2, targets: undefined as never })).toThrow();
    }
    expect(() => argmaxRows(Float32Array.of(1, 0, 1), 2)).toThrow("argmaxRows: 3 values do not fill rows of 2");
    expect(() => argmaxRows([1, 0] as never, 2)).toThrow("argmaxRows: values is an array, expected a Float32Array");
    expect(() => auc(of([0.5, 0.5], 1, [1]))).toThrow("auc: 2 predictions of 1 numbers and 1 targets, expected 2");
    for (const target of ["1", null, undefined, 1n])
      expect(() => meanSquaredError(of([1], 1, [target as never]))).toThrow(/meanSquaredError: target 0 is .*a number/);
  });

  test("the mean of many figures keeps what is small beside a large one", () => {
    const errors = [1e8, ...Array.from({ length: 99 }, () => 1)];
    expect(meanSquaredError(of(errors, 1, new Array(100).fill(0))) * 100 - 1e16).toBeGreaterThan(90);
  });

  test("what does not fit is named", () => {
    expect(() => accuracy(of([1, 0, 0, 1], 2, [1, 0, 1]))).toThrow("2 predictions of 2 numbers and 3 targets");
    expect(() => f1()(of([1, 0, 0], 3, [0]))).toThrow('Use average: "macro"');
    expect(() => topK(0)(of([1, 0], 2, [0]))).toThrow("k is 0, expected a whole number of at least 1");
    expect(() => topK(1)(of([1], 1, [1]))).toThrow("expected one class for each prediction");
    expect(() => meanSquaredError(of([1, 0], 2, [0]))).toThrow("2 numbers and 1 targets");
    expect(() => confusionMatrix(of([1, 0], 2, [2]))).toThrow(
      "confusionMatrix: target 0 is 2, expected a class of 0 … 1",
    );
  });
});
