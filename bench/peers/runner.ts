import type * as hg from "handgrad";
import { compare, type Result } from "./compare.ts";
import { firstParameters } from "./handgrad.ts";
import { type About, kernels, network, type Peer, type Workload } from "./workloads.ts";

/** Where the engines run: this process, or a page. */
export interface Runner {
  /** Those that take part, handgrad first. */
  readonly engines: readonly About[];
  /** Those that do not, each with the reason. */
  readonly leftOut: readonly string[];
  readonly workloads: readonly Pick<Workload, "op" | "shape">[];
  /** One workload's rows, of all engines that can do it. */
  measure(index: number, options: { repeats: number; seconds: number }): Promise<Result[]>;
  close(): Promise<void>;
}

/** An engine by its name, and how to open it, which gives undefined where it is not installed. */
export type Opener = readonly [name: string, open: () => Promise<Peer | undefined>];

/** Whether an engine's name contains one of `parts`; all are wanted where there are none. */
export const isWanted = (name: string, parts: readonly string[]): boolean =>
  parts.length === 0 || parts.some((part) => name.includes(part));

/** Opens handgrad, with which the others are compared, and those of the others that are wanted. */
export async function runnerOf(
  engine: hg.Engine,
  handgrad: Peer,
  others: readonly Opener[],
  wanted: readonly string[],
): Promise<Runner> {
  const peers = [handgrad];
  const leftOut: string[] = [];
  for (const [name, open] of others) {
    if (!isWanted(name, wanted)) continue;
    const peer = await open();
    if (peer) peers.push(peer);
    else leftOut.push(`${name}: not installed`);
  }
  const parameters = await firstParameters(engine);
  const workloads = [network("train_step", parameters), network("forward", parameters), ...kernels()];
  return {
    engines: peers.map(({ name, version, adapter }) => ({ name, version, adapter })),
    leftOut,
    workloads,
    measure: (index, options) => compare(peers, workloads[index]!, options),
    async close() {
      for (const peer of peers) peer.close?.();
      engine.destroy();
    },
  };
}
