import { createEngine, type Engine } from "handgrad";
import { isLost, sleep } from "./lost.ts";

const SEED = 1;

/** Waits between attempts to get a device in place of a lost one: a driver that crashed takes a while. */
const RETRIES = [0, 1000, 3000];

const NO_DEVICE =
  "the device was lost, and the browser gives no other one. Everything you said is stored: load the page again, or restart the browser.";

/** Whom a device tells what becomes of it. */
interface DeviceOptions {
  /** It was lost, and another one is being looked for. */
  lost(): void;
  /** There is another one: what computes goes on with its engine. */
  replaced(engine: Engine): void;
  /** There is none, for this reason, and nobody had asked for it. */
  failed(error: unknown): void;
}

/** The page's one engine, replaced when its device is lost: by a crash of the driver, sleep, or too long a step. */
export class Device {
  readonly #options: DeviceOptions;
  #engine: Engine | undefined;
  #recovering: Promise<void> | undefined;

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  async open(): Promise<Engine> {
    const engine = await createEngine({ seed: SEED });
    void engine.lost.then(() => {
      if (this.#engine === engine) this.#recover().catch(this.#options.failed);
    });
    this.#engine = engine;
    return engine;
  }

  /** The engine, once a lost one has been replaced. @throws Error that says what to do where the browser gives none. */
  async ready(): Promise<Engine> {
    await this.#recovering;
    for (let n = 0; n < RETRIES.length; n++) {
      const engine = this.#engine!;
      if (!(await isLost(engine, 0))) return engine;
      await this.#recover();
    }
    throw new Error(NO_DEVICE);
  }

  #recover(): Promise<void> {
    this.#recovering ??= this.#replace().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  async #replace(): Promise<void> {
    this.#options.lost();
    // Its device may be there still, where it refused something.
    this.#engine?.destroy();
    let engine: Engine | undefined;
    for (const wait of RETRIES) {
      await sleep(wait);
      engine = await this.open().catch(() => undefined);
      if (engine) break;
    }
    if (!engine) throw new Error(NO_DEVICE);
    this.#options.replaced(engine);
  }

  /** Destroys the engine, as a crash of its driver would. */
  lose(): void {
    this.#engine?.destroy();
  }

  close(): void {
    const engine = this.#engine;
    // It is not lost, so nobody is to replace it.
    this.#engine = undefined;
    engine?.destroy();
  }
}
