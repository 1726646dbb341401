import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Programs that play a file and then end, with their arguments before its name. */
const players: readonly (readonly [string, ...string[]])[] = [
  ["pw-play"],
  ["paplay"],
  ["aplay", "-q"],
  ["afplay"],
  ["play", "-q"],
  ["ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"],
];

export interface Player {
  readonly name: string;
  /** Plays a WAV file. Gives a notice where that failed: judging goes on without sound. */
  play(wav: Uint8Array): Promise<string | undefined>;
}

/** The system's player, if it has one. */
export function player(path: string = process.env.PATH ?? ""): Player | undefined {
  for (const [name, ...args] of players) {
    const program = path
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(isExecutable);
    if (program) return { name, play: (wav) => playWith(program, args, wav) };
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function playWith(program: string, args: readonly string[], wav: Uint8Array): Promise<string | undefined> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), "handgrad-sound-"));
    const file = join(folder, "sound.wav");
    await writeFile(file, wav);
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(program, [...args, file], { stdio: "ignore", timeout: 20_000 });
      child.on("error", reject);
      child.on("exit", resolve);
    });
    return code === 0 ? undefined : `${program} could not play the sound (exit code ${code})`;
  } catch (error) {
    return `${program} could not play the sound from ${folder ?? tmpdir()}: ${(error as Error).message}`;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
