import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

function playWith(program: string, args: readonly string[], wav: Uint8Array): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "handgrad-sound-"));
  const file = join(folder, "sound.wav");
  writeFileSync(file, wav);
  return new Promise<string | undefined>((resolve) => {
    const child = spawn(program, [...args, file], { stdio: "ignore", timeout: 20_000 });
    child.on("error", (error) => resolve(`${program} could not play the sound: ${error.message}`));
    child.on("exit", (code) =>
      resolve(code === 0 ? undefined : `${program} could not play the sound (exit code ${code})`),
    );
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
}
