import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/* The numbered examples, run as their first comment says: that each reaches what it is there to show. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const numbered = readdirSync(join(root, "examples")).filter((file) => /^\d\d-.*\.ts$/.test(file));

/** What an example printed, by its last number in each line. */
function run(file: string): { text: string; numbers: number[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/run.mjs", `examples/${file}`], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return { text: stdout, numbers: stdout.match(/-?\d+(\.\d+)?/g)!.map(Number) };
}

const accuracies = (text: string) =>
  Object.fromEntries(
    [...text.matchAll(/^(.*?):? ?accuracy (\d\.\d+)(.*)$/gm)].map(([, a, x, b]) => [a || b, Number(x)]),
  );

const claims: Record<string, (printed: ReturnType<typeof run>) => void> = {
  "01-autograd.ts": ({ numbers }) => {
    const xs = [-1, 0, 1, 2];
    const slopes = xs.map((x) => 1 - Math.tanh(0.5 * x + 0.1) ** 2);
    const sum = (values: number[]) => values.reduce((a, b) => a + b);
    const expected = [sum(xs.map((x) => Math.tanh(0.5 * x + 0.1))), sum(xs.map((x, i) => x * slopes[i]!)), sum(slopes)];
    for (const [i, found] of numbers.entries()) expect(found).toBeCloseTo(expected[i]!, 3);
    expect(numbers).toHaveLength(3);
  },
  "02-fit-a-line.ts": ({ text }) => {
    const [, slope, offset] = /^y = (\S+) x \+ (\S+)$/m.exec(text)!.map(Number);
    expect(Math.abs(slope! - 3)).toBeLessThan(0.05);
    expect(Math.abs(offset! + 2)).toBeLessThan(0.05);
  },
  "03-images.ts": ({ text }) => expect(accuracies(text)[" on 200 new images"]).toBeGreaterThan(0.95),
  "04-text-gru.ts": ({ text }) => expect(accuracies(text)[" on 200 other sentences"]).toBeGreaterThan(0.95),
  "05-multimodal.ts": ({ text }) => {
    const found = accuracies(text);
    expect(Object.keys(found)).toHaveLength(7);
    expect(found.all).toBeGreaterThan(0.95);
    for (const part of ["image", "text", "audio"]) expect(found[part], part).toBeLessThan(0.7);
  },
  "06-judgements.ts": ({ text }) => {
    const found = accuracies(text);
    expect(found[" before any judgement"]).toBeLessThan(0.5);
    expect(found[" after 160 judgements"]).toBeGreaterThan(0.7);
  },
  "07-custom-op.ts": ({ text }) => expect(text).toBe("x³: -8,-1,1,8\nits gradient: 12,3,3,12\n"),
};

test("each numbered example has a claim, and at most 40 lines", () => {
  expect(numbered).toEqual(Object.keys(claims));
  for (const file of numbered)
    expect(
      readFileSync(join(root, "examples", file), "utf8")
        .trimEnd()
        .split("\n").length,
      file,
    ).toBeLessThanOrEqual(40);
});

test.each(numbered)("%s reaches what it is there to show", (file) => claims[file]!(run(file)));

test("handgrad/… is here the source of what it is when installed", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { paths } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")).compilerOptions;
  const entries = Object.entries<{ default: string } | string>(exports).flatMap(([name, target]) =>
    typeof target === "string"
      ? []
      : [[`handgrad${name.slice(1)}`, [target.default.replace("dist/", "").replace(/js$/, "ts")]]],
  );
  expect(paths).toEqual(Object.fromEntries(entries));
});
