import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

/*
 * Every `@example` of what the package exports compiles. An example may use all exports and what `doc-context.ts` declares. What
 * else it names stands for values that a program has made before, of any type; a function must be one that there is.
 */

/** TypeScript's errors of names that nothing declares. */
const undeclared = [2304, 2552, 18004];

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, dirname(`${root}tsconfig.json`));
const context = `${root}test/repository/doc-context.ts`;
const entries = Object.values(options.paths!).map(([path]) => `${root}${path!.slice(2)}`);

interface Example {
  /** The export that it is of. */
  readonly name: string;
  readonly text: string;
}

/** The examples in the comments of a declaration and of its members. */
function examplesOf(declaration: ts.Declaration): string[] {
  const members = ts.isClassLike(declaration) || ts.isInterfaceDeclaration(declaration) ? [...declaration.members] : [];
  return [declaration, ...members].flatMap((node) =>
    ts
      .getJSDocTags(node)
      .filter((tag) => tag.tagName.text === "example")
      // As it is written, without the margin.
      .map((tag) =>
        tag
          .getText()
          .replace("@example", "")
          .replace(/^\s*\*(\/$| ?)/gm, "")
          .trim(),
      ),
  );
}

/** The names that a module exports, and where each is declared. */
function exportsOf(program: ts.Program, file: string): [string, ts.Symbol][] {
  const checker = program.getTypeChecker();
  return checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return [symbol.name, target];
  });
}

/** The examples of an entry as a program, a function each. What another entry calls the same is imported from this one. */
function programOf(
  entry: string,
  own: readonly string[],
  all: readonly string[],
  examples: readonly Example[],
): string {
  const others = all.filter((name) => !own.includes(name));
  const functions = examples.map(({ name, text }, i) => `async function ${name}_${i}() {\n${text}\n}`);
  return `import { ${own.join(", ")} } from "${entry}";
import { ${others.join(", ")} } from "${context}";
${functions.join("\n")}
`;
}

test("every @example compiles", () => {
  const program = ts.createProgram([...entries, context], options);
  const all = exportsOf(program, context).map(([name]) => name);
  const seen = new Set<string>();
  const sources = new Map<string, string>();
  for (const [i, entry] of entries.entries()) {
    const own = exportsOf(program, entry);
    const examples = own
      .flatMap(([name, { declarations = [] }]) => declarations.flatMap(examplesOf).map((text) => ({ name, text })))
      .filter(({ text }) => !seen.has(text));
    for (const { text } of examples) seen.add(text);
    const names = own.map(([name]) => name);
    sources.set(`${root}test/repository/generated-${i}.ts`, programOf(entry, names, all, examples));
  }
  expect(seen.size).toBeGreaterThan(200);

  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const source = sources.get(path);
    if (source !== undefined) return ts.createSourceFile(path, source, version, true);
    return program.getSourceFile(path) ?? getSourceFile(path, version, ...rest);
  };
  const settings = { ...options, verbatimModuleSyntax: false };
  const checked = ts.createProgram([...sources.keys()], settings, host, program);
  const told = [...sources].flatMap(([path, source]) => {
    const file = checked.getSourceFile(path)!;
    const faults = [...checked.getSyntacticDiagnostics(file), ...checked.getSemanticDiagnostics(file)];
    return faults.filter((fault) => !isValue(fault, source)).map((fault) => describe(fault, source));
  });
  expect(told).toEqual([]);
});

/** Whether an error is of a name that stands for a value. */
const isValue = ({ code, start, length }: ts.Diagnostic, source: string) =>
  undeclared.includes(code) && !/^\s*[(<]/.test(source.slice(start! + length!));

/** An error with the line, and the export whose example it is. */
function describe({ start, messageText }: ts.Diagnostic, source: string): string {
  const before = source.slice(0, start);
  const name = [...before.matchAll(/^async function (\w+)_\d+/gm)].at(-1)?.[1];
  const line = source.split("\n")[before.split("\n").length - 1]!;
  return `${name}: ${line.trim()}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
}
