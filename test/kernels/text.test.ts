import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/* A shader looks like a shader: its text is read from top to bottom, and not what a program makes of it. */

const kernels = fileURLToPath(new URL("../../src/kernels", import.meta.url));
const files = (readdirSync(kernels, { recursive: true }) as string[])
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ file, text: readFileSync(join(kernels, file), "utf8") }));

describe.each(files)("$file", ({ text }) => {
  test("inserts no more than once in four lines", () => {
    const inserted = text.match(/\$\{/g)?.length ?? 0;
    expect(inserted / (text.match(/\n/g)?.length ?? 1)).toBeLessThanOrEqual(0.25);
  });

  test("leaves its bindings to be numbered", () => {
    expect(text.match(/@binding\((?!_\))[^)]*/g)).toBeNull();
  });

  test("unrolls by #unroll", () => {
    expect(text).not.toMatch(/\beach\(/);
  });
});

test("there are kernels to look at", () => expect(files.length).toBeGreaterThan(50));
