import type { Picture, Sound, UserInput } from "../shared/protocol.ts";

/* Turning what a person has into what the network takes: files, the camera, the microphone. All of it by the browser. */

/** Side of the square that a picture becomes, and samples a second of a sound, as the worker keeps them. */
const SIDE = 96;
const RATE = 8000;
const SECONDS = 2;

/** The middle square of a picture. */
export function pictureFrom(source: ImageBitmap | HTMLVideoElement): Picture {
  const [width, height] =
    source instanceof HTMLVideoElement ? [source.videoWidth, source.videoHeight] : [source.width, source.height];
  const side = Math.min(width, height);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#fff"; // what is transparent lies on paper
  context.fillRect(0, 0, SIDE, SIDE);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  const { data: rgba } = context.getImageData(0, 0, SIDE, SIDE);
  const data = new Float32Array(3 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) for (let c = 0; c < 3; c++) data[c * SIDE * SIDE + i] = rgba[4 * i + c]! / 255;
  return { channels: 3, width: SIDE, height: SIDE, data };
}

/** The first seconds of a sound that the browser can decode. */
async function soundFrom(bytes: ArrayBuffer): Promise<Sound> {
  // A context of this rate resamples while it decodes.
  const context = new OfflineAudioContext(1, RATE, RATE);
  const buffer = await context.decodeAudioData(bytes);
  const samples = new Float32Array(Math.min(buffer.length, SECONDS * RATE));
  for (let c = 0; c < buffer.numberOfChannels; c++) {
    const channel = buffer.getChannelData(c);
    for (let i = 0; i < samples.length; i++) samples[i]! += channel[i]! / buffer.numberOfChannels;
  }
  if (samples.length === 0 || !samples.every(Number.isFinite)) throw new Error("there is no sound in it");
  return { samples, rate: RATE };
}

/** A file as an example; undefined where it is neither a picture nor a sound. */
export async function userInputFrom(file: File): Promise<UserInput | undefined> {
  if (!file.type.startsWith("audio/")) {
    try {
      const bitmap = await createImageBitmap(file);
      const picture = pictureFrom(bitmap);
      bitmap.close();
      return { picture };
    } catch {
      if (file.type.startsWith("image/")) return undefined;
    }
  }
  try {
    return { sound: await soundFrom(await file.arrayBuffer()) };
  } catch {
    return undefined;
  }
}

/** Opens the camera on a video element; gives what closes it. */
export async function openCamera(video: HTMLVideoElement): Promise<() => void> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
  video.srcObject = stream;
  await video.play();
  return () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
}

/** Listens to the microphone for two seconds. */
export async function record(): Promise<Sound> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  try {
    const recorder = new MediaRecorder(stream);
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const ended = new Promise((resolve) => {
      recorder.onstop = resolve;
    });
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
    recorder.stop();
    await ended;
    return await soundFrom(await new Blob(parts).arrayBuffer());
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}
