import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { adam, type Peer, type Times, type Workload } from "./workloads.ts";

/* PyTorch on the CPU, in a process of its own that is asked by lines of JSON and keeps its own time. */

/** Undefined where no Python with PyTorch is found. `python` may name one. */
export async function torch(script: string, python = "/usr/bin/python3"): Promise<Peer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "handgrad-peers-"));
  // Else its threads keep the processors busy for a while after each run, which is the next engine's turn.
  const env = { ...process.env, OMP_WAIT_POLICY: "PASSIVE", OPENBLAS_THREAD_TIMEOUT: "4" };
  const child = spawn(python, [script], { env, stdio: ["pipe", "pipe", "ignore"] });
  const ask = talkTo(child);
  let about: { version: string; threads: number };
  try {
    about = (await ask({ do: "about" })) as typeof about;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const write = (inputs: Workload["inputs"]) =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => {
        const file = join(folder, `in-${name}`);
        writeFileSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        return [name, { file, shape, kind: data instanceof Int32Array ? "i32" : "f32" }];
      }),
    );
  return {
    name: "pytorch-cpu",
    version: about.version,
    adapter: `${cpus()[0]?.model}, ${about.threads} threads`,
    async prepare({ op, inputs }) {
      await ask({ do: "prepare", op, inputs: write(inputs), adam });
      let last: Times = { wall: 0, cpu: 0 };
      return {
        async run(calls) {
          last = (await ask({ do: "run", calls })) as Times;
        },
        times: () => last,
        async outputs() {
          const { names } = (await ask({ do: "outputs", folder })) as { names: string[] };
          const numbers = (name: string) => new Float32Array(Uint8Array.from(readFileSync(join(folder, name))).buffer);
          return Object.fromEntries(names.map((name) => [name, numbers(name)]));
        },
      };
    },
    close() {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Each question is one line; its answer is the next line. */
function talkTo(child: ChildProcess): (question: object) => Promise<object> {
  const waiting: { resolve(answer: object): void; reject(error: Error): void }[] = [];
  const fail = (error: Error) => {
    for (const one of waiting.splice(0)) one.reject(error);
  };
  let ended = false;
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const one = waiting.shift();
    const answer = JSON.parse(line) as { error?: string };
    if (answer.error) one?.reject(new Error(answer.error));
    else one?.resolve(answer);
  });
  child.on("error", fail);
  child.stdin!.on("error", fail);
  child.on("exit", (code) => {
    ended = true;
    fail(new Error(`Python ended with ${code}.`));
  });
  return (question) =>
    new Promise((resolve, reject) => {
      if (ended) return reject(new Error("Python has ended."));
      waiting.push({ resolve, reject });
      child.stdin!.write(`${JSON.stringify(question)}\n`);
    });
}
