import { expect, test } from "vitest";
import { useEngine } from "../use-engine.ts";
import { trainer } from "./trainer.ts";

const engine = await useEngine();

test("memory is flat over 1,000 steps", async () => {
  const step = trainer(engine, 2, 2);
  // The ring of readback buffers has its full size once the host has run ahead.
  for (let t = 0; t < 20; t++) await step(t);
  const { bytes } = engine.stats();
  for (let t = 20; t < 1000; t++) await step(t);
  expect(engine.stats().bytes).toBe(bytes);
}, 600_000);
