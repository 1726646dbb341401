/* Runs that version 0.1 wrote are read with today's names. */

/** The fields of config.json, version 2, from version 1, or from before there was a second network. */
export function upgradedSettings(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (settings.v !== 1) return { network: 1, ...settings };
  const { noise, look, ...rest } = settings;
  return {
    ...rest,
    v: 2,
    network: 1,
    method: rest.method === "beliefs" ? "posterior" : rest.method,
    ...(noise === undefined ? {} : { labelNoise: noise }),
    ...(look === undefined ? {} : { validateOn: look === "test-strangers" ? "test-unseen" : look }),
  };
}

/** How far a run had come, with today's names of the test sets. */
export function upgradedProgress(progress: unknown): unknown {
  const { before } = (progress ?? {}) as { before?: { strangers?: unknown; met?: unknown } | null };
  if (!before || before.strangers === undefined) return progress;
  const { strangers: unseen, met: seen, ...rest } = before;
  return { ...(progress as object), before: { ...rest, unseen, seen } };
}
