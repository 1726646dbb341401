import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  configMetadata,
  decodeSafetensors,
  encodeSafetensors,
  MultimodalNet,
  setWeights,
  WeightsError,
  weightsOf,
} from "../../src/model/index.ts";
import { loadModel, loadSafetensors, saveModel, saveSafetensors } from "../../src/node.ts";
import { soon } from "../soon.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine();

const tensors = () =>
  new Map([
    ["a", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["b.c", { shape: [], data: Float32Array.of(-0.5) }],
    ["empty", { shape: [0, 4], data: new Float32Array() }],
  ]);
const file = () => encodeSafetensors({ tensors: tensors(), metadata: { note: "é" } });

describe("the format", () => {
  test("what is written is read again", () => {
    const { tensors: found, metadata } = decodeSafetensors(file());
    expect(found).toEqual(tensors());
    expect(metadata).toEqual({ note: "é" });
  });

  test("a tensor may have any name", () => {
    const named = new Map(["__proto__", "constructor", "toString"].map((name) => [name, tensors().get("a")!]));
    expect(decodeSafetensors(encodeSafetensors({ tensors: named, metadata: {} })).tensors).toEqual(named);
  });

  test("a Buffer that is part of a larger one is read as well", () => {
    const large = Buffer.concat([Buffer.alloc(13), file()]);
    expect(decodeSafetensors(large.subarray(13)).tensors).toEqual(tensors());
  });

  test("it is laid out as the format says: an independent reading in Python", () => {
    const folder = mkdtempSync(join(tmpdir(), "handgrad-safetensors-"));
    try {
      writeFileSync(join(folder, "x"), file());
      const code = `
import json, struct, sys
f = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", f[:8])[0]
h = json.loads(f[8:8+n])
a, b = h["a"]["data_offsets"]
print(json.dumps([n % 8, h["a"]["dtype"], h["a"]["shape"], struct.unpack("<6f", f[8+n+a:8+n+b]), h["__metadata__"]]))`;
      const out = execFileSync("python3", ["-c", code, join(folder, "x")], { encoding: "utf8" });
      expect(JSON.parse(out)).toEqual([0, "F32", [2, 3], [1, 2, 3, 4, 5, 6], { note: "é" }]);
    } catch (error) {
      // Python is not a need of the project.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const withHeader = (header: unknown, bytes = 24) => {
    const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
    const all = new Uint8Array(8 + json.length + bytes);
    new DataView(all.buffer).setBigUint64(0, BigInt(json.length), true);
    all.set(json, 8);
    return all;
  };
  const a = { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] };
  test.each<[string, Uint8Array, RegExp]>([
    ["no file", new Uint8Array(3), /3 bytes, expected at least 8/],
    ["a header of a gigabyte", Uint8Array.of(0, 0, 0, 0x40, 0, 0, 0, 0, 1, 2), /claims 1073741824 bytes/],
    ["no JSON", withHeader("{"), /not JSON/],
    ["a list", withHeader([]), /not an object/],
    ["another type", withHeader({ a: { ...a, dtype: "F8_E4M3" } }), /"a" is "F8_E4M3", expected one of F64, F32, F16/],
    ["a shape that is none", withHeader({ a: { ...a, shape: [-1] } }), /shape \[-1\]/],
    ["numbers beyond the end", withHeader({ a: { ...a, data_offsets: [0, 28] } }), /lies at/],
    ["a size that does not fit", withHeader({ a: { ...a, shape: [2, 2] } }), /24 bytes, expected 16/],
    ["overlap", withHeader({ a, b: a }, 24), /overlap/],
    ["a gap", withHeader({ a }, 32), /overlap or leave gaps/],
    ["metadata that are none", withHeader({ __metadata__: { a: 1 }, a }), /metadata are \{"a":1\}/],
    [
      "a shape nested without end",
      withHeader(`{"a":{"dtype":"F32","shape":${"[".repeat(1e5)}${"]".repeat(1e5)}}}`),
      /"a"/,
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, "w")).toThrow(WeightsError);
    expect(() => decodeSafetensors(bytes, "w")).toThrow(message);
  });

  const raw = (dtype: string, bytes: Uint8Array) => {
    const count = bytes.length / (Number(/\d+/.exec(dtype)?.[0] ?? 8) / 8);
    const file = withHeader({ a: { dtype, shape: [count], data_offsets: [0, bytes.length] } }, bytes.length);
    file.set(bytes, file.length - bytes.length);
    return file;
  };
  const bytesOf = (numbers: ArrayBufferView) => new Uint8Array(numbers.buffer);
  test.each<[string, Uint8Array, number[]]>([
    ["F64", bytesOf(Float64Array.of(0.5, -3, Number.NaN, -0, Infinity)), [0.5, -3, Number.NaN, -0, Infinity]],
    ["F16", bytesOf(Uint16Array.of(0x3c00, 0xc000, 1, 0x7c00, 0x7bff)), [1, -2, 2 ** -24, Infinity, 65504]],
    ["BF16", bytesOf(Uint16Array.of(0x3f80, 0xc000, 0xff80, 1)), [1, -2, -Infinity, 2 ** -133]],
    ["I64", bytesOf(BigInt64Array.of(3n, -(2n ** 60n))), [3, -(2 ** 60)]],
    ["U64", bytesOf(BigUint64Array.of(2n ** 63n)), [2 ** 63]],
    ["I32", bytesOf(Int32Array.of(-5, 2 ** 24)), [-5, 2 ** 24]],
    ["U32", bytesOf(Uint32Array.of(2 ** 31)), [2 ** 31]],
    ["I16", bytesOf(Int16Array.of(-7)), [-7]],
    ["U16", bytesOf(Uint16Array.of(65535)), [65535]],
    ["I8", bytesOf(Int8Array.of(-1)), [-1]],
    ["U8", bytesOf(Uint8Array.of(255)), [255]],
    ["BOOL", bytesOf(Uint8Array.of(1, 0)), [1, 0]],
  ])("%s becomes float32", (dtype, bytes, numbers) => {
    expect([...decodeSafetensors(raw(dtype, bytes), "w").tensors.get("a")!.data]).toEqual(numbers);
  });
  test.each<[string, Uint8Array, string]>([
    ["I64", bytesOf(BigInt64Array.of(2n ** 24n + 1n)), "holds 16777217 at 0, which float32 does not have"],
    ["I32", bytesOf(Int32Array.of(0, 2 ** 24 + 1)), "holds 16777217 at 1"],
    ["U64", bytesOf(BigUint64Array.of(2n ** 64n - 1n)), "holds 18446744073709551615"],
    ["F64", bytesOf(Float64Array.of(0.1)), "(F64) holds 0.1 at 0, which float32 does not have. Save it as F32."],
    ["F64", bytesOf(Float64Array.of(1e300)), "holds 1e+300"],
    ["BOOL", bytesOf(Uint8Array.of(1, 2)), "holds the byte 2 at 1, expected 0 or 1 of a boolean"],
  ])("%s that float32 does not have is refused by name", (dtype, bytes, message) => {
    expect(() => decodeSafetensors(raw(dtype, bytes), "w")).toThrow(WeightsError);
    expect(() => decodeSafetensors(raw(dtype, bytes), "w")).toThrow(`w: tensor "a"`);
    expect(() => decodeSafetensors(raw(dtype, bytes), "w")).toThrow(message);
  });

  test("tensors called as what every object has, and sizes that are not those of the numbers", () => {
    const tensors = new Map(
      ["__proto__", "constructor"].map((name) => [name, { shape: [1], data: Float32Array.of(7) }]),
    );
    const read = decodeSafetensors(encodeSafetensors({ tensors, metadata: {} }));
    expect([...read.tensors.keys()]).toEqual(["__proto__", "constructor"]);
    const wrong = new Map([["w", { shape: [3], data: new Float32Array(2) }]]);
    expect(() => encodeSafetensors({ tensors: new Map(), metadata: { epoch: 3 as unknown as string } })).toThrow(
      "encodeSafetensors: metadata.epoch is 3, expected a text",
    );
    expect(() => encodeSafetensors({ tensors: wrong, metadata: {} })).toThrow('tensor "w" is [3], expected 3 numbers');
  });

  test("many tensors over the same bytes are refused before any is copied", () => {
    const [megabytes, many] = [4, 20_000]; // 80 GB, were they copied
    const span = { dtype: "F32", shape: [megabytes << 18], data_offsets: [0, megabytes << 20] };
    const bytes = withHeader(Object.fromEntries(Array.from({ length: many }, (_, i) => [i, span])), megabytes << 20);
    const expectSoon = soon(5000);
    expect(() => decodeSafetensors(bytes, "w")).toThrow(/w: .*overlap/);
    expectSoon();
  });

  test("any damage is a WeightsError or another valid file, never anything else", () => {
    const good = file();
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
        const bad = good.slice(0, length);
        if (at < length) bad[at] = byte;
        try {
          decodeSafetensors(bad);
        } catch (error) {
          expect(error).toBeInstanceOf(WeightsError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a network's weights", () => {
  const config = {
    image: { shape: [1, 8, 8], channels: [2] },
    text: { vocabSize: 7, embeddingDim: 3 },
    audio: { features: 3, hidden: 4 },
    head: { hidden: 5, outputs: 4 },
  } as const;
  const folder = mkdtempSync(join(tmpdir(), "handgrad-weights-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("are saved and loaded, and the same seed gives the same file", async () => {
    const [one, other] = [1, 2].map((seed) => new MultimodalNet(engine, { ...config, seed }));
    await saveSafetensors(one!, join(folder, "one"), { k: "v" });
    expect(await loadSafetensors(other!, join(folder, "one"))).toEqual({ k: "v" });
    expect((await weightsOf(other!)).tensors).toEqual((await weightsOf(one!)).tensors);
    await saveSafetensors(new MultimodalNet(engine, { ...config, seed: 1 }), join(folder, "again"), {
      k: "v",
    });
    expect(readFileSync(join(folder, "again")).equals(readFileSync(join(folder, "one")))).toBe(true);
  });

  test("of another network are refused, and nothing is changed", async () => {
    const net = new MultimodalNet(engine, { ...config, fusion: { kind: "weighted" }, seed: 3 });
    const before = (await weightsOf(net)).tensors;
    await expect(loadSafetensors(net, join(folder, "one"))).rejects.toThrow(
      /there is no tensor "fusion\.image\.weight"/,
    );
    const wide = new MultimodalNet(engine, { ...config, head: { hidden: 6, outputs: 4 } });
    await expect(loadSafetensors(wide, join(folder, "one"))).rejects.toThrow(
      /"head\.hidden\.weight" is \[5, 39\], this network's is \[6, 39\]/,
    );
    expect((await weightsOf(net)).tensors).toEqual(before);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "that hold %d are neither saved nor loaded, unless that is asked for",
    async (bad) => {
      const net = new MultimodalNet(engine, { ...config, seed: 4 });
      const dead = await weightsOf(net);
      dead.tensors.get("head.hidden.weight")!.data[7] = bad;
      const message = new RegExp(`"head\\.hidden\\.weight" holds ${bad} at 7, expected finite numbers`);
      expect(() => encodeSafetensors(dead)).toThrow(message);
      const before = (await weightsOf(net)).tensors;
      expect(() => setWeights(net, dead)).toThrow(message);
      const path = join(folder, `dead ${bad}`);
      writeFileSync(path, encodeSafetensors(dead, { allowNonFinite: true }));
      await expect(loadSafetensors(net, path)).rejects.toThrow(message);
      expect((await weightsOf(net)).tensors).toEqual(before);
      writeFileSync(path, encodeSafetensors({ ...dead, metadata: configMetadata(net) }, { allowNonFinite: true }));
      await expect(loadModel(engine, path)).rejects.toThrow(message);
      await loadModel(engine, path, { allowNonFinite: true });
      await loadSafetensors(net, path, { allowNonFinite: true });
      await expect(saveSafetensors(net, join(folder, "never"))).rejects.toThrow(message);
      await expect(saveModel(net, join(folder, "never"))).rejects.toThrow(message);
      expect(readdirSync(folder)).not.toContain("never");
    },
  );

  test.each([
    [{ fusion: { kind: "sum" } }, /fusion\.kind is "sum"/],
    [{ head: { outputs: 0 } }, /head\.outputs is 0/],
    [{ image: { shape: [1, 1, 8] } }, /expected larger sides/],
    [{ head: { outputs: 2, dropout: 1 } }, /head\.dropout is 1, expected a number of at least 0 and under 1/],
  ])("a configuration that cannot be, %o, is named", (wrong, message) => {
    expect(() => new MultimodalNet(engine, { ...config, ...(wrong as object) })).toThrow(message);
  });

  test("a batch that does not fit names its part", async () => {
    const net = new MultimodalNet(engine, config);
    const batch = { image: new Float32Array(128), words: new Int32Array(7), audio: new Float32Array(6) };
    await expect(engine.step(() => net.forward(batch))).rejects.toThrow(
      /batch\.words holds 7 numbers, which do not fill \[2, …\]/,
    );
  });
});
