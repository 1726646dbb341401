/** A gray picture for the terminal, pixels from 0 (black) to 1, row by row. */
export interface Picture {
  pixels: ArrayLike<number>;
  width: number;
  height: number;
}

const INK = " .:-=+*#%@";

/**
 * Two rows of pixels a line of text: with colors as the half block ▀, whose foreground is the upper pixel and whose
 * background the lower one, in the 24 grays of the 256-color palette; without them as a character for each pixel pair.
 */
export function drawImage({ pixels, width, height }: Picture, { color }: { color: boolean }): string {
  const at = (x: number, y: number) => (y < height ? Math.max(0, Math.min(1, pixels[y * width + x]!)) : 0);
  const gray = (value: number) => 232 + Math.round(value * 23);
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = "";
    for (let x = 0; x < width; x++) {
      const [upper, lower] = [at(x, y), at(x, y + 1)];
      if (color) line += `\x1b[38;5;${gray(upper)};48;5;${gray(lower)}m▀`;
      else line += INK[Math.round(((upper + lower) / 2) * (INK.length - 1))];
    }
    lines.push(color ? `${line}\x1b[0m` : line.trimEnd());
  }
  return lines.join("\n");
}

/** A bar of eighths of a character. */
export function drawBar(share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  return "█".repeat(eighths >> 3) + (eighths & 7 ? " ▏▎▍▌▋▊▉"[eighths & 7] : "");
}
