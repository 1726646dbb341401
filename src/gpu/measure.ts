import { makePlan, type Parts, type Plan, signature } from "./plan.ts";
import { dropPlan } from "./plans.ts";
import { Recording } from "./recording.ts";
import type { Wait } from "./wait.ts";

/** Rounds over all variants of a choice, so that a busy moment does not fall on one of them alone. */
const ROUNDS = 5;
/** Milliseconds that a sample should last, by repeating the work, to be longer than what submitting costs. */
const SAMPLE = 2;
/** A variant must be faster than the default by this factor to take its place: less is noise. */
const MARGIN = 1.1;

/**
 * Measures every variant of a recording's choices that was not measured before. Only temporaries are written: what a step
 * changes is not changed here.
 *
 * @returns the best variant for each key that was measured now.
 */
export async function measureVariants(recording: Recording, parts: Parts, wait: Wait): Promise<Map<string, string>> {
  const best = new Map<string, string>();
  for (const { key, variants, variant: chosen } of recording.choices) {
    if (recording.tuning.has(key) || best.has(key)) continue;
    const times = await timeVariants(recording, variants, parts, wait);
    const fastest = [...times].reduce((a, b) => (b[1] < a[1] ? b : a));
    const variant = fastest[1] * MARGIN < times.get(chosen)! ? fastest[0] : chosen;
    best.set(key, variant);
  }
  return best;
}

/** The median milliseconds of each variant. */
async function timeVariants(
  recording: Recording,
  variants: Readonly<Record<string, (r: Recording) => void>>,
  parts: Parts,
  wait: Wait,
): Promise<Map<string, number>> {
  const { device } = parts.memory;
  const recorded = Object.entries(variants).map(([name, variant]) => {
    const alone = new Recording(recording.limits, recording.features, recording.tuning, 0, recording);
    variant(alone);
    return { name, alone };
  });
  await Promise.all(recorded.flatMap(({ alone }) => alone.dispatches.map((d) => parts.pipelines.compile(d))));
  const plans: { name: string; plan: Plan; upload: () => void; repeats: number; samples: number[] }[] = [];
  try {
    for (const { name, alone } of recorded) {
      const { uploads } = signature(alone, []);
      const plan = await makePlan(alone, uploads, [], parts);
      // Before every sample: the variants share their memory.
      const upload = () =>
        uploads.forEach((slot, i) => {
          device.queue.writeBuffer(plan.uploadBuffer!, plan.uploadOffsets[i]!, slot.host as GPUAllowSharedBufferSource);
        });
      plans.push({ name, plan, upload, repeats: 1, samples: [] });
      upload();
      const warm = await time(device, plan, 1, wait);
      plans.at(-1)!.repeats = Math.min(64, Math.max(1, Math.ceil(SAMPLE / warm)));
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { plan, upload, repeats, samples } of plans) {
        upload();
        samples.push((await time(device, plan, repeats, wait)) / repeats);
      }
    }
  } finally {
    for (const { plan } of plans) dropPlan(plan, parts.memory, parts.scratch);
  }
  return new Map(plans.map(({ name, samples }) => [name, samples.sort((a, b) => a - b)[ROUNDS >> 1]!]));
}

async function time(device: GPUDevice, { commands }: Plan, repeats: number, wait: Wait): Promise<number> {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < repeats; i++) {
    for (const { pipeline, bindGroup, grid } of commands) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...grid);
    }
  }
  pass.end();
  const start = performance.now();
  device.queue.submit([encoder.finish()]);
  await wait(device.queue.onSubmittedWorkDone());
  return performance.now() - start;
}
