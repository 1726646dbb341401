/** Numbers of a tensor on the host: 32 bits each, as WGSL's f32, i32 and u32. */
export type HostArray = Float32Array | Int32Array | Uint32Array;

/** A stretch of a GPU buffer that belongs to something that outlives a step. */
export interface Region {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
  /** Where it is a part of a buffer that several slots share: the whole, given back when the last of them has left. */
  readonly shared?: { readonly whole: Region; users: number };
  /** Set once it will never be given out again. */
  gone: boolean;
}

let slots = 0;

/**
 * Where one tensor's numbers are. A slot is in one of three states:
 * - **host**: `host` holds them; a step that reads them uploads them with its one upload;
 * - **resident**: `resident` is a region of GPU memory that lives until it is released;
 * - **temporary**: neither; a recorded step will compute it, and the plan decides where.
 *
 * An op of your own passes it on, from a `Value` to a dispatch; all else of it is internal.
 */
export class Slot {
  /** @internal */
  readonly id = slots++;
  /** @internal */
  host: HostArray | undefined;
  /** @internal */
  resident: Region | undefined;
  /** @internal A small result on its way to the host; settles when `host` is there. */
  pendingRead: Promise<void> | undefined;
  /** @internal How many steps have uploaded `host`. From the second on it is worth being resident. */
  uploads = 0;
  /** @internal */
  released = false;
  /** @internal How many tensors that outlive their step hold it: it is released when the last of them is disposed. */
  owners = 0;

  /** @internal */
  constructor(
    /** How many bytes it holds. */
    readonly bytes: number,
  ) {}
}
