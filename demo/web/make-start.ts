import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { decodeSafetensors, encodeSafetensors } from "handgrad/model";
import { replaceFile } from "handgrad/node";

/*
 * npm run make:start: the network that the page begins with, so that the first answer is there at once. The terminal
 * program trains it on the 300 labels of the set "start"; then each number is rounded to the 8 bits of precision of a
 * bfloat16, which halves the file. An argument names the folder of such a run that was made before.
 */

const OUT = "demo/data/start.safetensors.gz";

const temporary = mkdtempSync(join(tmpdir(), "handgrad-start-"));
try {
  let run = process.argv[2];
  if (run === undefined) {
    run = join(temporary, "run");
    execFileSync(process.execPath, ["dist/cli.js", "train", "--set", "start", "--seed", "1", "--out", run], {
      stdio: "inherit",
    });
  }
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(run, "model.safetensors")));
  for (const { data } of tensors.values()) {
    const bits = new Uint32Array(data.buffer);
    // To the nearest; half way goes to the even neighbor.
    for (const [i, x] of bits.entries()) bits[i] = (x + 0x7fff + ((x >>> 16) & 1)) & 0xffff0000;
  }
  const file = gzipSync(encodeSafetensors({ tensors, metadata }), { level: 9 });
  await replaceFile(OUT, file);
  console.log(`${OUT}: ${file.length} bytes`);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
