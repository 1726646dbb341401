/**
 * A package that only some users need, loaded when it is first used.
 *
 * @param load such as `() => import("pngjs")`, written out so that bundlers see it.
 * @throws Error that says what to install where the package is missing.
 */
export async function optionalPackage<T>(who: string, what: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      code === "ERR_MODULE_NOT_FOUND"
        ? `${who}: ${what} needs the package \`${name}\`, which is not installed. Run: npm install ${name}`
        : `${who}: the package \`${name}\` does not load: ${cause}`,
      { cause },
    );
  }
}
