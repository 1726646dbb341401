import type { Dispatch } from "./dispatch.ts";
import { DeviceEnded, type Health } from "./health.ts";
import type { Counters } from "./memory.ts";

/** Compiles each kernel once, in parallel with the others. */
export class Pipelines {
  readonly #pipelines = new Map<number, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(
    readonly device: GPUDevice,
    readonly counters: Counters,
    readonly health: Health,
  ) {}

  /** @throws Error naming the kernel, with the compiler's messages, when its WGSL is wrong. */
  compile(dispatch: Dispatch): Promise<GPUComputePipeline> {
    const { kernel } = dispatch;
    let pipeline = this.#pipelines.get(kernel.id);
    if (!pipeline) {
      pipeline = this.#create(dispatch, this.layout(dispatch));
      this.#pipelines.set(kernel.id, pipeline);
      // What failed for want of memory may do another time.
      pipeline.catch(() => this.#pipelines.delete(kernel.id));
    }
    return pipeline;
  }

  layout({ reads, writes, params }: Dispatch): GPUBindGroupLayout {
    const key = `${reads.length},${writes.length},${params ? 1 : 0}`;
    let layout = this.#layouts.get(key);
    if (!layout) {
      const types: GPUBufferBindingType[] = [
        ...reads.map(() => "read-only-storage" as const),
        ...writes.map(() => "storage" as const),
        ...(params ? ["uniform" as const] : []),
      ];
      layout = this.device.createBindGroupLayout({
        entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  async #create({ kernel, reads, writes, params }: Dispatch, layout: GPUBindGroupLayout): Promise<GPUComputePipeline> {
    const { label, code } = kernel;
    this.counters.pipelines += 1;
    // What is wrong with it, the pipeline's error tells; the engine goes on.
    const module = this.health.watch(
      () => this.device.createShaderModule({ label, code }),
      () => {},
    );
    try {
      return await this.health.until(
        this.device.createComputePipelineAsync({
          label,
          layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module },
        }),
      );
    } catch (error) {
      if (error instanceof DeviceEnded) throw error;
      const { messages } = await module.getCompilationInfo();
      const lines = messages.map((m) => `  line ${m.lineNum}: ${m.message}`).join("\n");
      const declared = code.match(/@binding\(/g)?.length ?? 0;
      const given = reads.length + writes.length + (params ? 1 : 0);
      // A compiler has nothing to say of a binding that is not given.
      if (!lines && declared > given)
        throw new Error(
          `${label}: its shader has ${declared} bindings, but its dispatch gives ${given}: ${reads.length} reads, ${writes.length} writes and ${params ? "its params" : "no params"}.`,
        );
      throw new Error(`${label}: its shader did not compile.\n${lines || error}`);
    }
  }
}
