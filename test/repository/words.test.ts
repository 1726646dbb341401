import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

/*
 * Words that code used where the field has another: none of them names anything. Where files of earlier versions are read,
 * and where a word says something else, it is listed with its reason.
 */

const gone = [
  ["ways", "replaceWays", "variants"],
  ["tall", "lanes64", "variants named by rows per thread or algorithm"],
  ["squash", "rectified", "tanh, relu"],
  ["arriving", "news", "pending readback, completion"],
  ["settle", "resident, stage"],
  ["leash", "klTo", "klCoef, referenceLogits"],
  ["beliefs", "posterior"],
  ["Lesson", "update context"],
  ["saidThen", "behavior log-probabilities"],
  ["recall", "loadState"],
  ["vary", "scanned", "augment, unlabeled batch"],
  ["replays", "steps per update"],
  ["likeliest", "argmax"],
  ["boast", "overconfidence"],
  ["chosenBy", "chosenWith", "acquisition, inclusion probability"],
  ["Asking", "rival", "query, alternative"],
  ["reconciled", "effective", "aggregated labels, effective sample size"],
  ["strangers", "unseen speakers"],
  ["cooled", "decayed"],
  ["Course", "Lab", "Keeper", "Happening", "Material", "Shelf", "session, worker API, storage, event, user input"],
  ["Drawer", "ConditionalVae"],
  ["Told", "looks", "call, traces"],
  ["bed", "obstacle", "runner, startup error"],
  ["Numbers", "TensorLike"],
  ["atOnce", "batchSize"],
  ["least", "lower bound, minimum"],
  ["confirmed", "label counts"],
].flatMap((row) => row.slice(0, -1));

/** Where one of them is right. */
const right: Record<string, string> = {
  "demo/cli/upgrade.ts: strangers": "a run of version 0.1",
  "demo/web/worker/own-session.ts: strangers": "classes that the page does not have",
  "src/rl/settings.ts: confirmed": "a learner's state of version 0.1",
  "src/rl/record.ts: chosenBy": "records of version 2",
  "src/rl/record.ts: chosenWith": "records of version 2",
};

const root = fileURLToPath(new URL("../..", import.meta.url));

function identifiersOf(name: string): Set<string> {
  const file = ts.createSourceFile(name, readFileSync(join(root, name), "utf8"), ts.ScriptTarget.Latest);
  const found = new Set<string>();
  const visit = (node: ts.Node) => {
    if (ts.isIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test("no identifier is one of the words that the field has others for", () => {
  const files = ["src", "demo", "bench", "study", "examples"].flatMap((folder) =>
    (readdirSync(join(root, folder), { recursive: true }) as string[])
      .filter((file) => /\.tsx?$/.test(file) && !file.includes("node_modules"))
      .map((file) => `${folder}/${file}`),
  );
  const found = files.flatMap((file) => {
    const identifiers = identifiersOf(file);
    return gone.filter((word) => identifiers.has(word)).map((word) => `${file}: ${word}`);
  });
  expect(found.filter((place) => !Object.hasOwn(right, place))).toEqual([]);
  // A reason that no place needs any more goes.
  expect(Object.keys(right).filter((place) => !found.includes(place))).toEqual([]);
});
