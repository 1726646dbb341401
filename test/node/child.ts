import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  /** Exit code; null where the process was killed for not ending. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a module as a Node process of its own, in a folder where only `packages` are installed. */
export async function runChild(
  source: string,
  {
    packages = ["webgpu", "@sparticuz"],
    env = {},
    seconds = 20,
  }: { packages?: string[]; env?: Record<string, string>; seconds?: number } = {},
): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), "handgrad-test-"));
  try {
    await build({
      stdin: { contents: source, resolveDir: root, loader: "ts" },
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["webgpu", "@sparticuz/chromium", "fflate"],
      outfile: join(folder, "main.mjs"),
      logLevel: "error",
    });
    await writeFile(join(folder, "package.json"), "{}");
    const modules = join(folder, "node_modules");
    await mkdir(modules);
    for (const name of packages) {
      await symlink(join(root, "node_modules", name), join(modules, name));
    }
    return await new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ["main.mjs"], { cwd: folder, env: { ...process.env, ...env } });
      const ended: Ended = { code: null, stdout: "", stderr: "" };
      child.stdout.on("data", (text) => {
        ended.stdout += text;
      });
      child.stderr.on("data", (text) => {
        ended.stderr += text;
      });
      const late = setTimeout(() => child.kill("SIGKILL"), 1000 * seconds);
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(late);
        resolve({ ...ended, code });
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
