import { useEffect, useRef } from "preact/hooks";
import { dark } from "./settings.ts";

interface CanvasProps {
  class: string;
  /** What there is to see, in words. */
  label: string;
  draw: (canvas: HTMLCanvasElement) => void;
  /** Drawn again when one of these changes, and when the page turns light or dark. */
  by: readonly unknown[];
}

export function Canvas({ class: name, label, draw, by }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isDark = dark.value;
  // `by` says what is drawn.
  useEffect(() => {
    if (canvas.current) draw(canvas.current);
  }, [...by, isDark]);
  return <canvas ref={canvas} class={name} role="img" aria-label={label} />;
}
