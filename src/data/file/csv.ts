import { checkList, checkOptions, checkText, describe, listOf } from "../../check.ts";
import { DataError } from "../errors.ts";

/**
 * Parses CSV (RFC 4180) with a header line: fields between commas, those with commas, quotes or line ends in double quotes, a
 * quote written twice. Empty lines are left out.
 *
 * @param text of the file.
 * @param name of the file, for errors. Default "table".
 * @param separator one character. Default ",".
 * @returns rows as objects, by the names of the first line.
 * @throws DataError naming the file, the line and the fault.
 * @example const rows = parseCsv("file,label\na.png,7\n"); // [{ file: "a.png", label: "7" }]
 */
export function parseCsv(text: string, name = "table", separator = ","): Record<string, string>[] {
  checkTable("parseCsv", text);
  if (typeof separator !== "string" || separator.length !== 1 || /["\r\n]/.test(separator)) {
    throw new DataError(`${name}: the separator is ${describe(separator)}, expected one character between fields.`);
  }
  const [header, ...rows] = splitRows(text.replace(/^\uFEFF/, ""), name, separator);
  if (!header) throw new DataError(`${name}: is empty, expected a first line with the names of the columns.`);
  const columns = header.fields.map((field) => field.trim());
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) throw new DataError(`${name}: the column "${twice}" occurs twice in the first line.`);
  return rows.map(({ fields, line }) => {
    if (fields.length !== columns.length) {
      throw new DataError(
        `${name}, line ${line}: found ${fields.length} fields, expected ${columns.length} (${columns}).`,
      );
    }
    return Object.fromEntries(columns.map((column, i) => [column, fields[i]!]));
  });
}

function checkTable(operation: string, text: unknown): void {
  if (typeof text === "string") return;
  throw new TypeError(`${operation}: the text is ${describe(text)}, expected a string: the file's contents.`);
}

interface Row {
  readonly fields: string[];
  /** Where it begins, counted from 1. */
  readonly line: number;
}

function splitRows(text: string, name: string, separator: string): Row[] {
  const rows: Row[] = [];
  let [line, at] = [1, 0];
  while (at < text.length) {
    const row: Row = { fields: [], line };
    for (let more = true; more; ) {
      let field = "";
      if (text[at] === '"') {
        const parts: string[] = [];
        for (;;) {
          const close = text.indexOf('"', at + 1);
          if (close < 0) throw new DataError(`${name}, line ${row.line}: a quote is opened and never closed.`);
          parts.push(text.slice(at + 1, close));
          at = close + 1;
          if (text[at] !== '"') break;
          parts.push('"');
        }
        field = parts.join("");
        line += field.split("\n").length - 1;
      } else {
        const from = at;
        while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at++;
        field = text.slice(from, at);
      }
      row.fields.push(field);
      more = text[at] === separator;
      if (more) at++;
      else if (at < text.length) {
        if (text[at] === "\r") at++;
        if (text[at] === "\n") at++;
        else if (text[at - 1] !== "\r") {
          throw new DataError(`${name}, line ${line}: expected a comma or the line's end after a quoted field.`);
        }
        line++;
      }
    }
    if (row.fields.length > 1 || row.fields[0] !== "") rows.push(row);
  }
  return rows;
}

/** The columns of a table of labels. */
export interface LabelColumns {
  /** Which holds the file. Default "file". */
  readonly file?: string;
  /** Which holds the label. Default "label". */
  readonly label?: string;
}

/** A table of files and their labels. */
export interface Labels {
  /** The file, or whatever names the example, of each row. */
  readonly files: readonly string[];
  /** Of each row its index into `classes`. */
  readonly labels: Int32Array;
  /** Names of the classes, in the order of the alphabet (whole numbers by size). */
  readonly classes: readonly string[];
}

/**
 * Parses a CSV of files and their labels.
 *
 * @param text of the file.
 * @param name of the file, for errors. Default "labels".
 * @param columns which hold the file and the label. Default "file" and "label".
 * @param classes names of the classes in their order. Default: all labels that occur, by `classNames`.
 * @returns files, labels as indices, and classes.
 * @throws DataError naming the file, the row and the fault.
 * @example const { files, labels, classes } = parseLabels(text, "train.csv");
 */
export function parseLabels(
  text: string,
  name = "labels",
  columns: LabelColumns = {},
  classes?: readonly string[],
): Labels {
  checkTable("parseLabels", text);
  checkOptions<LabelColumns>("parseLabels", columns, { file: true, label: true });
  const { file = "file", label = "label" } = columns;
  if (classes !== undefined) checkList("parseLabels", "classes", classes, "a list of names");
  const rows = parseCsv(text, name);
  for (const column of [file, label]) {
    if (rows[0] && !Object.hasOwn(rows[0], column)) {
      throw new DataError(`${name}: has no column "${column}", found ${Object.keys(rows[0]).join(", ")}.`);
    }
  }
  const found = rows.map((row) => row[label]!);
  const files = rows.map((row) => row[file]!);
  expectFilled(name, label, found);
  expectFilled(name, file, files);
  const names = classes ?? classNames(found);
  const places = new Map(names.map((text, i) => [text, i]));
  if (places.size !== names.length) throw new DataError(`${name}: a class occurs twice in ${names.join(", ")}.`);
  const labels = Int32Array.from(found, (text, i) => {
    const place = places.get(text);
    if (place === undefined)
      throw new DataError(`${name}, row ${i + 1}: "${text}" is none of the classes ${names.join(", ")}.`);
    return place;
  });
  return { files, labels, classes: names };
}

/** Refuses empty cells: nobody gave that label, and it is no class. @throws DataError naming the row. */
export function expectFilled(name: string, column: string, cells: readonly string[]): void {
  const empty = cells.findIndex((cell) => cell.trim() === "");
  if (empty >= 0)
    throw new DataError(`${name}, row ${empty + 1}: its "${column}" is empty. Fill it in, or leave the row out.`);
}

/**
 * The different labels, sorted: by value if all are whole numbers, else alphabetically.
 *
 * @param labels of all examples.
 * @returns each label once.
 * @example classNames(["10", "9", "10"]); // ["9", "10"]
 */
export function classNames(labels: Iterable<string>): string[] {
  const names = [...new Set(listOf("classNames", "labels", labels, "a list of texts"))].sort();
  for (const name of names) if (typeof name !== "string") checkText("classNames", "a label", name);
  return names.every((name) => /^-?\d+$/.test(name)) ? names.sort((a, b) => Number(a) - Number(b)) : names;
}
