import type { Plan } from "./plan.ts";

/** By kernel label: how often it ran, and the milliseconds from submitting it to its end, together. */
export type Profile = Map<string, { count: number; milliseconds: number }>;

/** Submits every command on its own and waits for it. */
export async function timeCommands(device: GPUDevice, commands: Plan["commands"], profile: Profile): Promise<void> {
  await device.queue.onSubmittedWorkDone();
  for (const { label, pipeline, bindGroup, grid } of commands) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...grid);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const entry = profile.get(label) ?? { count: 0, milliseconds: 0 };
    entry.count += 1;
    entry.milliseconds += performance.now() - start;
    profile.set(label, entry);
  }
}
