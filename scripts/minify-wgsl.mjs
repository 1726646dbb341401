// Takes comments and needless space out of the WGSL in template literals, so that a bundle carries shaders and not their
// indentation. Minifiers leave text in templates alone.
import { readFile } from "node:fs/promises";
import ts from "typescript";

/** Stands for `${…}`, the i-th of a template. It may turn out as a word, an operator, or whole statements. */
const HOLE = "\ue000";

const isWord = (character) => /[\w#$\ue000]/.test(character);
const isOperator = (character) => /[-+*/%&|^<>=!~\ue000]/.test(character);

/**
 * @param {string} text WGSL with directives (`#if`, `#unroll`, …) and holes in it
 * @returns {string} the same with as little white space as keeps its tokens apart
 */
export function minifyWgsl(text) {
  const bare = text
    // A comment with holes keeps them, as they count, and stays a comment.
    .replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (comment) => {
      const holes = comment.replace(/[^\ue000]/g, "");
      return holes ? ` /*${holes}*/ ` : " ";
    })
    .replace(/\s+/g, " ");
  let out = "";
  for (let i = 0; i < bare.length; i++) {
    if (bare[i] !== " ") {
      out += bare[i];
      continue;
    }
    const [before, after] = [out.at(-1), bare[i + 1]];
    // At the ends it is not known what comes before or after. A directive ends at white space.
    const needed =
      before === undefined ||
      after === undefined ||
      (isWord(before) && isWord(after)) ||
      (isOperator(before) && isOperator(after)) ||
      /#\w*$/.test(out);
    if (needed) out += " ";
  }
  return out;
}

/**
 * Minifies the WGSL of a module: templates tagged `wgsl`, those marked by a comment that says wgsl, and all templates
 * inside of them.
 *
 * @param {string} source TypeScript or JavaScript
 * @returns {string} the same module with shorter shaders
 */
export function minifyShaders(source) {
  if (!source.includes("wgsl")) return source;
  const file = ts.createSourceFile("module.ts", source, ts.ScriptTarget.ES2023, true);
  /** @type {{ from: number, to: number, text: string }[]} */
  const edits = [];
  /** @param {ts.Node} node @param {boolean} inside of a shader */
  const visit = (node, inside) => {
    let shader = inside;
    if (ts.isTaggedTemplateExpression(node)) shader = /\bwgsl$/.test(node.tag.getText());
    if (ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)) {
      shader ||= /\/\*\s*wgsl\s*\*\/\s*$/.test(source.slice(node.getFullStart(), node.getStart()));
      if (shader) for (const edit of editsOf(node)) edits.push(edit);
    }
    ts.forEachChild(node, (child) => visit(child, shader));
  };
  visit(file, false);
  let out = source;
  for (const { from, to, text } of edits.sort((a, b) => b.from - a.from))
    out = out.slice(0, from) + text + out.slice(to);
  return out;
}

/** @param {ts.TemplateExpression | ts.NoSubstitutionTemplateLiteral} node */
function editsOf(node) {
  const chunks = ts.isTemplateExpression(node)
    ? [node.head, ...node.templateSpans.map((span) => span.literal)]
    : [node];
  // `…${ or }…${ or }…` or `…`, without what begins and ends it.
  const places = chunks.map((chunk, i) => ({
    from: chunk.getStart() + 1,
    to: chunk.getEnd() - (i < chunks.length - 1 ? 2 : 1),
  }));
  const source = node.getSourceFile().text;
  const texts = places.map(({ from, to }) => source.slice(from, to).replaceAll("\\n", "\n"));
  const short = minifyWgsl(texts.join(HOLE)).split(HOLE);
  // Escapes may be in comments only: what else they may mean is not known here.
  if (short.length !== texts.length || short.some((text) => text.includes("\\"))) return [];
  return places.map((place, i) => ({ ...place, text: short[i] }));
}

/** The same for esbuild. @type {import("esbuild").Plugin} */
export const shorterShaders = {
  name: "shorter-shaders",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/].*\.[jt]s$/ }, async ({ path }) => ({
      contents: minifyShaders(await readFile(path, "utf8")),
      loader: path.endsWith("ts") ? "ts" : "js",
    }));
  },
};
