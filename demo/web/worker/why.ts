import { type LabeledBatch, type Modality, modalities } from "handgrad/model";
import { type Attribution, integratedGradients, sharesOf, wordShares } from "handgrad/rl";
import type { Explanation } from "../shared/protocol.ts";
import type { TeachingSession } from "./session.ts";

/** Places between nothing and the example at which gradients are taken: fewer than usual, for an answer in good time. */
const STEPS = 12;

/** Why the network gave an answer, as a person is shown it. */
export async function explain(session: TeachingSession, id: string, action: number): Promise<Explanation> {
  const { task } = session;
  const { network } = session;
  const { net } = network;
  const example = task.find(id);
  if (!example) throw new Error(`there is no example "${id}".`);
  const batch = task.batchOf([example]);
  const has = (m: Modality) => isThere(net.modalities, batch, m);
  const given = (there: readonly Modality[]) => session.predict([example], there);
  const { shares, none } = await sharesOf(net.modalities, async (there) => (await given(there))[0]![action]!);
  const seen: Partial<Attribution> =
    has("image") || has("audio")
      ? await network.turn(() => integratedGradients(net, batch, action, { steps: STEPS }))
      : {};
  const shapley = Object.fromEntries(modalities.map((m) => [m, shares[m] ?? 0]));
  const [, height = 1, width = 1] = net.config.image?.shape ?? [];
  return {
    shapley: shapley as Explanation["shapley"],
    base: none,
    pixels:
      has("image") && seen.image ? { height, width, data: spokeFor(overChannels(seen.image, height * width)) } : null,
    frames: has("audio") && seen.frames ? [...spokeFor(seen.frames)] : null,
    // Shown are words; the network may read characters, whose shares then belong to none of these.
    words:
      has("text") && readAsShown(batch, task.show(example).words)
        ? [...spokeFor(Float32Array.from(await network.turn(() => wordShares(net, batch, action))))]
        : null,
  };
}

function isThere(modalities: readonly Modality[], { present }: LabeledBatch, modality: Modality): boolean {
  const i = modalities.indexOf(modality);
  return i >= 0 && (present === undefined || (present as Float32Array)[i] === 1);
}

const readAsShown = ({ words }: LabeledBatch, shown: readonly string[]) =>
  (words as Int32Array).filter((id) => id !== 0).length === Math.min(shown.length, (words as Int32Array).length);

/** The channels of each pixel, added up. */
function overChannels(data: Float32Array, pixels: number): Float32Array {
  const result = new Float32Array(pixels);
  for (const [i, x] of data.entries()) result[i % pixels]! += x;
  return result;
}

/** What spoke for the answer, from 0 to 1; what spoke against it is 0. */
function spokeFor(data: Float32Array): Float32Array {
  const most = data.reduce((a, b) => Math.max(a, b), 1e-9);
  return data.map((x) => Math.max(0, x) / most);
}
