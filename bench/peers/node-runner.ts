import { join } from "node:path";
import { createEngine, openAdapter } from "handgrad/node";
import { offerGpu, startCounting } from "./count.ts";
import { handgrad } from "./handgrad.ts";
import { type Runner, runnerOf } from "./runner.ts";

/** The engines in this process, those of them that compute on the CPU too. `folder` is that of the peers' package. */
export async function nodeRunner(
  folder: string,
  versions: { handgrad: string; jax: string },
  wanted: readonly string[],
  { python, software }: { python: string; software: boolean },
): Promise<Runner> {
  const engine = await createEngine({ seed: 1, software });
  startCounting();
  offerGpu(() => openAdapter({ software }));
  // Imported late: some look for `navigator.gpu` at once.
  return runnerOf(
    engine,
    handgrad(engine, versions.handgrad),
    [
      ["jax-js-webgpu", async () => (await import("./jax.ts")).jax(versions.jax)],
      ["tfjs-webgpu", async () => (await import("./tfjs.ts")).tfjs()],
      ["pytorch-cpu", async () => (await import("./torch.ts")).torch(join(folder, "pytorch.py"), python)],
      [
        "onnxruntime-cpu",
        async () => (await import("./ort.ts")).ort(engine, join(folder, "node_modules/onnxruntime-node")),
      ],
    ],
    wanted,
  );
}
