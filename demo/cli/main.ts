#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { answerCommand } from "./answer.ts";
import { evaluateCommand } from "./evaluate.ts";
import { exportCommand } from "./export.ts";
import type { HeldOut } from "./held-out.ts";
import { mergeCommand } from "./merge.ts";
import { Run } from "./pipeline.ts";
import { endProgress, percent, say } from "./progress.ts";
import type { RunResult } from "./result.ts";
import { RunFolder } from "./run-folder.ts";
import {
  checkLabels,
  commands,
  filePath,
  fraction,
  fusions,
  methodsHere,
  type Settings,
  sets,
  UsageError,
  validationSets,
  wholeNumber,
} from "./settings.ts";
import { tell } from "./tell.ts";

/*
 * handgrad train     learns from labels
 * handgrad learn     learns from labels, then from a person's judgements
 * handgrad demo      the same with a simulated person, explained
 * handgrad evaluate  how good the model of a run is, by labels or by a person
 * handgrad answer    what it makes of a picture, a sound and a hint of one's own
 * handgrad merge     brings feedback logs together
 * handgrad export    writes a feedback log as a Parquet table
 *
 * Exit codes: 0 done, 1 failed, 2 wrong use or damaged input, 130 a run was stopped before its end (by Ctrl-C, a signal or
 * q) with everything saved. A blind evaluation may end after any answer, so q and Ctrl-C there give 0.
 */

type Options = Partial<Omit<Settings, "v" | "command">> & { resume?: string; out?: string; json?: boolean };

function command(name: Settings["command"], description: string): Command {
  const own = new Command(name)
    .description(description)
    .option(
      "--set <name>",
      'labeled set: "start" (300, synthetic voices) or "full" (6,000)',
      oneOf("--set", ["start", "full"] as const),
    )
    .option("--labels <n>", "use only n labels of the set", wholeNumber("--labels", 0, 6000))
    .option("--epochs <n>", "passes over the labels", wholeNumber("--epochs", 0, 10_000))
    .option("--fusion <kind>", "concat, average or weighted", oneOf("--fusion", fusions))
    .option("--lr <rate>", "learning rate of Adam", fraction("--lr", 0, 1))
    .option("--seed <n>", "of everything random", wholeNumber("--seed", 0))
    .option("--software", "compute on the CPU even where there is a GPU")
    .option("--out <folder>", "where the run is kept (default: runs/…)", filePath("--out"))
    .option("--resume <folder>", "go on with a run that was stopped", filePath("--resume"))
    .option("--json", "print one JSON object as the last line");
  if (name !== "train") {
    own
      .option("--judgements <n>", "judgements to ask for", wholeNumber("--judgements", 0, 5700))
      .option("--target <accuracy>", "stop at this accuracy on validation, 0 to 1", fraction("--target", 0, 1))
      .option(
        "--method <rule>",
        `how to learn from judgements: ${methodsHere.join(", ")} (default: ${methodsHere[0]})`,
        oneOf("--method", methodsHere),
      )
      .option(
        "--label-noise <share>",
        "share of the simulated person's judgements that are wrong",
        fraction("--label-noise", 0, 1),
      )
      .option(
        "--validate-on <set>",
        "what the curve is measured on: validation (default) or test-unseen",
        oneOf("--validate-on", validationSets),
      )
      .option("--human", "judge yourself, here in the terminal");
  }
  return own.action((options: Options) => main(name, options));
}

function oneOf<T extends string>(option: string, choices: readonly T[]) {
  return (text: string): T => {
    const found = choices.find((choice) => choice === text);
    if (!found) throw new UsageError(`${option} is "${text}", expected ${choices.join(" or ")}.`);
    return found;
  };
}

function settingsFrom(command: Settings["command"], { resume: _, out: __, json: ___, ...given }: Options): Settings {
  const set = given.set ?? commands[command].set;
  checkLabels({ set, labels: given.labels ?? 0 }, "--labels");
  return {
    v: 2,
    command,
    set,
    ...sets[set],
    fusion: "concat",
    seed: 1,
    network: 2,
    lr: 3e-3,
    judgements: commands[command].judgements,
    target: null,
    method: "posterior",
    labelNoise: 0,
    human: false,
    software: false,
    ...given,
  };
}

