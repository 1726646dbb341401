/*
 * The entropy-coded part of a JPEG (ITU-T T.81, annexes F and G): Huffman codes of runs and sizes, then bits. Coefficients
 * of all scans are gathered in their natural order, baseline and progressive alike.
 */

/** Place in a block of 8 × 8, row by row, of each coefficient in the order of the file. */
export const ZIGZAG = Uint8Array.of(
  ...[0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21],
  ...[28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61],
  ...[54, 47, 55, 62, 63],
);

/** By length of the codes: the first code, where its values begin, and how many there are. */
export interface HuffmanTable {
  readonly counts: Uint8Array;
  readonly values: Uint8Array;
}

export interface Component {
  readonly id: number;
  /** How many samples it has each way where the largest component has `most`. */
  readonly h: number;
  readonly v: number;
  readonly table: number;
  /** Samples, and blocks of 8 × 8 that hold them, each way. */
  readonly width: number;
  readonly height: number;
  readonly blocksWide: number;
  readonly blocksHigh: number;
  /** Blocks a line, filled up to whole units of all components. */
  readonly stride: number;
  readonly coefficients: Int16Array;
}

export interface Scan {
  readonly components: readonly { component: Component; dc: HuffmanTable | undefined; ac: HuffmanTable | undefined }[];
  readonly progressive: boolean;
  /** First and last coefficient, and bits that were sent before and are still missing. */
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
  /** Units between two restarts; 0: none. */
  readonly restart: number;
  readonly unitsWide: number;
  readonly unitsHigh: number;
}

/** Reads a scan whose bits begin at a byte, and gives the place behind them. @throws Error that says what is damaged. */
export function readScan(bytes: Uint8Array, start: number, scan: Scan): number {
  const bits = new Bits(bytes, start);
  const { components, progressive, first, last, high, low } = scan;
  const predictions = new Int32Array(components.length);
  let ends = 0;

  const baseline = (block: Int16Array, c: number) => {
    const { dc, ac } = components[c]!;
    const size = bits.code(dc);
    predictions[c]! += bits.signed(size);
    block[0] = predictions[c]!;
    for (let k = 1; k < 64; k++) {
      const code = bits.code(ac);
      const [run, size] = [code >> 4, code & 15];
      if (size === 0 && run < 15) return;
      k += run;
      if (k > 63) throw new Error("a block has more than 64 coefficients");
      if (size > 0) block[ZIGZAG[k]!] = bits.signed(size);
    }
  };
  const dcFirst = (block: Int16Array, c: number) => {
    predictions[c]! += bits.signed(bits.code(components[c]!.dc));
    block[0] = predictions[c]! << low;
  };
  const dcRefine = (block: Int16Array) => {
    if (bits.bit()) block[0]! |= 1 << low;
  };
  const acFirst = (block: Int16Array) => {
    if (ends > 0) {
      ends--;
      return;
    }
    for (let k = first; k <= last; k++) {
      const code = bits.code(components[0]!.ac);
      const [run, size] = [code >> 4, code & 15];
      if (size === 0 && run < 15) {
        ends = (1 << run) - 1 + bits.take(run);
        return;
      }
      k += run;
      if (k > last) throw new Error("a block has more coefficients than its scan");
      if (size > 0) block[ZIGZAG[k]!] = bits.signed(size) << low;
    }
  };
  /** One bit more for a coefficient that is not 0. */
  const refine = (block: Int16Array, at: number) => {
    if (bits.bit() && (block[at]! & (1 << low)) === 0) block[at]! += block[at]! > 0 ? 1 << low : -(1 << low);
  };
  const acRefine = (block: Int16Array) => {
    let k = first;
    if (ends === 0) {
      for (; k <= last; k++) {
        const code = bits.code(components[0]!.ac);
        let run = code >> 4;
        let value = 0;
        if ((code & 15) === 0) {
          if (run < 15) {
            ends = (1 << run) + bits.take(run);
            break;
          }
        } else value = bits.bit() ? 1 << low : -(1 << low);
        for (; k <= last; k++) {
          const at = ZIGZAG[k]!;
          if (block[at] !== 0) refine(block, at);
          else if (run-- === 0) {
            if (value !== 0) block[at] = value;
            break;
          }
        }
      }
    }
    if (ends > 0) {
      for (; k <= last; k++) if (block[ZIGZAG[k]!] !== 0) refine(block, ZIGZAG[k]!);
      ends--;
    }
  };
  const decode = !progressive ? baseline : first === 0 ? (high ? dcRefine : dcFirst) : high ? acRefine : acFirst;
  const blockAt = ({ coefficients, stride }: Component, x: number, y: number) => {
    const at = (y * stride + x) * 64;
    return coefficients.subarray(at, at + 64);
  };

  const alone = components.length === 1 ? components[0]!.component : undefined;
  const across = alone ? alone.blocksWide : scan.unitsWide;
  const units = across * (alone ? alone.blocksHigh : scan.unitsHigh);
  for (let unit = 0; unit < units; unit++) {
    if (scan.restart > 0 && unit > 0 && unit % scan.restart === 0) {
      bits.restart();
      predictions.fill(0);
      ends = 0;
    }
    const [x, y] = [unit % across, Math.floor(unit / across)];
    if (alone) decode(blockAt(alone, x, y), 0);
    else {
      for (const [c, { component }] of components.entries()) {
        for (let j = 0; j < component.v; j++) {
          for (let i = 0; i < component.h; i++) {
            decode(blockAt(component, x * component.h + i, y * component.v + j), c);
          }
        }
      }
    }
  }
  return bits.end();
}

/** Bits of the entropy-coded data, the upper ones of a byte first; a byte 0xff has a 0 after it that does not count. */
class Bits {
  readonly #bytes: Uint8Array;
  #at: number;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  bit(): number {
    if (this.#count === 0) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || (byte === 0xff && this.#bytes[this.#at + 1] !== 0)) {
        throw new Error(`its pixels end at byte ${this.#at}, before the last one: it is cut off`);
      }
      this.#at += byte === 0xff ? 2 : 1;
      this.#held = byte;
      this.#count = 8;
    }
    this.#count--;
    return (this.#held >> this.#count) & 1;
  }

  take(n: number): number {
    let value = 0;
    for (let i = 0; i < n; i++) value = (value << 1) | this.bit();
    return value;
  }

  /** A number of so many bits, those without the upper one set below 0. */
  signed(size: number): number {
    if (size > 15) throw new Error(`a coefficient of ${size} bits`);
    const value = this.take(size);
    return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  code(table: HuffmanTable | undefined): number {
    if (!table) throw new Error("a Huffman table is missing");
    const { counts, values } = table;
    for (let length = 0, code = 0, first = 0, index = 0; length < 16; length++) {
      code = (code << 1) | this.bit();
      first <<= 1;
      const n = counts[length]!;
      if (code - first < n) return values[index + code - first]!;
      index += n;
      first += n;
    }
    throw new Error("a code that no Huffman table has");
  }

  /** Passes the marker of a restart (0xffd0 … 0xffd7). */
  restart(): void {
    this.#count = 0;
    while (this.#bytes[this.#at] === 0xff && this.#bytes[this.#at + 1] === 0xff) this.#at++;
    const marker = this.#bytes[this.#at + 1]!;
    if (this.#bytes[this.#at] !== 0xff || marker < 0xd0 || marker > 0xd7) {
      throw new Error(`a restart is missing at byte ${this.#at}`);
    }
    this.#at += 2;
  }

  end(): number {
    return this.#at;
  }
}
