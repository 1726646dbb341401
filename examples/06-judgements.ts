import { Random } from "handgrad/data";
import { accuracy, evaluate, MultimodalNet } from "handgrad/model";
import { adam, createEngine } from "handgrad/node";
import { learner, memoryLog, simulatedPerson } from "handgrad/rl";

/* Learns from right and wrong alone: nobody says a label. node scripts/run.mjs examples/06-judgements.ts */

const random = new Random("stripes", 1);
const examples = Array.from({ length: 360 }, (_, i) => {
  const label = random.integer(4);
  const image = Float32Array.from(
    { length: 64 },
    (_, i) => 0.2 * random.normal() + (Math.floor(i / 16) === label ? 0.5 : 0),
  );
  return { id: `stripe ${i}`, label, image };
});
const [asked, testing] = [examples.slice(0, 160), examples.slice(160)];

const engine = await createEngine({ seed: 1 });
const net = new MultimodalNet(engine, { image: { shape: [1, 8, 8], channels: [8] }, head: { hidden: 16, outputs: 4 } });
const test = async () => (await evaluate(net, testing, { metrics: { accuracy } })).metrics.accuracy!.toFixed(3);
console.log(`accuracy ${await test()} before any judgement`);

const person = simulatedPerson({ seed: 1, labelNoise: 0.05 }); // wrong in one judgement of twenty
const agent = learner(net, adam(net.parameters(), { lr: 0.01 }), {
  log: memoryLog(), // a person's judgements belong on disk: openFeedbackLog("feedback.jsonl")
  method: "replay",
  seed: 1,
});
for (let first = 0; first < asked.length; first += 20) {
  for (const example of asked.slice(first, first + 20)) {
    const { id, action } = await agent.act(example);
    const verdict = person.judge(example, action);
    await agent.judge(id, { reward: "skip" in verdict ? null : verdict.reward, judge: person.name });
  }
  await agent.update();
}
console.log(`accuracy ${await test()} after ${asked.length} judgements`);
engine.destroy();
