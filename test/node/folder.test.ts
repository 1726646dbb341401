import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError, streamBatches } from "../../src/data/index.ts";
import { openFolder } from "../../src/node/folder.ts";
import { file } from "../data/numpy.ts";

describe("a folder with a manifest", () => {
  let root: string;
  const manifest = (text: string) => writeFileSync(join(root, "manifest.csv"), text);
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "handgrad-folder-"));
    mkdirSync(join(root, "pictures"));
    writeFileSync(join(root, "pictures", "a.png"), file("rgb.png"));
    writeFileSync(join(root, "b.jpg"), file("gray.jpg"));
    writeFileSync(join(root, "a.wav"), file("pcm16.wav"));
    writeFileSync(join(root, "bad.png"), file("rgb.png").subarray(0, 100));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test("reads what each line names, in batches", async () => {
    manifest('image,audio,text,label\npictures/a.png,a.wav,"hello, you",cat\nb.jpg,,,dog\n');
    const folder = await openFolder(root);
    expect([folder.length, folder.classes]).toEqual([2, ["cat", "dog"]]);
    const first = await folder.read(0);
    expect([first.image!.width, first.image!.channels, first.sound!.sampleRate, first.text, first.label]).toEqual([
      12,
      3,
      8000,
      "hello, you",
      0,
    ]);
    const labels: number[] = [];
    const { length, read } = folder;
    for await (const batch of streamBatches({ length, size: 1, read, batch: (x) => x })) labels.push(batch[0]!.label);
    expect(labels).toEqual([0, 1]);
    expect((await folder.read(1)).sound).toBeUndefined();
    await expect(folder.read(2)).rejects.toThrow("there is no example 2, it has 2");
  });

  test("names the file and the fault", async () => {
    manifest("image,label\nbad.png,cat\nmissing.png,cat\n");
    const folder = await openFolder(root);
    await expect(folder.read(0)).rejects.toThrow(`${join(root, "bad.png")}: damaged PNG`);
    await expect(folder.read(1)).rejects.toThrow(`${join(root, "missing.png")}: cannot be read`);
    await expect(openFolder(root, { classes: ["dog"] })).rejects.toThrow('row 1: "cat" is none of the classes dog');
    await expect(openFolder(join(root, "nowhere"))).rejects.toThrow(DataError);
    await expect(openFolder(root, { maxBytes: 10 })).rejects.toThrow("more than the 10 allowed (maxBytes)");
    manifest("picture,label\na.png,cat\n");
    await expect(openFolder(root)).rejects.toThrow('expected a column "label" and one or more of "image"');
    manifest("image,audio,label\na.png,,cat\n,,dog\n");
    await expect(openFolder(root)).rejects.toThrow("row 2: has no image, no audio and no text");
    manifest("image,label\na.png,cat\nb.jpg,\n");
    await expect(openFolder(root)).rejects.toThrow('row 2: its "label" is empty');
    await expect(openFolder(root, { maxbytes: 1 } as object)).rejects.toThrow("Did you mean maxBytes?");
  });

  test("leaves the folder by no path and by no link", async () => {
    manifest("image,label\n../secret.png,cat\n");
    await expect(openFolder(root)).rejects.toThrow('row 1: "../secret.png" lies outside of the folder');
    symlinkSync("/etc/hostname", join(root, "link.png"));
    manifest("image,label\nlink.png,cat\n");
    await expect((await openFolder(root)).read(0)).rejects.toThrow("lies outside of the folder");
  });
});
