import { signal } from "@preact/signals";
import type { Sound } from "../shared/protocol.ts";

/* Playing sounds. */

export const playing = signal<Sound | null>(null);
let context: AudioContext | undefined;
let source: AudioBufferSourceNode | undefined;

export function play(sound: Sound): void {
  context ??= new AudioContext();
  void context.resume();
  source?.stop();
  const buffer = context.createBuffer(1, Math.max(1, sound.samples.length), sound.rate);
  buffer.copyToChannel(sound.samples as Float32Array<ArrayBuffer>, 0);
  const node = context.createBufferSource();
  node.buffer = buffer;
  node.connect(context.destination);
  node.onended = () => {
    if (source === node) playing.value = null;
  };
  node.start();
  source = node;
  playing.value = sound;
}
