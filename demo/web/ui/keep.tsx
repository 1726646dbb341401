import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TaskName } from "../shared/protocol.ts";
import { type Action, actions, defaultKeys, forgetSettings, keyName, keys, text } from "./settings.ts";
import { api, fail, notice, saveFile } from "./state.ts";

/** Files to take along and to bring back, the keys, and the end of it all. */
export function Keep() {
  const t = text.value.keep;
  return (
    <section class="keep">
      <h1>{t.title}</h1>
      <p>{t.about}</p>
      <div class="files">
        <button type="button" class="quiet" onClick={() => exportWeights().catch(fail)}>
          {t.exportWeights}
        </button>
        <button type="button" class="quiet" onClick={() => exportLog("digits").catch(fail)}>
          {t.exportLog}
        </button>
        <button type="button" class="quiet" onClick={() => exportLog("own").catch(fail)}>
          {t.exportOwnLog}
        </button>
        <button type="button" class="quiet" onClick={() => exportOwn().catch(fail)}>
          {t.exportOwn}
        </button>
        <FileButton label={t.importWeights} accept=".safetensors" take={importWeights} />
        <FileButton label={t.importLog} accept=".jsonl" take={importLog} />
        <FileButton label={t.importOwn} accept=".json" take={importOwn} />
      </div>
      <KeyTable />
      <Wipe />
    </section>
  );
}

async function exportWeights(): Promise<void> {
  saveFile("model.safetensors", await api.exportWeights("digits"), "application/octet-stream");
}

async function exportLog(task: TaskName): Promise<void> {
  const name = task === "own" ? "own-feedback.jsonl" : "feedback.jsonl";
  saveFile(name, await api.exportLog(task), "application/jsonl");
}

async function exportOwn(): Promise<void> {
  saveFile("own-task.json", await api.exportOwn(), "application/json");
}

async function importWeights(file: File): Promise<void> {
  await api.importWeights("digits", new Uint8Array(await file.arrayBuffer()), file.name);
  notice.value = { kind: "info", text: text.value.keep.importedWeights };
}

async function importLog(file: File): Promise<void> {
  const added = await api.importLog(await file.text(), file.name);
  notice.value = { kind: "info", text: text.value.keep.importedLog(added) };
}

async function importOwn(file: File): Promise<void> {
  const added = await api.importOwn(await file.text(), file.name);
  notice.value = { kind: "info", text: text.value.own.added(added) };
}

function FileButton({ label, accept, take }: { label: string; accept: string; take: (file: File) => Promise<void> }) {
  return (
    <label class="file quiet">
      {label}
      <input
        type="file"
        accept={accept}
        onChange={(event) => {
          const input = event.currentTarget;
          const file = input.files?.[0];
          if (file) void take(file).catch(fail);
          input.value = "";
        }}
      />
    </label>
  );
}

const binding = signal<Action | null>(null);

function KeyTable() {
  const t = text.value;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = binding.value;
      if (!action || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
      event.preventDefault();
      if (event.key === "Escape" || event.key === "Tab") {
        binding.value = null;
        return;
      }
      const other = actions.find((one) => one !== action && keys.value[one].toLowerCase() === event.key.toLowerCase());
      if (other || /^\d$/.test(event.key)) {
        notice.value = { kind: "info", text: t.keep.keyTaken(other ? t.judge[other] : event.key) };
        return;
      }
      keys.value = { ...keys.value, [action]: event.key };
      binding.value = null;
    };
    addEventListener("keydown", onKey, true);
    return () => removeEventListener("keydown", onKey, true);
  }, [t]);
  return (
    <section>
      <h2>{t.keep.keys}</h2>
      <p>
        {t.keep.keysAbout} {t.keep.keysDigits}
      </p>
      <ul class="keys">
        {actions.map((action) => (
          <li key={action}>
            <button
              type="button"
              class="quiet"
              onClick={() => {
                binding.value = action;
              }}
            >
              {t.judge[action]} <kbd>{binding.value === action ? t.keep.pressKey : keyName(keys.value[action])}</kbd>
            </button>
          </li>
        ))}
        <li>
          <button
            type="button"
            class="plain"
            onClick={() => {
              keys.value = defaultKeys;
            }}
          >
            {t.keep.resetKeys}
          </button>
        </li>
      </ul>
    </section>
  );
}

const sure = signal(false);

function Wipe() {
  const t = text.value.keep;
  const press = () => {
    if (sure.value) void wipe().catch(fail);
    else sure.value = true;
  };
  return (
    <section class="wipe">
      <h2>{t.wipe}</h2>
      <p>{t.wipeAbout}</p>
      <button
        type="button"
        class="wrong"
        onClick={press}
        onBlur={() => {
          sure.value = false;
        }}
      >
        {sure.value ? t.wipeSure : t.wipe}
      </button>
    </section>
  );
}

async function wipe(): Promise<void> {
  await api.wipe();
  forgetSettings();
  // Without https there are neither.
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.unregister();
  if ("caches" in globalThis)
    for (const name of await caches.keys()) if (name.startsWith("handgrad ")) await caches.delete(name);
  history.replaceState(null, "", location.pathname);
  location.reload();
}
