import type { Tensor } from "../../autograd/index.ts";
import type { ParameterStore } from "../layers.ts";

/** One array of a batch that an encoder reads. `Config` is the encoder's own, complete. */
interface Field<Config> {
  /** Its sizes: numbers, and letters for those that differ between batches ("N" examples, "L" words, "T" frames). */
  shape(config: Config): readonly (number | string)[];
  /** Its sizes in an ONNX file, where they are not those. @throws TypeError where the configuration does not tell. */
  exportedShape?(config: Config): readonly (number | string)[];
  /** What its numbers are. Default "f32"; then examples that lack the modality are read as 0. */
  readonly dtype?: "i32";
  /** Whether a batch may do without it. */
  readonly optional?: boolean;
}

/** Turns one modality of N examples into features [N, size]. */
export interface Encoder<Fields> {
  readonly size: number;
  /**
   * @param read gives a field of the batch as a tensor of its declared shape.
   * @param batch for optional fields, as they come.
   */
  encode(read: (field: keyof Fields & string) => Tensor, batch: Fields): Tensor;
}

/** A kind of encoder: the settings of a modality, what it reads of a batch, and how it is made. `index.ts` lists all. */
export interface EncoderKind<Config, Full, Fields> {
  /**
   * Fills in the defaults.
   *
   * @param operation and part are named in errors.
   * @throws TypeError or RangeError naming the setting that cannot be, or that there is not.
   */
  complete(operation: string, part: string, config: Config): Full;
  /** What it reads, by the names of a batch. */
  readonly fields: Readonly<Record<keyof Fields, Field<Full>>>;
  /** Makes its parameters in the store. */
  create(store: ParameterStore, config: Full): Encoder<Fields>;
}