/** The folder of an earlier run. Its settings stand: any that are given again must agree. */
function resumed(command: Settings["command"], { resume, out, json: _, ...given }: Options): RunFolder {
  if (out !== undefined)
    throw new UsageError("--out and --resume exclude each other: a resumed run stays in its folder.");
  const folder = RunFolder.open(resume!);
  const before = folder.settings;
  if (before.command !== command)
    throw new UsageError(`${resume} is a run of "handgrad ${before.command}": resume it with that command.`);
  for (const [key, value] of Object.entries(given)) {
    const was = before[key as keyof Settings];
    if (was !== value)
      throw new UsageError(
        `--${key} ${value} differs from the run's ${was}. A resumed run keeps its settings; leave the option out.`,
      );
  }
  return folder;
}

/** What asks a run to save and end. Asked again it ends as soon as it has saved, and no sooner. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function main(command: Settings["command"], options: Options): Promise<void> {
  if (options.human && options.labelNoise)
    throw new UsageError("--label-noise is of simulated people, and --human asks you.");
  if (options.target !== undefined && options.validateOn === "test-unseen")
    throw new UsageError("--target stops by validation; it does not go with --validate-on test-unseen.");
  if (options.human && options.json && !process.stdin.isTTY) say("reading answers from standard input");
  const make = () =>
    options.resume === undefined
      ? RunFolder.create(options.out, settingsFrom(command, options))
      : resumed(command, options);
  const run = await Run.open(make);
  const onSignal = () => {
    say("stopping: saving first …");
    run.stop();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const result = await run.run();
    explain(result);
    if (options.json) console.log(JSON.stringify(asJson(result)));
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function explain({ labels, judgements, before, after, seconds, folder }: RunResult): void {
  const line = (name: string, test: HeldOut) =>
    say(
      `${name}: ${before ? `${percent(before[test].accuracy)} → ` : ""}${percent(after[test].accuracy)}${judgements ? ` by the saved network, ${percent(after[test].agent)} by the learner` : ""}`,
    );
  say(`accuracy after ${labels} labels${judgements ? ` and ${judgements} judgements` : ""}`);
  line("  unseen speakers", "unseen");
  line("  seen speakers       ", "seen");
  say(`${Math.round(seconds)} s; see ${folder}/report.html`);
}

/** The fields that programs read; accuracies on unseen speakers, those on seen speakers once more under `seen`. */
function asJson({ after, before, folder, ...result }: RunResult) {
  const of = (test: HeldOut) => ({
    ...(before ? { accuracyStart: before[test].accuracy } : {}),
    accuracyEnd: after[test].accuracy,
    ...(before ? { eceStart: before[test].ece } : {}),
    eceEnd: after[test].calibration.ece,
    accuracyAgent: after[test].agent,
    accuracyByModalities: after[test].byModalities,
  });
  const { adapter, parameters, labels, judgements, ...rest } = result;
  return { adapter, parameters, labels, judgements, ...of("unseen"), seen: of("seen"), ...rest, folder };
}

/** Of the package that this file is part of, in source and in the build. */
function versionOf(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  }
  return "unknown";
}

const program = new Command("handgrad")
  .description("Trains a network on picture, sound and text, then lets a person's judgements teach it.")
  .version(versionOf())
  .addCommand(command("train", "learn from labels"))
  .addCommand(command("learn", "learn from labels, then from judgements"))
  .addCommand(command("demo", "from 300 labels, with 240 judgements of a simulated person"))
  .addCommand(evaluateCommand())
  .addCommand(answerCommand())
  .addCommand(mergeCommand())
  .addCommand(exportCommand());

/** Commander's own messages are prefixed and sometimes long; here a mistake is one line and exit code 2. */
function strict(commands: readonly Command[]): void {
  for (const each of commands) {
    each.exitOverride().configureOutput({ writeErr: () => {} });
    strict(each.commands);
  }
}
strict([program]);

try {
  await program.parseAsync();
} catch (error) {
  endProgress();
  process.exitCode = tell(error);
}
// A pipe of whoever asked may stay open: what was asked is done.
process.stdin.unref?.();
