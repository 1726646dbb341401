import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { decodeSafetensors } from "../../src/model/index.ts";

/* The article's program in its smallest form: that it runs from end to end, and says what it did. */

const root = fileURLToPath(new URL("../..", import.meta.url));

test("trains, evaluates, saves, loads and learns from judgements", () => {
  const folder = mkdtempSync(join(tmpdir(), "handgrad-article-"));
  try {
    const out = join(folder, "run");
    const run = () =>
      execFileSync("npm", ["run", "--silent", "article", "--", "--tiny", "--json", "--out", out], {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    const result = JSON.parse(run().trim().split("\n").at(-1)!);
    expect(result).toMatchObject({ task: "is the digit five or more?", form: "tiny", judgements: 10, epochs: 1 });
    for (const key of ["testLoss", "testAccuracy", "afterFeedback", "afterFeedbackLoss"])
      expect(Number.isFinite(result[key]), key).toBe(true);
    expect(result.loadedAgain).toEqual({ testLoss: result.testLoss, testAccuracy: result.testAccuracy });
    expect(readFileSync(join(out, "feedback.jsonl"), "utf8").trim().split("\n")).toHaveLength(10);
    for (const name of ["last", "best", "model", "taught"])
      expect(existsSync(join(out, `${name}.safetensors`)), name).toBe(true);
    const weights = (name: string) => decodeSafetensors(readFileSync(join(out, `${name}.safetensors`))).tensors;
    expect(weights("model")).toEqual(weights("best"));
    expect(weights("taught")).not.toEqual(weights("model"));
    // A folder that is there is left alone.
    expect(run).toThrow(/is there already/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
