import type { Wait } from "./wait.ts";

/** News that a device was lost may come after the promises that failed by it: so long they are waited for. */
const LATE_MS = 100;
const REMEDY = "Create a new engine and load the last checkpoint.";
const SCOPES = ["internal", "validation", "out-of-memory"] as const;

/** The engine no longer works: its device was lost, or it was destroyed. */
export class DeviceEnded extends Error {}

/** Why an engine no longer works. */
export interface EngineLost {
  /** "destroyed" by `engine.destroy()`; "unknown" where the device was lost, or refused what it does not refuse. */
  readonly reason: GPUDeviceLostReason;
  /** In words, with what to do. */
  readonly message: string;
}

/** Whether the device still serves, and what it refused: nothing that goes wrong on it passes in silence. */
export class Health {
  /** Why the engine no longer works. */
  #reason: string | undefined;
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #checks = new Set<Promise<void>>();
  /** Settles when the engine no longer works. */
  readonly end: Promise<EngineLost>;
  #settleEnd!: (ended: EngineLost) => void;

  constructor(
    readonly device: GPUDevice,
    readonly wait: Wait,
  ) {
    this.end = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
    void device.lost.then(({ reason, message }) =>
      this.stop(reason, `the GPU device was lost (${reason}): ${sentence(message)} ${REMEDY}`),
    );
    device.addEventListener?.("uncapturederror", (event) => {
      event.preventDefault();
      const { message } = (event as GPUUncapturedErrorEvent).error;
      this.stop("unknown", `the GPU refused what it was asked for: ${sentence(message)} ${REMEDY}`);
    });
  }

  get ended(): boolean {
    return this.#reason !== undefined;
  }

  /** From now on every call and every wait ends with this reason. The first one stays. */
  stop(reason: GPUDeviceLostReason, message: string): void {
    this.#reason ??= message;
    this.#settleEnd({ reason, message: this.#reason });
    for (const reject of this.#waiting) reject(this.#error("engine"));
    this.#waiting.clear();
  }

  /** @throws Error with the reason where the engine has ended. */
  check(operation: string): void {
    if (this.ended) throw this.#error(operation);
  }

  #error(operation: string): Error {
    return new DeviceEnded(`${operation}: ${this.#reason}`);
  }

  /** Waits for GPU promises. Where it was lost meanwhile, that is said, whatever became of the news. */
  readonly until: Wait = <T>(completion: Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (this.ended) reject(this.#error("engine"));
      else this.#waiting.add(reject);
      this.wait(completion).then(
        (value) => {
          this.#waiting.delete(reject);
          if (this.ended) reject(this.#error("engine"));
          else resolve(value);
        },
        async (error) => {
          if (!this.ended) await this.#lateLoss();
          this.#waiting.delete(reject);
          reject(this.ended ? this.#error("engine") : error);
        },
      );
    });

  async #lateLoss(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, LATE_MS);
    });
    await Promise.race([this.device.lost, late]);
    clearTimeout(timer);
  }

  /**
   * Does at once what the GPU may refuse. What it says of it comes later: `refused` is told of an error before `settled` is
   * done.
   */
  watch<T>(work: () => T, refused: (error: Error) => void): T {
    for (const scope of SCOPES) this.device.pushErrorScope(scope);
    try {
      return work();
    } finally {
      const check = this.until(Promise.all(SCOPES.map(() => this.device.popErrorScope())))
        .then((errors) => {
          const error = errors.find((e) => e);
          if (!error) return;
          const memory = "GPUOutOfMemoryError" in globalThis && error instanceof GPUOutOfMemoryError;
          refused(new Error(`${memory ? "out of GPU memory" : "the GPU refused this"}: ${sentence(error.message)}`));
        })
        // Without a device there is no answer; whoever waits is told why.
        .catch(() => {})
        .finally(() => this.#checks.delete(check));
      this.#checks.add(check);
    }
  }

  /** Whether the GPU has not answered yet to something that it may refuse. */
  get pending(): boolean {
    return this.#checks.size > 0;
  }

  /**
   * Once the GPU has answered to all that it may refuse.
   *
   * @throws Error with the reason where the engine has ended.
   */
  async settled(): Promise<void> {
    while (this.pending) await Promise.all(this.#checks);
    this.check("engine");
  }
}

/** What a device says, in one line that ends. */
const sentence = (message: string) =>
  message
    .trim()
    .replace(/\s+/g, " ")
    .replace(/[^.!?]$/, "$&.");
