import type { Picture, Sound, Spectrogram } from "../shared/protocol.ts";

/* Drawing on canvases. Colors are those of the canvas in the page's style. */

type Rgb = readonly [number, number, number];

/** A color of the style sheet, as numbers. */
export function colorOf(element: Element, property: "color" | "background-color" | "border-top-color"): Rgb {
  const [r = 0, g = 0, b = 0] = (
    getComputedStyle(element)
      .getPropertyValue(property)
      .match(/[\d.]+/g) ?? []
  ).map(Number);
  return [r, g, b];
}

const between = (a: number, b: number, share: number) => a + (b - a) * share;

/** One pixel a number; `heat` [H, W], 0 to 1, is laid over it in the color given. */
export function drawPicture(
  canvas: HTMLCanvasElement,
  { width, height, channels, data }: Picture,
  heat?: { data: Float32Array; color: Rgb },
): void {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(width, height);
  const size = width * height;
  for (let i = 0; i < size; i++) {
    const strength = heat ? 0.85 * Math.min(1, Math.max(0, heat.data[i]!)) : 0;
    for (let c = 0; c < 3; c++) {
      const ink = 255 * data[channels === 1 ? i : c * size + i]!;
      pixels.data[4 * i + c] = heat ? between(ink * 0.8, heat.color[c]!, strength) : ink;
    }
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

/** The least and the greatest sample of each column. */
export function drawWave(canvas: HTMLCanvasElement, { samples }: Sound): void {
  const context = sizedToScreen(canvas);
  const { width, height } = canvas;
  context.fillStyle = getComputedStyle(canvas).color;
  const most = samples.reduce((peak, x) => Math.max(peak, Math.abs(x)), 1e-3);
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x / width) * samples.length);
    const to = Math.max(from + 1, Math.floor(((x + 1) / width) * samples.length));
    let [low, high] = [0, 0];
    for (let i = from; i < to; i++) {
      low = Math.min(low, samples[i]!);
      high = Math.max(high, samples[i]!);
    }
    const top = height / 2 - (high / most) * (height / 2 - 1);
    const bottom = height / 2 - (low / most) * (height / 2 - 1);
    context.fillRect(x, top, 1, Math.max(1, bottom - top));
  }
}

/** Time to the right, pitch upwards; `heat` by frame marks what counted, below. */
export function drawSpectrogram(
  canvas: HTMLCanvasElement,
  { data, frames, bands }: Spectrogram,
  heat?: readonly number[],
): void {
  const [paper, ink, mark] = [
    colorOf(canvas, "background-color"),
    colorOf(canvas, "color"),
    colorOf(canvas, "border-top-color"),
  ];
  const foot = heat ? 4 : 0;
  canvas.width = Math.max(1, frames);
  canvas.height = bands + foot;
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(canvas.width, canvas.height);
  const put = (x: number, y: number, to: Rgb, share: number) => {
    const at = 4 * (y * canvas.width + x);
    for (let c = 0; c < 3; c++) pixels.data[at + c] = between(paper[c]!, to[c]!, share);
    pixels.data[at + 3] = 255;
  };
  for (let t = 0; t < canvas.width; t++) {
    // The features have mean 0 and deviation 1.
    for (let m = 0; m < bands; m++)
      put(t, bands - 1 - m, ink, Math.min(1, Math.max(0, (data[t * bands + m]! + 1.5) / 4)));
    for (let y = 0; y < foot; y++) put(t, bands + y, mark, y === 0 ? 0 : (heat![t] ?? 0));
  }
  context.putImageData(pixels, 0, 0);
}

/** As many pixels as the screen has there. */
function sizedToScreen(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * devicePixelRatio));
  return canvas.getContext("2d")!;
}
