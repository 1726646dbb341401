import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { UserInput } from "../shared/protocol.ts";
import { Canvas } from "./canvas.tsx";
import { drawPicture, drawWave } from "./draw.ts";
import { text } from "./settings.ts";
import { notice } from "./state.ts";
import { openCamera, pictureFrom, record, userInputFrom } from "./userInput.ts";

/** A draft of an example: what was photographed, recorded and written so far. */
export const emptyDraft = (): UserInput => ({ picture: undefined, sound: undefined, text: "" });
export const isEmpty = ({ picture, sound, text }: UserInput): boolean => !picture && !sound && !text?.trim();

export interface ComposeProps {
  draft: UserInput;
  onChange: (draft: UserInput) => void;
  /** Called with the picture while the camera runs, a few times a second, where that is wanted. */
  onFrame?: ((draft: UserInput) => void) | undefined;
}

/** Gives a picture, a sound and words, or some of them, from camera, microphone and keyboard. */
export function Compose({ draft, onChange, onFrame }: ComposeProps) {
  const t = text.value.own;
  return (
    <div class="compose">
      <Camera draft={draft} onChange={onChange} onFrame={onFrame} />
      <div>
        <h3>{t.sound}</h3>
        {draft.sound && (
          <Canvas
            class="wave"
            label={text.value.judge.waveLabel(draft.sound.samples.length / draft.sound.rate)}
            by={[draft.sound]}
            draw={(canvas) => drawWave(canvas, draft.sound!)}
          />
        )}
        <RecordButton onSound={(sound) => onChange({ ...draft, sound })} />
      </div>
      <label>
        <h3>{t.words}</h3>
        <input
          type="text"
          maxLength={300}
          placeholder={t.wordsPlaceholder}
          value={draft.text ?? ""}
          onInput={(event) => onChange({ ...draft, text: event.currentTarget.value })}
        />
      </label>
    </div>
  );
}

function refused(): void {
  notice.value = { kind: "error", text: text.value.own.refused };
}

function Camera({ draft, onChange, onFrame }: ComposeProps) {
  const t = text.value.own;
  const video = useRef<HTMLVideoElement>(null);
  const [close, setClose] = useState<(() => void) | undefined>();
  useEffect(() => close, [close]);
  useEffect(() => {
    if (!close || !onFrame) return;
    const timer = setInterval(() => onFrame({ ...draft, picture: pictureFrom(video.current!) }), 400);
    return () => clearInterval(timer);
  }, [close, onFrame, draft]);
  const toggle = async () => {
    if (close) {
      setClose(undefined);
      return;
    }
    try {
      const stop = await openCamera(video.current!);
      setClose(() => stop);
    } catch {
      refused();
    }
  };
  return (
    <div>
      <h3>{t.picture}</h3>
      <video ref={video} muted playsInline hidden={!close} />
      {draft.picture && (
        <Canvas
          class="thumb"
          label={t.picture}
          by={[draft.picture]}
          draw={(canvas) => drawPicture(canvas, draft.picture!)}
        />
      )}
      <div class="row">
        <button type="button" class="quiet" onClick={toggle}>
          {close ? t.cameraStop : t.camera}
        </button>
        {close && (
          <button
            type="button"
            class="quiet"
            onClick={() => onChange({ ...draft, picture: pictureFrom(video.current!) })}
          >
            {t.snap}
          </button>
        )}
      </div>
    </div>
  );
}

const recording = signal(false);

function RecordButton({ onSound }: { onSound: (sound: NonNullable<UserInput["sound"]>) => void }) {
  const t = text.value.own;
  const press = async () => {
    recording.value = true;
    try {
      onSound(await record());
    } catch {
      refused();
    } finally {
      recording.value = false;
    }
  };
  return (
    <button type="button" class="quiet" onClick={press} disabled={recording.value}>
      {recording.value ? t.recording : t.record}
    </button>
  );
}

/** Files as examples: pictures and sounds, chosen or dropped. */
export function Files({ onInputs }: { onInputs: (inputs: UserInput[]) => void }) {
  const t = text.value.own;
  const take = async (files: Iterable<File>) => {
    const inputs: UserInput[] = [];
    for (const file of files) {
      const input = await userInputFrom(file);
      if (input) inputs.push(input);
      else notice.value = { kind: "error", text: t.unreadable(file.name) };
    }
    if (inputs.length > 0) onInputs(inputs);
  };
  return (
    <label
      class="file drop"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void take(event.dataTransfer?.files ?? []);
      }}
    >
      <span>
        <b>{t.files}</b> {t.drop}
        <br />
        <small>{t.filesAbout}</small>
      </span>
      <input
        type="file"
        multiple
        accept="image/*,audio/*"
        aria-label={t.files}
        onChange={(event) => {
          const input = event.currentTarget;
          void take([...(input.files ?? [])]).then(() => {
            input.value = "";
          });
        }}
      />
    </label>
  );
}
