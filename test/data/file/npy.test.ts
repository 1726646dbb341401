import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError, decodeNpy, encodeNpy, type NpyData, npyFloats, npyIntegers } from "../../../src/data/index.ts";
import { expected, file, plain } from "../numpy.ts";

describe(".npy", () => {
  test.each(Object.entries(expected))("%s by numpy is what numpy has", (name, { shape, values }) => {
    const found = decodeNpy(file(`${name}.npy`), name);
    expect(found.shape).toEqual(shape);
    expect(plain(found)).toEqual(values.map((x) => (typeof x === "boolean" ? Number(x) : x)));
  });

  test("what is written is what numpy writes, byte for byte", () => {
    for (const name of ["f4", "i8", "u1", "scalar", "text", "empty"]) {
      const bytes = file(`${name}.npy`);
      // numpy leaves room in the header for its shape to grow, so the number of spaces may differ.
      const text = (b: Uint8Array) => new TextDecoder("latin1").decode(b).replace(/ +\n/, "\n").slice(10);
      expect(text(encodeNpy(decodeNpy(bytes))), name).toBe(text(bytes));
    }
  });

  test("what is written is read again", () => {
    const types = [Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array, Uint32Array];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }), fc.nat(types.length - 1), (shape, t) => {
        const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
        const array = { shape, data: types[t]!.from(data) };
        expect(decodeNpy(encodeNpy(array))).toEqual(array);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (texts) => {
        const data = texts.map((text) => text.replace(/\0/g, ""));
        expect(decodeNpy(encodeNpy({ shape: [data.length], data })).data).toEqual(data);
      }),
    );
    const big = { shape: [2], data: BigInt64Array.of(-(2n ** 63n), 5n) };
    expect(decodeNpy(encodeNpy(big))).toEqual(big);
    expect(() => encodeNpy({ shape: [3], data: new Float32Array(2) })).toThrow(
      "the shape [3] holds 3 numbers, found 2",
    );
  });

  test("as float32 and int32", () => {
    expect(npyFloats(decodeNpy(file("i8.npy"))).slice(0, 3)).toEqual(Float32Array.of(-3, -2, -1));
    expect(npyIntegers(decodeNpy(file("i8.npy"))).slice(0, 3)).toEqual(Int32Array.of(-3, -2, -1));
    expect(() => npyIntegers(decodeNpy(file("f4.npy")), "x")).toThrow("x: number 0 is -0.75, expected a whole number");
    expect(() => npyFloats(decodeNpy(file("text.npy")), "x")).toThrow("x: holds strings");
  });

  test("float32 rounds floats, and refuses whole numbers that it would change", () => {
    const floats = (data: NpyData) => npyFloats({ shape: [data.length], data }, "x");
    expect(floats(Float64Array.of(0.1, Number.NaN, Infinity))).toEqual(Float32Array.of(0.1, Number.NaN, Infinity));
    expect(floats(BigInt64Array.of(-(2n ** 63n), 3n))).toEqual(Float32Array.of(-(2 ** 63), 3));
    expect(floats(Int32Array.of(2 ** 24))).toEqual(Float32Array.of(2 ** 24));
    for (const [data, found] of [
      [BigInt64Array.of(1n, 2n ** 53n + 1n), "9007199254740993"],
      [BigUint64Array.of(1n, 2n ** 64n - 1n), "18446744073709551615"],
      [Int32Array.of(1, 2 ** 24 + 1), "16777217"],
      [Uint32Array.of(1, 2 ** 32 - 1), "4294967295"],
      [Float64Array.of(1, 1e300), "1e+300"],
    ] as const)
      expect(() => floats(data)).toThrow(`x: number 1 is ${found}, which float32 does not hold.`);
  });

  const withHeader = (text: string, bytes = 0) => {
    const npy = new Uint8Array(10 + text.length + bytes);
    npy.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
    npy.set(new TextEncoder().encode(text), 10);
    return npy;
  };
  const shaped = (shape: string, type = "<f4") =>
    withHeader(`{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }`);
  test.each<[string, Uint8Array, RegExp]>([
    ["no npy", new Uint8Array(9), /^x: not an \.npy file: 9 bytes/],
    [
      "a huge shape",
      shaped("(1000000, 1000000)"),
      /\[1000000, 1000000\] of 4 bytes each is 4000000000000 bytes, the file has 0/,
    ],
    ["a shape beyond counting", shaped("(4294967296, 4294967296, 4294967296)"), /its shape is \(4294967296, /],
    ["a shape of many sizes", shaped(`(${"1, ".repeat(1000)})`), /its shape is \(1, 1, 1, 1, 1, 1, 1, 1, …\)/],
    ["endless strings of no letters", shaped("(4000000000,)", "<U0"), /4000000000 strings of no letters/],
    ["objects, which would be pickled", file("object.npy"), /type '\|O'/],
    ["records", file("record.npy"), /of a kind that is not read/],
    ["code", shaped("(__import__('os').system('x'),)"), /its header is/],
    ["a cut-off header", file("f4.npy").subarray(0, 60), /its header claims 118 bytes, the file has 60/],
    ["cut-off numbers", file("f4.npy").subarray(0, 170), /\[3, 4\] of 4 bytes each is 48 bytes, the file has 42/],
    ["another version", Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 9, 0, 0, 0), /version 9, expected 1, 2 or 3/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeNpy(bytes, "x")).toThrow(DataError);
    expect(() => decodeNpy(bytes, "x")).toThrow(message);
  });
});

test("an .npy of 200,000 strings", () => {
  const words = Array.from({ length: 200_000 }, (_, i) => `w${i}`);
  const { shape, data } = decodeNpy(encodeNpy({ shape: [words.length], data: words }));
  expect([shape, (data as string[]).join()]).toEqual([[200_000], words.join()]);
  expect(() => encodeNpy({ shape: [1], data: ["a\0"] })).toThrow("string 0 ends with a zero");
  expect(() => encodeNpy({ shape: [-1, -2], data: Float32Array.of(1, 2) })).toThrow("the shape is [-1, -2]");
});
