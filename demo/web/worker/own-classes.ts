import type { OwnClass } from "../shared/protocol.ts";
import type { OwnRecord, OwnSettings } from "./storage.ts";

type Classes = Pick<OwnSettings, "classes" | "retired">;

/** Whether they are the same classes in the same places; their names may differ. */
export const isSame = (a: readonly OwnClass[], b: readonly OwnClass[]): boolean =>
  a.length === b.length && a.every(({ id }, i) => id === b[i]!.id);

/** Those that are not among the others. */
export const without = (classes: readonly OwnClass[], others: readonly OwnClass[]): OwnClass[] =>
  classes.filter(({ id }) => !others.some((other) => other.id === id));

/** The classes that are here and those of a file. Where there are no examples yet, the file's are taken. */
export function joined(
  { classes, retired }: Classes,
  records: readonly OwnRecord[],
  file: Classes,
  name: string,
): Classes {
  const isUsed = (id: number) => records.some(({ label }) => label === id);
  const known = new Map([...classes, ...retired].filter((c) => c.name !== "" || isUsed(c.id)).map((c) => [c.id, c]));
  const theirs = [...file.classes, ...file.retired];
  for (const { id, name: said } of theirs) {
    const mine = known.get(id)?.name;
    if (mine !== undefined && mine !== said)
      throw new Error(
        `${name}: class ${id} is called "${said}" there and "${mine}" here. It is of another task: save this one, delete everything, then load the file.`,
      );
  }
  const all = [...known.values(), ...without(theirs, [...known.values()])];
  const active =
    records.length === 0 ? file.classes : classes.map((mine) => theirs.find(({ id }) => id === mine.id) ?? mine);
  return { classes: active, retired: without(all, active) };
}
