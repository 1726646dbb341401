import { Random, Tokenizer } from "handgrad/data";
import { accuracy, evaluate, fit, MultimodalNet } from "handgrad/model";
import { adam, createEngine } from "handgrad/node";

/* A GRU over text: each "not" turns a sentence around, so a network has to count them. node scripts/run.mjs examples/04-text-gru.ts */

const random = new Random("sentences", 1);
function sentence() {
  const good = random.integer(2);
  const negations = random.integer(3);
  const subject = random.choice(["the film", "this song", "her book"]);
  const adjective = random.choice(good ? ["good", "fine", "lovely"] : ["bad", "dull", "awful"]);
  return { text: `${subject} is ${"not ".repeat(negations)}${adjective}`, label: negations === 1 ? 1 - good : good };
}
const sentences = Array.from({ length: 600 }, sentence);
const tokenizer = Tokenizer.fit(
  sentences.map(({ text }) => text),
  { outOfVocabulary: "<unknown>" },
);
const examples = sentences.map(({ text, label }) => ({ words: tokenizer.encode(text, 6), label }));

const engine = await createEngine({ seed: 1 });
const net = new MultimodalNet(engine, {
  text: { vocabSize: tokenizer.size, encoder: "gru", embeddingDim: 16, hidden: 24 },
  head: { hidden: 16, outputs: 2 },
});
const optimizer = adam(net.parameters(), { lr: 0.01 });
await fit(net, examples.slice(0, 400), { optimizer, epochs: 8, progress: console.log });
const { metrics } = await evaluate(net, examples.slice(400), { metrics: { accuracy } });
console.log(`accuracy ${metrics.accuracy!.toFixed(3)} on 200 other sentences`);
engine.destroy();
