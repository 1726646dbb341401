import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as browser from "../../src/index.ts";
import { MultimodalNet } from "../../src/model/index.ts";
import * as node from "../../src/node.ts";
import { type Refusals, testRefusals } from "../refused.ts";
import { useEngine } from "../use-engine.ts";

/* Each function that only Node has refuses by its name what is no path, no bytes, no network, no option. */

const engine = await useEngine();
const folder = mkdtempSync(join(tmpdir(), "handgrad-calls-"));
const path = (name: string) => join(folder, name);
const net = new MultimodalNet(engine, {
  image: { shape: [1, 4, 4], channels: [2] },
  head: { outputs: 2, hidden: 2 },
});
await node.saveModel(net, path("model.safetensors"));
writeFileSync(path("manifest.csv"), "text,label\nseven,7\n");

const OPTIONS = "undefined object date map promise function";
let logs = 0;
const rows: Record<string, Refusals> = {
  appendLine: { call: node.appendLine, args: () => [path("lines"), "a"], takes: ["text", "text"] },
  openFeedbackLog: {
    call: async (file, o) => (await node.openFeedbackLog(file, o)).close(),
    args: () => [path(`log${logs++}.jsonl`), {}],
    takes: ["text", OPTIONS],
  },
  readFeedbackLog: {
    call: (file, onNotice) => node.readFeedbackLog(file, onNotice),
    args: () => [path("log0.jsonl"), () => {}],
    takes: ["text", "undefined function"],
  },
  openFolder: { call: node.openFolder, args: () => [folder, {}], takes: ["text", OPTIONS] },
  lock: { call: async (file) => (await node.lock(file))(), args: () => [path("locked")], takes: ["text"] },
  folderStore: { call: node.folderStore, args: () => [folder], takes: ["text"] },
  "folderStore.write": {
    call: (name, content) => node.folderStore(folder).write(name, content),
    args: () => ["a.bin", new Uint8Array(1)],
    takes: ["text", "text list map"],
    says: "(folderStore|replaceFile|.* was not written)",
  },
  "folderStore.read": {
    call: (name) => node.folderStore(folder).read(name),
    args: () => ["a.bin"],
    takes: ["text"],
    says: "folderStore",
  },
  loadModel: {
    call: node.loadModel,
    args: () => [engine, path("model.safetensors")],
    takes: ["", "text"],
  },
  loadSafetensors: { call: node.loadSafetensors, args: () => [net, path("model.safetensors")], takes: ["", "text"] },
  saveModel: { call: node.saveModel, args: () => [net, path("b"), {}], takes: ["", "text", "undefined object"] },
  saveSafetensors: {
    call: node.saveSafetensors,
    args: () => [net, path("c"), {}],
    takes: ["", "text", "undefined object"],
  },
  saveOnnx: { call: node.saveOnnx, args: () => [net, path("d")], takes: ["", "text"] },
  replaceFile: {
    call: node.replaceFile,
    args: () => [path("e"), "text", {}],
    takes: ["text", "text list map", OPTIONS],
    says: "(replaceFile|.* was not written)",
  },
  openAdapter: { call: node.openAdapter, args: () => [{}], takes: [OPTIONS] },
};

const own = Object.fromEntries(Object.entries(node).filter(([name]) => !Object.hasOwn(browser, name)));
// A picture's bytes: test/data/no-data.test.ts. Errors are made by nobody else.
testRefusals(rows, own, ["decodeImage", "LockedError", "WriteError"]);
