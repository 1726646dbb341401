import { expect, test } from "vitest";
import { crop, cropCenter, DataError } from "../../../src/data/index.ts";
import { picture } from "../pictures.ts";

test("crop takes the pixels it says, and only whole ones inside", () => {
  const x = picture(6, 5, 2);
  const part = crop(x, { x: 2, y: 1, width: 3, height: 4 });
  expect([part.data[0], part.data[1]]).toEqual([x.data[(6 + 2) * 2], x.data[(6 + 2) * 2 + 1]]);
  expect(part.data.at(-1)).toBe(x.data[(4 * 6 + 4) * 2 + 1]);
  expect(cropCenter(x, 3, 5).data).toEqual(crop(x, { x: 1, y: 0, width: 3, height: 5 }).data);
  expect(() => crop(x, { x: 4, y: 0, width: 3, height: 1 })).toThrow(
    "crop: 3 × 1 pixels from (4, 0) on do not lie inside an image of 6 × 5 × 2",
  );
  expect(() => cropCenter(x, 7, 5)).toThrow(DataError);
});
