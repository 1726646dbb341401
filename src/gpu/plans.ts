import type { Memory } from "./memory.ts";
import type { Plan, Scratch } from "./plan.ts";

/** Plans kept at most. */
const PLANS = 512;
/** Bytes that plans may keep in any case. Beyond them it is twice what the largest plan needs alone. */
const FLOOR = 2 << 20;

/** Plans kept for replay. The one unused for longest is dropped first, with the memory that it alone used. */
export class Plans {
  readonly #plans = new Map<string, Plan>();
  #paramsBytes = 0;

  constructor(
    readonly memory: Memory,
    readonly scratch: Scratch,
  ) {
    memory.onTrim(() => {
      for (const key of this.#plans.keys()) this.#drop(key);
    });
  }

  find(key: string): Plan | undefined {
    const plan = this.#plans.get(key);
    if (plan) {
      this.#plans.delete(key);
      this.#plans.set(key, plan);
    }
    return plan;
  }

  add(key: string, plan: Plan): void {
    this.#plans.set(key, plan);
    this.#paramsBytes += plan.paramsBuffer?.size ?? 0;
    // Those that name memory which is gone can never be asked for again.
    for (const [other, { regions }] of this.#plans) if (regions.some((region) => region.gone)) this.#drop(other);
    for (const oldest of this.#plans.keys()) {
      if (this.#plans.size <= PLANS && this.scratch.bytes + this.#paramsBytes <= this.#limit()) return;
      if (oldest !== key) this.#drop(oldest);
    }
  }

  #limit(): number {
    let largest = 0;
    for (const { bytes } of this.#plans.values()) largest = Math.max(largest, bytes);
    return Math.max(FLOOR, 2 * largest);
  }

  #drop(key: string): void {
    const plan = this.#plans.get(key)!;
    this.#plans.delete(key);
    this.#paramsBytes -= plan.paramsBuffer?.size ?? 0;
    dropPlan(plan, this.memory, this.scratch);
  }
}

/** Gives back what a plan keeps of GPU memory. It can no longer run. */
export function dropPlan(plan: Plan, memory: Memory, scratch: Scratch): void {
  scratch.leave(plan.buffers);
  if (plan.paramsBuffer) memory.destroy(plan.paramsBuffer);
}
