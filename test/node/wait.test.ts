import { expect, test } from "vitest";
import { sleepUntil } from "../../src/node/wait.ts";

test("results and errors arrive as they are", async () => {
  const later = new Promise((resolve) => setImmediate(resolve, "news"));
  expect(await sleepUntil(later)).toBe("news");
  await expect(sleepUntil(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});
